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

from assistant.linear import cause_finder, causes_named_in
from spotwise.content import Cause


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class CauseExtractor(GraphComponent, EntityExtractorMixin):
    """Finds the causes that a message names. Exact names only: a near miss is asked about, never guessed."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> CauseExtractor:
        """Read the names from the knowledge; there is nothing in the model."""
        cause_finder()
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        """Add an entity for each cause that is named."""
        for message in messages:
            text = message.get(TEXT) or ""
            found = [_entity(text, cause) for cause in causes_named_in(text)]
            message.set(
                ENTITIES, message.get(ENTITIES, []) + self.add_extractor_name(found), add_to_output=True
            )
        return messages


def _entity(text: str, cause: Cause) -> dict[str, Any]:
    start, end = cause_finder().place(text, cause)
    return {
        ENTITY_ATTRIBUTE_TYPE: "cause",
        ENTITY_ATTRIBUTE_START: start,
        ENTITY_ATTRIBUTE_END: end,
        ENTITY_ATTRIBUTE_VALUE: cause.id,
    }
