"""The entity `cause`: which cause a message names, by its names in `knowledge/causes.yml`."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import (
    ENTITIES,
    ENTITY_ATTRIBUTE_END,
    ENTITY_ATTRIBUTE_START,
    ENTITY_ATTRIBUTE_TYPE,
    ENTITY_ATTRIBUTE_VALUE,
    TEXT,
)
from rasa.shared.nlu.training_data.message import Message

from spotwise.knowledge import load_knowledge
from spotwise.lookup import CauseFinder


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class CauseExtractor(GraphComponent, EntityExtractorMixin):
    """Finds the causes that a message names. Exact names only: a near miss is asked about, never guessed."""

    def __init__(self, finder: CauseFinder) -> None:
        """Use the names of these causes."""
        self._finder = finder

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> CauseExtractor:
        """Read the names from the knowledge; there is nothing in the model."""
        return cls(CauseFinder(load_knowledge().causes))

    def process(self, messages: list[Message]) -> list[Message]:
        """Add an entity for each cause that is named."""
        for message in messages:
            text = message.get(TEXT) or ""
            found = [
                {
                    ENTITY_ATTRIBUTE_TYPE: "cause",
                    ENTITY_ATTRIBUTE_START: 0,
                    ENTITY_ATTRIBUTE_END: len(text),
                    ENTITY_ATTRIBUTE_VALUE: cause.id,
                }
                for cause in self._finder.named_in(text)
            ]
            message.set(
                ENTITIES, message.get(ENTITIES, []) + self.add_extractor_name(found), add_to_output=True
            )
        return messages
