"""The entity `cause`: which cause a message names, by its names in `knowledge/causes.yml`."""

from __future__ import annotations

import re
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
from spotwise.lookup import names_of

_PLURAL = re.compile(r"(?<=[^\W_s]{3})s\b")


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
            found = [_entity(text, cause) for cause in _causes_in(text)]
            message.set(
                ENTITIES, message.get(ENTITIES, []) + self.add_extractor_name(found), add_to_output=True
            )
        return messages


def _causes_in(text: str) -> tuple[Cause, ...]:
    """The causes named, in the words of the text or with its plurals taken off."""
    return causes_named_in(text) or causes_named_in(_PLURAL.sub("", text))


def _entity(text: str, cause: Cause) -> dict[str, Any]:
    start, end = _place(text, cause)
    return {
        ENTITY_ATTRIBUTE_TYPE: "cause",
        ENTITY_ATTRIBUTE_START: start,
        ENTITY_ATTRIBUTE_END: end,
        ENTITY_ATTRIBUTE_VALUE: cause.id,
    }


def _place(text: str, cause: Cause) -> tuple[int, int]:
    """Where the longest name of a cause stands; the whole text where it is written in another way."""
    patterns = (r"[\W_]+".join(map(re.escape, name.split())) for name in names_of(cause))
    matches = (re.search(rf"\b{pattern}(?:s\b|\b)", text, re.IGNORECASE) for pattern in patterns)
    spans = [match.span() for match in matches if match]
    return max(spans, key=lambda span: span[1] - span[0], default=(0, len(text)))
