"""The base of all actions: whatever breaks, the person gets the words that matter, and no log gets theirs."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher

from actions.turn import Turn

WHEN_IT_BREAKS = ("utter_action_failed", "utter_what_to_do", "utter_calm", "utter_criteria", "utter_limits")

logger = logging.getLogger(__name__)


class SafeAction(Action, ABC):  # type: ignore[misc]  # rasa_sdk has no types
    """An action that never raises. What it says is sent only when all of it could be said."""

    called: str

    def name(self) -> str:
        """The name in domain.yml."""
        return self.called

    @abstractmethod
    def act(self, turn: Turn) -> list[EventType]:
        """Say what the action is for, and give the events to keep."""

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Act, or say honestly that it did not work. Logs only the names of the action and the error."""
        said = CollectingDispatcher()
        events: list[EventType] = []
        try:
            events = self.act(Turn(said, tracker))
        except Exception as error:
            logger.error("%s did not work: %s", self.name(), type(error).__name__)
            said = CollectingDispatcher()
            for response in WHEN_IT_BREAKS:
                said.utter_message(response=response)
        dispatcher.messages.extend(said.messages)
        return events
