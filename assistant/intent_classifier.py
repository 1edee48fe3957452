"""Which of the intents a message has, by a linear classifier (`assistant.linear`).

A message of several sentences is classified as a whole and sentence by sentence: a red flag may stand in one
of many.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.shared.nlu.constants import (
    FEATURE_TYPE_SENTENCE,
    INTENT,
    INTENT_NAME_KEY,
    PREDICTED_CONFIDENCE_KEY,
    TEXT,
)
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from assistant.learner import Learner
from assistant.linear import DEFAULTS, LinearClassifier, Vectors
from assistant.sentence_encoder import sentence_model

INTENT_RANKING = "intent_ranking"
SENTENCES = "sentences"
"""Where a message of several sentences keeps them, each with its vector."""
SENTENCE_RANKINGS = "sentence_rankings"
"""Where it keeps the ranking of each, for the classifier of red flags."""

_SENTENCE = re.compile(r"[^.!?;\n]+[.!?;\n]*")
_SHORTEST_SENTENCE = 3
_MOST_SENTENCES = 12

Ranking = list[dict[str, Any]]
"""As Rasa wants it: entries with a name and a confidence, best first."""


def sentences_of(text: str) -> list[str]:
    """The sentences of a text that has several; too short ones left out."""
    found = [part.strip() for part in _SENTENCE.findall(text)]
    found = [part for part in found if len(part.split()) >= _SHORTEST_SENTENCE and part != text.strip()]
    return found[:_MOST_SENTENCES]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IntentClassifier(Learner):
    """Ranks the intents of a message."""

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
        """Learn from the examples."""
        examples = [example for example in training_data.intent_examples if is_featurised(example)]
        self._classifier = LinearClassifier.learnt(
            [example.get(TEXT) for example in examples],
            vectors_of(examples),
            {INTENT: [example.get(INTENT) for example in examples]},
            self._config,
        )

    def keep(self, folder: Path) -> None:
        """Write the linear classifier."""
        assert self._classifier is not None
        self._classifier.save(folder)

    def recall(self, folder: Path) -> None:
        """Read the linear classifier."""
        self._classifier = LinearClassifier.load(folder, self._config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Rank the intents of messages."""
        for message in messages:
            ranking: Ranking = []
            if self._classifier is not None and is_featurised(message):
                ranking = self._rankings([message.get(TEXT)], vectors_of([message]))[0]
                sentences = sentences_of(message.get(TEXT))
                if sentences:
                    vectors = sentence_model().encode(sentences)
                    message.set(SENTENCES, (sentences, vectors))
                    message.set(SENTENCE_RANKINGS, self._rankings(sentences, vectors))
            intent = ranking[0] if ranking else {INTENT_NAME_KEY: None, PREDICTED_CONFIDENCE_KEY: 0.0}
            message.set(INTENT, intent, add_to_output=True)
            message.set(INTENT_RANKING, ranking, add_to_output=True)
        return messages

    def _rankings(self, texts: Sequence[str], vectors: Vectors) -> list[Ranking]:
        """All intents for each text, best first."""
        assert self._classifier is not None
        return [
            [{INTENT_NAME_KEY: name, PREDICTED_CONFIDENCE_KEY: likely} for name, likely in ranked[INTENT]]
            for ranked in self._classifier.rankings(texts, vectors)
        ]


def is_featurised(message: Message) -> bool:
    """Whether a message has words, and so a vector."""
    return bool((message.get(TEXT) or "").strip()) and bool(_vectors_in(message))


def vectors_of(messages: Iterable[Message]) -> Vectors:
    """The vectors of the sentence encoder, one row a message."""
    return np.vstack([_vectors_in(message)[0] for message in messages])


def _vectors_in(message: Message) -> list[Vectors]:
    """What the sentence encoder added to a message; Rasa's own way to ask for it makes a copy each time."""
    return [
        some.features
        for some in message.features
        if some.attribute == TEXT and some.type == FEATURE_TYPE_SENTENCE and some.is_dense()
    ]
