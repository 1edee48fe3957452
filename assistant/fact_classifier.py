"""Facts by meaning, where no phrase of the lexicon fits: a danger sign in odd words, an unforeseen answer.

It learns from the examples in `knowledge/answers.yml` and `knowledge/signs.yml`, and from the messages in
`knowledge/messages.yml` what tells of a sign and what does not. What follows from how likely a fact is, and
that the words of the lexicon come first, is decided in `spotwise.dialogue`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from assistant.intent_classifier import SENTENCES, is_featurised, vectors_of
from assistant.learner import Learner
from assistant.linear import DEFAULTS, LinearClassifier, marks_of_all
from assistant.sentence_encoder import sentence_model
from spotwise.knowledge import DEFAULT_FOLDER

MEANINGS = "meanings"
"""Where a message keeps what it may mean: slot -> [value, how likely], and "signs": sign -> how likely."""
SIGNS = "signs"
ANY_SIGN = "any_sign"
"""Beside them: how likely it is that the message means one sign or another."""
IN_A_PART = "in_a_part"
"""How likely it is that the message, or a sentence of it, does."""
SURE_PART = 0.995
"""From here on a sentence counts as much as the message; below, long messages would seem urgent too often."""
OTHER = "other"
"""The label of what answers nothing, and of what is no sign."""
OF_NO_SIGN = 3
"""One in so many messages that tell of no sign is learnt from; with all of them, learning takes longer."""
KEPT_FROM = 0.2
"""How likely a meaning has to be for being kept."""

_IN_ANY_SLOT = frozenset(
    {"none", "unsure", "undisclosed", "yes", "no", "possible", "wanted", "unwanted", OTHER}
)
"""Values that are said alike to several questions."""

_SIGN_OF_INTENT = {
    "report_assault": "assault",
    "report_self_harm": "self_harm",
    "report_emergency": None,  # of one sign or another
    "correct_answer": None,
    "ask_pregnancy": None,
}

_LIGHT = frozenset({"fact bleeding_amount spotting", "fact bleeding_amount light"})
"""Marks of an example that tells of little blood, and so of no sign."""

GRAVE = frozenset(
    {
        ("pregnancy", "yes"),
        ("pregnancy", "possible"),
        ("bleeding_amount", "heavy"),
        ("bleeding_amount", "very_heavy"),
        ("pain", "severe"),
        ("consent", "undisclosed"),
        ("age_group", "under_13"),
        ("age_group", "13_15"),
        ("medical_history", "recent_birth"),
        ("medical_history", "recent_procedure"),
        ("medical_history", "blood_thinner"),
        ("medical_history", "bleeding_disorder"),
        ("medical_history", "weak_immune_system"),
        ("circumstances", "object_left_inside"),
        ("circumstances", "sharp_object"),
    }
)
"""Facts with which it hangs on more than they tell whether a message is urgent."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class FactClassifier(Learner):
    """Tells which fact a message may mean, for each question, and which danger sign."""

    @classmethod
    def required_components(cls) -> list[type]:
        """The sentence encoder has to come before."""
        return [Featurizer]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The settings of the linear classifier."""
        return dict(DEFAULTS)

    _classifier: LinearClassifier | None = None

    def learn(self, training_data: TrainingData) -> None:
        """Learn from the examples in `knowledge/`, and from those of the intents what is no sign."""
        texts, labels = labelled(examples_in(DEFAULT_FOLDER), one_in=OF_NO_SIGN)
        messages = [message for message in training_data.intent_examples if is_featurised(message)]
        marks = marks_of_all([message.get(TEXT) for message in messages])
        signs = map(sign_of, messages, marks)
        more = [(message, sign) for message, sign in zip(messages, signs, strict=True) if sign is not None]
        for question, given in labels.items():
            given += [sign if question == SIGNS else None for _, sign in more]
        vectors = np.vstack([sentence_model().encode(texts), vectors_of(message for message, _ in more)])
        texts += [message.get(TEXT) for message, _ in more]
        self._classifier = LinearClassifier.learnt(texts, vectors, labels, self._config)

    def keep(self, folder: Path) -> None:
        """Write the linear classifier."""
        assert self._classifier is not None
        self._classifier.save(folder)

    def recall(self, folder: Path) -> None:
        """Read the linear classifier."""
        self._classifier = LinearClassifier.load(folder, self._config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Note what messages may mean."""
        for message in messages:
            if self._classifier is not None and is_featurised(message):
                message.set(MEANINGS, self._meanings(message), add_to_output=True)
        return messages

    def _meanings(self, message: Message) -> dict[str, Any]:
        assert self._classifier is not None
        whole = self._classifier.rankings([message.get(TEXT)], vectors_of([message]))[0]
        sentences = self._classifier.rankings(*message.get(SENTENCES)) if message.get(SENTENCES) else []
        likely = [(1 - dict(part[SIGNS])[OTHER], part) for part in (whole, *sentences)]
        counted = [likely[0], *(part for part in likely[1:] if part[0] >= SURE_PART)]
        any_sign, best = max(counted, key=lambda part: part[0])
        answers = {slot: ranking[0] for slot, ranking in whole.items() if slot != SIGNS}
        return {
            ANY_SIGN: any_sign,
            IN_A_PART: max(part[0] for part in likely),
            SIGNS: {sign: share for sign, share in best[SIGNS] if sign != OTHER and share >= KEPT_FROM},
            **{
                slot: [value, share]
                for slot, (value, share) in answers.items()
                if value != OTHER and share >= KEPT_FROM
            },
        }


@dataclass(frozen=True)
class Examples:
    """What is learnt from."""

    answers: Mapping[str, Mapping[str, Sequence[str]]]
    """Slot -> value -> texts."""
    signs: Mapping[str, Sequence[str]]
    """Sign -> texts."""
    messages: Sequence[Mapping[str, Any]]
    """Texts with all the facts that they tell."""


@lru_cache(maxsize=1)
def examples_in(folder: Path) -> Examples:
    """The examples of a knowledge folder."""
    answers, signs, messages = (
        yaml.load((folder / f"{name}.yml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)[name]
        for name in ("answers", "signs", "messages")
    )
    return Examples(answers, signs, messages)


def labelled(examples: Examples, one_in: int = 1) -> tuple[list[str], dict[str, list[str | None]]]:
    """All texts, and for each question the label of every text; None where it does not count.

    A harmless answer to a question is an example of no sign, too. Of the messages that tell of no sign,
    `one_in` so many is taken.
    """
    without = count()
    texts: list[str] = []
    labels: dict[str, list[str | None]] = {question: [] for question in (*examples.answers, SIGNS)}
    for slot, values in examples.answers.items():
        for value, some in values.items():
            for text in some:
                texts.append(text)
                for question in labels:
                    labels[question].append(_label(question, slot, value))
    for sign, some in examples.signs.items():
        for text in some:
            texts.append(text)
            for question in labels:
                danger = question == "danger_signs" and sign in examples.answers[question]
                labels[question].append(sign if danger or question == SIGNS else None)
    for message in examples.messages:
        found = sign_among(message["facts"], message.get("may", {}))
        if found is None or "asked" in message:
            continue
        if found != OTHER or next(without) % one_in == 0:
            texts.append(message["text"])
            for question in labels:
                labels[question].append(found if question == SIGNS else None)
    return texts, labels


def sign_among(facts: Mapping[str, Any], may: Mapping[str, Any]) -> str | None:
    """The sign that a message with these facts tells; None where it could be one or not."""
    dangers = [sign for sign in facts.get("danger_signs", ()) if sign not in _IN_ANY_SLOT]
    if dangers:
        return str(dangers[0])
    if facts.get("consent") == "unwanted":
        return "assault"
    if may.get("danger_signs") or may.get("consent") or "unsure" in facts.get("danger_signs", ()):
        return None
    told = {
        (slot, one) for slot, some in facts.items() for one in (some if isinstance(some, list) else [some])
    }
    return None if told & GRAVE else OTHER


def sign_of(message: Message, marks: Sequence[str]) -> str | None:
    """The sign that an example of an intent stands for; None where it could be one or not."""
    intent = message.get(INTENT)
    if intent in _SIGN_OF_INTENT:
        return _SIGN_OF_INTENT[intent]
    if intent == "describe_spotting":
        return OTHER if _LIGHT.intersection(marks) else None
    return OTHER


def _label(question: str, slot: str, value: str) -> str | None:
    """The label of an answer to `slot` for another question."""
    if question == slot:
        return value
    if question == SIGNS:
        if slot == "danger_signs":
            return OTHER if value in _IN_ANY_SLOT else value
        urgent = (slot, value) in {
            ("bleeding_amount", "very_heavy"),
            ("pain", "severe"),
            ("consent", "unwanted"),
        }
        return None if urgent or slot == "pregnancy" else OTHER
    return None
