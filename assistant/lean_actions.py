"""Rasa's form and its way to the custom actions, without what made them the dearest part of a turn.

Rasa checks an action's answer against a JSON schema that it checks anew each time (55 ms), and sends along
every event of the conversation, more with each turn. Here the answer is checked once, by `ActionEndpoint`,
and only the events since the latest message are sent: all that the actions of this project look at. The form
replays the conversation twice a turn, to try events out; here they are tried on a copy. And it looks through
all slots for what a message fills, though here the triage policy fills them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import rasa
import rasa.core.actions.action
import rasa.core.actions.forms
from rasa.core.actions.action import ActionExtractSlots, RemoteAction
from rasa.core.actions.forms import FormAction
from rasa.core.channels.channel import OutputChannel
from rasa.core.nlg import NaturalLanguageGenerator
from rasa.shared.core.constants import (
    ACTION_LISTEN_NAME,
    ACTION_VALIDATE_SLOT_MAPPINGS,
    ACTIVE_LOOP,
    FOLLOWUP_ACTION,
    LOOP_NAME,
    REQUESTED_SLOT,
)
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, Event, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker


class LeanRemoteAction(RemoteAction):  # type: ignore[misc]  # Rasa's types are not seen
    """A custom action, asked of an ActionEndpoint."""

    def _action_call_format(self, tracker: DialogueStateTracker, domain: Domain) -> dict[str, Any]:
        """The request: Rasa's own, with the events of this turn only, and without the domain and the message
        that began the form."""
        state = {
            "sender_id": tracker.sender_id,
            "slots": tracker.current_slot_values(),
            "latest_message": tracker._latest_message_data(),
            "events": events_of_turn(tracker),
            "paused": tracker.is_paused(),
            FOLLOWUP_ACTION: tracker.followup_action,
            ACTIVE_LOOP: {LOOP_NAME: tracker.active_loop_name} if tracker.active_loop else {},
            "latest_action_name": tracker.latest_action_name,
        }
        return {
            "next_action": self.name(),
            "sender_id": tracker.sender_id,
            "tracker": state,
            "version": rasa.__version__,
        }

    def _validate_action_result(self, result: dict[str, Any]) -> bool:
        """Nothing more: the endpoint has checked it."""
        return True


def events_of_turn(tracker: DialogueStateTracker) -> list[dict[str, Any]]:
    """The events since the latest message, it included."""
    found: list[dict[str, Any]] = []
    for event in reversed(tracker.events):
        found.append(event.as_dict())
        if isinstance(event, UserUttered):
            break
    return found[::-1]


class LeanForm(FormAction):  # type: ignore[misc]
    """The form."""

    def _temporary_tracker(
        self, current_tracker: DialogueStateTracker, additional_events: list[Event], domain: Domain
    ) -> DialogueStateTracker:
        """The conversation with some events more, and before them the form's own, as Rasa adds them."""
        twin = current_tracker.copy()
        begun = [SlotSet(REQUESTED_SLOT, self.get_slot_to_fill(current_tracker)), ActionExecuted(self.name())]
        for event in (*begun, *additional_events):
            twin.update(event)
        return twin

    async def _validate_if_required(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        output_channel: OutputChannel,
        nlg: NaturalLanguageGenerator,
    ) -> list[Event]:
        """Validate an answer; as Rasa does, but for a deep copy of the message that it makes for its log."""
        comes_back = tracker.latest_action_name != ACTION_LISTEN_NAME or tracker.is_active_loop_interrupted
        if tracker.active_loop and comes_back:
            events: list[Event] = await self.validate_slots({}, tracker, domain, output_channel, nlg)
        else:
            events = await self.validate(tracker, domain, output_channel, nlg)
        return events


class LeanExtraction(ActionExtractSlots):  # type: ignore[misc]
    """What a message fills by the domain's mappings: nothing, where all slots are filled by other means."""

    async def run(
        self,
        output_channel: OutputChannel,
        nlg: NaturalLanguageGenerator,
        tracker: DialogueStateTracker,
        domain: Domain,
    ) -> list[Event]:
        """Look through the slots only where one could be filled."""
        if ACTION_VALIDATE_SLOT_MAPPINGS not in domain.action_names_or_texts and not any(
            mapping != {"type": "custom"} for slot in domain.slots for mapping in slot.mappings
        ):
            return []
        events: list[Event] = await super().run(output_channel, nlg, tracker, domain)
        return events


def use_lean_actions() -> None:
    """Have Rasa make these; it looks the classes up by their names whenever it needs one.

    For an event that an action answers with, it goes through all classes of events: here once for each name.
    """
    Event.resolve_by_type = staticmethod(cache(Event.resolve_by_type))
    rasa.core.actions.action.RemoteAction = LeanRemoteAction
    rasa.core.actions.action.ActionExtractSlots = LeanExtraction
    rasa.core.actions.forms.RemoteAction = LeanRemoteAction
    rasa.core.actions.forms.FormAction = LeanForm
