"""The least that a Rasa pipeline can do: every message has the same intent."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT
from rasa.shared.nlu.training_data.message import Message


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class Echo(GraphComponent, IntentClassifier):  # type: ignore[misc]  # Rasa's types are not seen
    """Understands nothing, at once."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Echo:
        """There is nothing to load."""
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        """Give the one intent there is."""
        for message in messages:
            message.set(INTENT, {"name": "any", "confidence": 1.0}, add_to_output=True)
        return messages
