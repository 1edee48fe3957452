"""Rasa's processor of messages, without deep copies that it makes for lines of a log that nobody keeps."""

from __future__ import annotations

from typing import Any

import rasa.core.agent
from rasa.core.actions.action import Action
from rasa.core.policies.policy import PolicyPrediction
from rasa.core.processor import MessageProcessor
from rasa.shared.core.events import ActionExecutionRejected, Event
from rasa.shared.core.trackers import DialogueStateTracker


class LeanProcessor(MessageProcessor):  # type: ignore[misc]  # Rasa's types are not seen
    """The processor."""

    def _log_action_on_tracker(
        self,
        tracker: DialogueStateTracker,
        action: Action,
        events: list[Event] | None,
        prediction: PolicyPrediction,
    ) -> None:
        """Add an action to the conversation, with what it and its prediction came to; as Rasa's own."""
        events = events or []
        if not any(isinstance(event, ActionExecutionRejected) for event in events):
            tracker.update_with_events(prediction.events, self.domain)
            tracker.update(action.event_for_successful_execution(prediction))
        tracker.update_with_events(events, self.domain)

    def _check_for_unseen_features(self, parse_data: dict[str, Any]) -> None:
        """Warn of intents and entities that the domain lacks.

        Rasa first makes a dictionary of the whole domain, to see whether it is empty.
        """
        entities = {entity["entity"] for entity in parse_data["entities"] or ()}
        known = parse_data["intent"]["name"] in self.domain.intents and entities <= {*self.domain.entities}
        if not known:
            super()._check_for_unseen_features(parse_data)


def use_lean_processor() -> None:
    """Have Rasa make it; an agent makes its processor when it loads a model."""
    rasa.core.agent.MessageProcessor = LeanProcessor
