"""Red flags outrank the learnt ranking of intents: fixed patterns read the message too.

Recall comes first: what the patterns of `knowledge/lexicon.yml` find goes to the top of the ranking.
"""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_NAME_KEY, PREDICTED_CONFIDENCE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message

from spotwise.reading import Reader, default_reader

INTENT_RANKING = "intent_ranking"
TELLING = frozenset({"describe_spotting", "correct_answer", "report_emergency"})
"""Intents under which an emergency sign is told anyway: the triage policy acts on the sign itself."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class SafetyClassifier(GraphComponent, IntentClassifier):
    """Puts self-harm, assault and emergencies first where the words tell of them."""

    def __init__(self, reader: Reader) -> None:
        """Read with this lexicon."""
        self._reader = reader

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SafetyClassifier:
        """Use the shipped lexicon; there is nothing in the model."""
        return cls(default_reader())

    def process(self, messages: list[Message]) -> list[Message]:
        """Put a red flag's intent at the top of the ranking."""
        for message in messages:
            intent = self._red_flag(message.get(TEXT) or "", (message.get(INTENT) or {}).get(INTENT_NAME_KEY))
            if intent is not None:
                ranking = [
                    entry for entry in message.get(INTENT_RANKING) or [] if entry[INTENT_NAME_KEY] != intent
                ]
                found = {INTENT_NAME_KEY: intent, PREDICTED_CONFIDENCE_KEY: 1.0}
                message.set(INTENT, found, add_to_output=True)
                message.set(INTENT_RANKING, [found, *ranking], add_to_output=True)
        return messages

    def _red_flag(self, text: str, learnt: str | None) -> str | None:
        facts = self._reader.read(text).facts
        details = set(facts.get("details", ()))
        if "self_harm" in details:
            return "report_self_harm"
        if facts.get("consent") == "unwanted" or details & {"in_danger", "choked_or_drugged"}:
            return "report_assault"
        if learnt not in TELLING and set(facts.get("danger_signs", ())) & {
            "soaking_pads",
            "large_clots",
            "fainting",
        }:
            return "report_emergency"
        return None
