"""Rasa's tracker, without going through the whole conversation for what is known already.

Rasa hands a copy of the conversation to each action, made by replaying every event, and asks several times a
turn which events count, going through all of them each time.
"""

from __future__ import annotations

import copy
from itertools import islice
from typing import Any

from rasa.shared.core.domain import Domain, State
from rasa.shared.core.events import (
    ActionExecuted,
    ActionReverted,
    ActiveLoop,
    Event,
    Restarted,
    SessionStarted,
    UserUtteranceReverted,
    UserUttered,
)
from rasa.shared.core.slots import Slot
from rasa.shared.core.trackers import DialogueStateTracker

STATES_SEEN = 20
"""States of a conversation that its rules may look at, of which the longest has a few."""


class Conversation(DialogueStateTracker):  # type: ignore[misc]  # Rasa's types are not seen
    """A tracker; its state is what its events come to, so that either can be copied."""

    _counted: tuple[int, frozenset[str], list[Event]] = (0, frozenset(), [])
    """How many events have been counted, the loops among them, and which of them count."""

    def copy(self) -> Conversation:
        """A tracker in the same state, which can be changed without changing this one."""
        twin = copy.copy(self)
        twin.events = self._create_events(self.events)
        twin.slots = {name: _copied(slot) for name, slot in self.slots.items()}
        twin.active_loop = copy.copy(self.active_loop)
        twin.model_id = twin.assistant_id = None  # as in Rasa's copy, which marks no events with them
        return twin

    def init_copy(self) -> DialogueStateTracker:
        """A blank tracker with the same slots."""
        blank = DialogueStateTracker(
            self.sender_id, (), self._max_event_history, is_rule_tracker=self.is_rule_tracker
        )
        blank.slots = {name: _copied(slot) for name, slot in self.slots.items()}
        blank._reset_slots()
        return blank

    def past_states(
        self,
        domain: Domain,
        omit_unset_slots: bool = False,
        ignore_rule_only_turns: bool = False,
        rule_only_data: dict[str, Any] | None = None,
    ) -> list[State]:
        """The latest states before each action, as Rasa's own; no rule looks farther back.

        All of them where turns of rules are left out, for there each depends on those before.
        """
        if ignore_rule_only_turns:
            states: list[State] = super().past_states(domain, omit_unset_slots, True, rule_only_data)
            return states
        applied = self.applied_events()
        unseen = sum(type(event) is ActionExecuted for event in applied) + 1 - STATES_SEEN
        tracker, latest = self.init_copy(), []
        for event in applied:
            if type(event) is ActionExecuted:
                if unseen <= 0:
                    latest.append(domain.get_active_state(tracker, omit_unset_slots))
                unseen -= 1
            tracker.update(event)
        return [*latest, domain.get_active_state(tracker, omit_unset_slots)]

    def applied_events(self) -> list[Event]:
        """The events that count: after a restart, and without what was taken back.

        As Rasa's own, but only the new events are looked at.
        """
        count, loops, counting = self._counted
        new = list(islice(self.events, count, None))
        begun = {event.name for event in new if type(event) is ActiveLoop and event.name}
        if count > len(self.events) or begun - loops:  # what a loop did before it began counts differently
            new, loops, counting = list(self.events), loops | begun, []
        counting = list(counting)
        for event in new:
            kind = type(event)
            if kind in (Restarted, SessionStarted):
                counting.clear()
            elif kind is ActionReverted:
                self._undo_till_previous(ActionExecuted, counting)
            elif kind is UserUtteranceReverted:
                self._undo_till_previous(UserUttered, counting)
                self._undo_till_previous(ActionExecuted, counting)
            elif (
                kind is ActionExecuted
                and event.action_name in loops
                and not self._first_loop_execution_or_unhappy_path(event.action_name, counting)
            ):
                self._undo_till_previous_loop_execution(event.action_name, counting)
            else:
                counting.append(event)
        self._counted = len(self.events), frozenset(loops), counting
        return list(counting)


def _copied(slot: Slot) -> Slot:
    """A slot like this one, as copy.copy makes it in three times the time."""
    twin = object.__new__(type(slot))
    twin.__dict__.update(slot.__dict__)
    return twin
