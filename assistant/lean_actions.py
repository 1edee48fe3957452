"""Rasa's form and its way to the custom actions, without what made them the dearest part of a turn.

Rasa checks an action's answer against a JSON schema that it checks anew each time (55 ms), and sends along
every event of the conversation, more with each turn. Here the answer is checked once, by `ActionEndpoint`,
and only the events since the latest message are sent: all that the actions of this project look at. The form
replays the conversation twice a turn, to try events out; here they are tried on a copy.
"""

from __future__ import annotations

from typing import Any

import rasa
import rasa.core.actions.action
import rasa.core.actions.forms
from rasa.core.actions.action import RemoteAction
from rasa.core.actions.forms import FormAction
from rasa.shared.core.constants import REQUESTED_SLOT
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, Event, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker, EventVerbosity


class LeanRemoteAction(RemoteAction):  # type: ignore[misc]  # Rasa's types are not seen
    """A custom action, asked of an ActionEndpoint."""

    def _action_call_format(self, tracker: DialogueStateTracker, domain: Domain) -> dict[str, Any]:
        """The request: Rasa's own, with the events of this turn only and without the domain."""
        return {
            "next_action": self.name(),
            "sender_id": tracker.sender_id,
            "tracker": {**tracker.current_state(EventVerbosity.NONE), "events": events_of_turn(tracker)},
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


def use_lean_actions() -> None:
    """Have Rasa make these; it looks the classes up by their names whenever it needs one."""
    rasa.core.actions.action.RemoteAction = LeanRemoteAction
    rasa.core.actions.forms.RemoteAction = LeanRemoteAction
    rasa.core.actions.forms.FormAction = LeanForm
