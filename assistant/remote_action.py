"""Rasa's way to its custom actions, without what made it the dearest part of a turn.

Rasa checks an action's answer against a JSON schema that it checks anew each time (55 ms), and sends along
every event of the conversation, more with each turn. Here the answer is checked once, by `ActionEndpoint`,
and only the events since the latest message are sent: all that the actions of this project look at.
"""

from __future__ import annotations

from typing import Any

import rasa
import rasa.core.actions.action
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import UserUttered
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


def use_lean_remote_actions() -> None:
    """Have Rasa make these; it looks the class up by its name whenever an action is called."""
    rasa.core.actions.action.RemoteAction = LeanRemoteAction
