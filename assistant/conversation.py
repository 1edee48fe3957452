"""Rasa's tracker, without going through the whole conversation for what is known already.

Rasa hands a copy of the conversation to each action, made by replaying every event, and asks twice a turn
which events count, going through all of them each time.
"""

from __future__ import annotations

import copy

from rasa.shared.core.events import Event
from rasa.shared.core.trackers import DialogueStateTracker


class Conversation(DialogueStateTracker):  # type: ignore[misc]  # Rasa's types are not seen
    """A tracker; its state is what its events come to, so that either can be copied."""

    _counted: tuple[int, list[Event]] = (-1, [])
    """How many events there were, and which of them counted."""

    def copy(self) -> Conversation:
        """A tracker in the same state, which can be changed without changing this one."""
        twin = copy.copy(self)
        twin.events = self._create_events(self.events)
        twin.slots = {name: copy.copy(slot) for name, slot in self.slots.items()}
        twin.active_loop = copy.copy(self.active_loop)
        twin.model_id = twin.assistant_id = None  # as in Rasa's copy, which marks no events with them
        return twin

    def applied_events(self) -> list[Event]:
        """The events that count: after a restart, and without what was taken back."""
        if self._counted[0] != len(self.events):
            self._counted = len(self.events), super().applied_events()
        return list(self._counted[1])
