"""Red flags outrank the learnt ranking of intents. Two detectors look for them, and either one is enough.

By words: what the patterns of `knowledge/lexicon.yml` find goes to the top of the ranking, unless the meaning
is surely another one ("should I say no to sex for now?"); the triage policy hears the words anyway. By
meaning: so does a red flag that the intent classifier thinks likely, though not likeliest, in the whole
message or in one of its sentences; a long message may hold it in one of many. The fact classifier, which
learnt what only looks like a sign, has a say: a red flag that it thinks most unlikely is none, and one it
is sure of counts alone. Of a message that is longer than the encoder sees, only sentences count. Recall comes
first; the thresholds were measured (docs/evaluation.md).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_NAME_KEY, PREDICTED_CONFIDENCE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message

from assistant.fact_classifier import ANY_SIGN, IN_A_PART, MEANINGS, SIGNS
from assistant.intent_classifier import INTENT_RANKING, SENTENCE_RANKINGS, Ranking
from assistant.linear import forget, reading_of
from assistant.sentence_encoder import LONGEST
from assistant.told_classifier import TOLD
from assistant.told_words import facts_in
from spotwise.dialogue import SURE
from spotwise.reading import default_reader

SELF_HARM, ASSAULT, EMERGENCY = "report_self_harm", "report_assault", "report_emergency"
RED_FLAGS = (SELF_HARM, ASSAULT, EMERGENCY)

_INTENT_OF_SIGN = {"assault": ASSAULT, "self_harm": SELF_HARM}
_TELLING = (None, "describe_spotting", "express_worry", *RED_FLAGS)
"""Intents of messages that tell something."""
_NOT_ALWAYS_URGENT = (
    "pregnant_bleeding",
    "after_birth_or_operation",
    "object_left_inside",
    "blood_thinner_bleeding",
    "fever",
    "one_sided_pain",
    "heavy_bleeding",
)
"""Signs for which the rules, and not the intent, decide."""

KEPT = 10
"""Intents that stay in the ranking, as many as Rasa's own classifiers keep: each message stores it."""

ONLY_URGENT = frozenset(
    {"soaking_pads", "large_clots", "fainting", "not_slowing_with_pressure", "gaping_cut_or_swelling"}
)
"""Signs that are told only as an emergency; of the others, such as pain and fever, there are mild kinds."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class SafetyClassifier(GraphComponent, IntentClassifier):  # type: ignore[misc]  # Rasa is untyped here
    """Puts self-harm, assault and emergencies first where the words or the meaning tell of them."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The thresholds, as measured in docs/nlu.md."""
        return {
            "likely": 0.35,  # of all red flags together, in the whole message
            "likely_in_sentence": 0.85,  # of one, in a sentence of it
            "confidence": 0.7,  # at least, so that the fallback does not take the turn
            "unlikely": 0.02,  # of all red flags together: below it the words are not believed
            "sure": 0.9,  # of all red flags together: from here on they need no sign ("help, an emergency")
            "any_sign": 0.2,  # of one sign or another: below it the meaning is not believed
            "any_self_harm": 0.1,  # the same where it may be self-harm, which is told in veiled words
            "sure_sign": 0.85,  # of one sign or another: from here on it counts alone
        }

    def __init__(self, config: dict[str, Any]) -> None:
        """Use these thresholds."""
        self._config = config

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SafetyClassifier:
        """Make the classifier; there is nothing in the model. Its words are the shipped lexicon's."""
        reading_of("")
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Put a red flag's intent at the top of the ranking."""
        for message in messages:
            ranking = message.get(INTENT_RANKING) or []
            meanings = message.get(MEANINGS) or {}
            found = self._by_words(message, ranking)
            least = "any_self_harm" if _likeliest(ranking) == SELF_HARM else "any_sign"
            unlikely = meanings.get(IN_A_PART, 1.0) < self._config[least]
            if found is None and len((message.get(TEXT) or "").split()) > LONGEST:
                found = self._by_meaning([], message.get(SENTENCE_RANKINGS) or [])
                ranking = _lowered(ranking)
            elif found is None and unlikely and _likely(ranking, RED_FLAGS) < self._config["sure"]:
                ranking = _lowered(ranking)
            elif found is None:
                found = self._by_meaning(ranking, message.get(SENTENCE_RANKINGS) or [])
                found = found or self._by_sign(meanings, ranking)
                if found and found[0] in _denied(message.get(TEXT) or "", meanings.get(SIGNS) or {}):
                    ranking = _lowered(ranking, (found[0],))
                    found = None
            if found is not None:
                ranking = _lifted(ranking, *found)
            self._set(message, ranking[:KEPT])
        forget()
        return messages

    @staticmethod
    def _set(message: Message, ranking: Ranking) -> None:
        if ranking:
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set(INTENT_RANKING, ranking, add_to_output=True)

    def _by_sign(self, meanings: dict[str, Any], ranking: Ranking) -> tuple[str, float] | None:
        signs: dict[str, float] = meanings.get(SIGNS) or {}
        clearly_else = _top(ranking) not in _TELLING and ranking[0][PREDICTED_CONFIDENCE_KEY] >= SURE
        if not signs or meanings[ANY_SIGN] < self._config["sure_sign"] or clearly_else:
            return None
        sign = max(signs, key=lambda name: signs[name])
        if sign in _NOT_ALWAYS_URGENT:
            return None
        return _INTENT_OF_SIGN.get(sign, EMERGENCY), meanings[ANY_SIGN]

    def _by_words(self, message: Message, ranking: Ranking) -> tuple[str, float] | None:
        intent = _told(message)
        if intent is None or (intent == EMERGENCY and _top(ranking) == "correct_answer"):
            return None
        clearly_else = _top(ranking) not in (None, "describe_spotting")
        if clearly_else and _likely(ranking, RED_FLAGS) < self._config["unlikely"]:
            return None
        return intent, 1.0

    def _by_meaning(self, ranking: Ranking, sentences: list[Ranking]) -> tuple[str, float] | None:
        likely = _likely(ranking, RED_FLAGS)
        if likely >= self._config["likely"]:
            return str(_likeliest(ranking)), max(likely, self._config["confidence"])
        for sentence in sentences:
            intent = _top(sentence)
            if intent in RED_FLAGS and _likely(sentence, (intent,)) >= self._config["likely_in_sentence"]:
                return intent, _likely(sentence, (intent,))
        return None


def _told(message: Message) -> str | None:
    """The red flag that the lexicon finds, without the mentions that are most unlikely told."""
    text = message.get(TEXT) or ""
    facts = reading_of(text).facts
    unlikely = set(map(tuple, (message.get(TOLD) or {}).get("unlikely", ())))
    if unlikely & facts_in(facts):
        facts = default_reader().read(text, unlikely=unlikely).facts
    details = set(facts.get("details", ()))
    if "self_harm" in details:
        return SELF_HARM
    if facts.get("consent") == "unwanted" or details & {"in_danger", "choked_or_drugged"}:
        return ASSAULT
    return EMERGENCY if ONLY_URGENT & set(facts.get("danger_signs", ())) else None


def _denied(text: str, signs: Collection[str]) -> set[str]:
    """The red flags that the words deny, or of whose `signs` a number rules out each ("a pad in 6 hours")."""
    reading = reading_of(text)
    denied = {
        ASSAULT: reading.facts.get("consent") == "wanted",
        SELF_HARM: "self_harm" in reading.denied.get("details", ()),
        EMERGENCY: bool(signs) and reading.ruled_out.issuperset(signs),
    }
    return {intent for intent, is_denied in denied.items() if is_denied}


def _lowered(ranking: Ranking, intents: Collection[str] = RED_FLAGS) -> Ranking:
    """The ranking with these intents last; what they had is shared by the others."""
    rest = [entry for entry in ranking if entry[INTENT_NAME_KEY] not in intents]
    total = sum(entry[PREDICTED_CONFIDENCE_KEY] for entry in rest)
    if not total:
        return ranking
    flags = [{**entry, PREDICTED_CONFIDENCE_KEY: 0.0} for entry in ranking if entry not in rest]
    shared = [{**entry, PREDICTED_CONFIDENCE_KEY: entry[PREDICTED_CONFIDENCE_KEY] / total} for entry in rest]
    return [*shared, *flags]


def _lifted(ranking: Ranking, intent: str, confidence: float) -> Ranking:
    """The ranking with an intent first; the others share what is left."""
    rest = [entry for entry in ranking if entry[INTENT_NAME_KEY] != intent]
    confidence = max(confidence, _likely(ranking, (intent,)))
    share = (1 - confidence) / (sum(entry[PREDICTED_CONFIDENCE_KEY] for entry in rest) or 1)
    first = {INTENT_NAME_KEY: intent, PREDICTED_CONFIDENCE_KEY: confidence}
    return [
        first,
        *({**entry, PREDICTED_CONFIDENCE_KEY: entry[PREDICTED_CONFIDENCE_KEY] * share} for entry in rest),
    ]


def _top(ranking: Ranking) -> str | None:
    return ranking[0][INTENT_NAME_KEY] if ranking else None


def _likely(ranking: Ranking, intents: tuple[str, ...]) -> float:
    """How likely it is that one of these intents is meant."""
    return float(
        sum(entry[PREDICTED_CONFIDENCE_KEY] for entry in ranking if entry[INTENT_NAME_KEY] in intents)
    )


def _likeliest(ranking: Ranking) -> str | None:
    """The red flag that stands highest."""
    return next((entry[INTENT_NAME_KEY] for entry in ranking if entry[INTENT_NAME_KEY] in RED_FLAGS), None)
