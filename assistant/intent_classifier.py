"""Which of the intents a message has: a linear classifier over its meaning, its words and the facts in it.

It learns in seconds from a few thousand examples, answers in a millisecond, and its confidence is about how
often it is right (docs/nlu.md has the measurements that it was chosen by).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.sparse as sparse
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier as RasaIntentClassifier
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.shared.nlu.constants import INTENT, INTENT_NAME_KEY, PREDICTED_CONFIDENCE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]
from sklearn.svm import LinearSVC  # type: ignore[import-untyped]

from assistant.sentence_encoder import sentence_model
from spotwise.knowledge import load_knowledge
from spotwise.lookup import CauseFinder
from spotwise.reading import Reading, default_reader
from spotwise.words import normalise

INTENT_RANKING = "intent_ranking"
SENTENCE_RANKINGS = "sentence_rankings"
"""Where a message of several sentences keeps the ranking of each, for the classifier of red flags."""

_SENTENCE = re.compile(r"[^.!?;\n]+[.!?;\n]*")
_SHORTEST_SENTENCE = 3
_MOST_SENTENCES = 12

Ranking = list[dict[str, Any]]

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_LONGEST_COUNTED = 6


@lru_cache(maxsize=16)
def reading_of(text: str) -> Reading:
    """What a message says on its own. The components share it; the last of them forgets it again."""
    return default_reader().read(text)


@lru_cache(maxsize=1)
def cause_finder() -> CauseFinder:
    """The names of the shipped causes."""
    return CauseFinder(load_knowledge().causes)


def marks_of(text: str) -> list[str]:
    """What the lexicon finds in a message, as marks that can be learnt from."""
    reading = reading_of(text)
    marks = [f"fact {slot}" for slot in reading.facts]
    for slot, value in reading.facts.items():
        values = value if isinstance(value, list) else [value]
        marks += [f"fact {slot} {one}" for one in values if isinstance(one, str)]
    marks += [f"denied {slot}" for slot in reading.denied]
    if reading.facts:
        marks.append("some fact")
    if reading.answer:
        marks.append(f"answer {reading.answer}")
    if reading.correction:
        marks.append("correction")
    if reading.back:
        marks.append("back")
    if cause_finder().named_in(text):
        marks.append("cause")
    if "?" in text:
        marks.append("question mark")
    marks.append(f"length {min(_LONGEST_COUNTED, len(text.split()) // 2)}")
    return marks


def words_of(text: str) -> str:
    """The words of a message, spelt in one way, with every number alike."""
    return _NUMBER.sub("9", normalise(text))


def sentences_of(text: str) -> list[str]:
    """The sentences of a text that has several; too short ones left out."""
    found = [part.strip() for part in _SENTENCE.findall(text)]
    found = [part for part in found if len(part.split()) >= _SHORTEST_SENTENCE and part != text.strip()]
    return found[:_MOST_SENTENCES]


class Features:
    """Turns messages into rows of numbers: meaning, marks, words and parts of words."""

    def __init__(self, marks: Sequence[str], counted: Sequence[TfidfVectorizer], weights: dict[str, float]):
        """Use these marks and these fitted vectorizers."""
        self.marks = tuple(marks)
        self.counted = tuple(counted)
        self.weights = weights
        self._places = {mark: place for place, mark in enumerate(self.marks)}

    @classmethod
    def learnt(
        cls, texts: Sequence[str], vectors: np.ndarray[Any, Any], weights: dict[str, float]
    ) -> tuple[Features, sparse.csr_matrix]:
        """Learn the marks and words that occur in the training examples; also gives their rows."""
        marks = [marks_of(text) for text in texts]
        words = [words_of(text) for text in texts]
        counted = [vectorizer.fit(words) for vectorizer in _vectorizers(None, None)]
        features = cls(sorted({mark for some in marks for mark in some}), counted, weights)
        return features, features._rows(marks, words, vectors)

    def rows(self, texts: Sequence[str], vectors: np.ndarray[Any, Any]) -> sparse.csr_matrix:
        """One row a message, given the vectors of the sentence encoder."""
        return self._rows([marks_of(text) for text in texts], [words_of(text) for text in texts], vectors)

    def _rows(
        self, found: Sequence[Sequence[str]], words: Sequence[str], vectors: np.ndarray[Any, Any]
    ) -> sparse.csr_matrix:
        marks = np.zeros((len(words), len(self.marks)), dtype=np.float32)
        for row, some in enumerate(found):
            for mark in some:
                if mark in self._places:
                    marks[row, self._places[mark]] = self.weights["marks_weight"]
        dense = sparse.csr_matrix(np.hstack([self.weights["meaning_weight"] * vectors, marks]))
        return sparse.hstack(
            [dense, *(vectorizer.transform(words) for vectorizer in self.counted)], format="csr"
        )


def _vectorizers(
    vocabularies: Sequence[dict[str, int]] | None, weights: Sequence[np.ndarray[Any, Any]] | None
) -> list[TfidfVectorizer]:
    """One for words and pairs of words, one for parts of words: these survive slips of typing."""
    kinds: list[dict[str, Any]] = [
        {"analyzer": "word", "token_pattern": r"\S+", "ngram_range": (1, 2)},
        {"analyzer": "char_wb", "ngram_range": (2, 5)},
    ]
    if vocabularies is None or weights is None:
        return [TfidfVectorizer(**kind, sublinear_tf=True, min_df=2) for kind in kinds]
    made = []
    for kind, vocabulary, idf in zip(kinds, vocabularies, weights, strict=True):
        vectorizer = TfidfVectorizer(**kind, sublinear_tf=True, vocabulary=vocabulary)
        vectorizer.idf_ = idf
        made.append(vectorizer)
    return made


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IntentClassifier(GraphComponent, RasaIntentClassifier):
    """Ranks the intents of a message."""

    @classmethod
    def required_components(cls) -> list[type]:
        """The sentence encoder has to come before."""
        return [Featurizer]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The settings, as measured in docs/nlu.md."""
        return {
            "meaning_weight": 2.0,  # of the sentence encoder's features; those of words have 1
            "marks_weight": 0.3,  # of what the lexicon finds
            "C": 0.3,  # how closely the examples are followed
            "sharpness": 4.0,  # makes the confidence match how often the classifier is right
            "random_state": 42,
        }

    def __init__(self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource) -> None:
        """Begin untrained."""
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._features: Features | None = None
        self._names: list[str] = []
        self._weights = np.zeros((0, 0), dtype=np.float32)
        self._bias = np.zeros(0, dtype=np.float32)

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> IntentClassifier:
        """Make an untrained classifier."""
        return cls(config, model_storage, resource)

    # --- learning ---

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from the examples."""
        examples = [example for example in training_data.intent_examples if _is_featurised(example)]
        texts = [example.get(TEXT) for example in examples]
        self._features, rows = Features.learnt(texts, _vectors(examples), self._config)
        machine = LinearSVC(
            C=self._config["C"], class_weight="balanced", random_state=self._config["random_state"]
        )
        machine.fit(rows, [example.get(INTENT) for example in examples])
        self._names = [str(name) for name in machine.classes_]
        self._weights = np.ascontiguousarray(machine.coef_.T, dtype=np.float32)
        self._bias = machine.intercept_.astype(np.float32)
        self._persist()
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Leave the examples as they are: nothing after this learns from the predictions."""
        return training_data

    # --- predicting ---

    def process(self, messages: list[Message]) -> list[Message]:
        """Rank the intents of messages."""
        for message in messages:
            ranking: list[dict[str, Any]] = []
            if self._features is not None and _is_featurised(message):
                ranking = self.rankings([message.get(TEXT)], _vectors([message]))[0]
                sentences = sentences_of(message.get(TEXT))
                if sentences:
                    vectors = sentence_model().encode(sentences)
                    message.set(SENTENCE_RANKINGS, self.rankings(sentences, vectors))
            intent = ranking[0] if ranking else {INTENT_NAME_KEY: None, PREDICTED_CONFIDENCE_KEY: 0.0}
            message.set(INTENT, intent, add_to_output=True)
            message.set(INTENT_RANKING, ranking, add_to_output=True)
        return messages

    def rankings(self, texts: Sequence[str], vectors: np.ndarray[Any, Any]) -> list[Ranking]:
        """All intents for each text, best first."""
        assert self._features is not None
        scores = self._features.rows(texts, vectors) @ self._weights + self._bias
        likely = np.exp(self._config["sharpness"] * (scores - scores.max(axis=1, keepdims=True)))
        likely /= likely.sum(axis=1, keepdims=True)
        return [
            [
                {INTENT_NAME_KEY: self._names[place], PREDICTED_CONFIDENCE_KEY: float(row[place])}
                for place in np.argsort(-row, kind="stable")
            ]
            for row in likely
        ]

    # --- keeping ---

    def _persist(self) -> None:
        assert self._features is not None
        with self._model_storage.write_to(self._resource) as folder:
            learnt = {
                "names": self._names,
                "marks": self._features.marks,
                "vocabularies": [
                    sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.__getitem__)
                    for vectorizer in self._features.counted
                ],
            }
            (folder / "learnt.json").write_text(json.dumps(learnt), encoding="utf-8")
            idfs = {f"idf{i}": vectorizer.idf_ for i, vectorizer in enumerate(self._features.counted)}
            np.savez(folder / "learnt.npz", weights=self._weights, bias=self._bias, **idfs)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> IntentClassifier:
        """Load what was learnt: plain names and numbers, no pickled objects."""
        classifier = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder:
            learnt = json.loads((folder / "learnt.json").read_text(encoding="utf-8"))
            with np.load(folder / "learnt.npz", allow_pickle=False) as numbers:
                classifier._weights, classifier._bias = numbers["weights"], numbers["bias"]
                idfs = [numbers[f"idf{i}"] for i in range(len(learnt["vocabularies"]))]
        vocabularies = [dict(zip(v, range(len(v)), strict=True)) for v in learnt["vocabularies"]]
        classifier._names = learnt["names"]
        classifier._features = Features(learnt["marks"], _vectorizers(vocabularies, idfs), config)
        return classifier


def _is_featurised(message: Message) -> bool:
    return bool((message.get(TEXT) or "").strip()) and message.get_dense_features(TEXT)[1] is not None


def _vectors(messages: Iterable[Message]) -> np.ndarray[Any, Any]:
    return np.vstack([message.get_dense_features(TEXT)[1].features for message in messages])
