"""A linear classifier over the meaning of a message, its words, and the facts that the lexicon finds in it.

It learns in seconds from a few thousand examples and answers in a millisecond. One set of features can serve
several questions at once, each with its own labels. It was chosen by what docs/evaluation.md tells.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sparse
from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]
from sklearn.svm import LinearSVC  # type: ignore[import-untyped]

from assistant.cores import MANY, in_processes, in_threads
from spotwise.content import Cause
from spotwise.knowledge import load_knowledge
from spotwise.lookup import CauseFinder
from spotwise.reading import Reading, default_reader

DEFAULTS: Mapping[str, float] = {
    "meaning_weight": 1.0,  # of the sentence encoder's features
    "marks_weight": 0.3,  # of what the lexicon finds; here and below 0 leaves them out
    "words_weight": 1.0,  # of words and pairs of words
    "parts_weight": 1.0,  # of parts of words
    "C": 0.3,  # how closely the examples are followed
    "sharpness": 4.0,  # makes the confidence match how often the classifier is right
    "random_state": 42,
}
"""The settings, as measured in docs/evaluation.md."""

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_LONGEST_COUNTED = 6

Vectors = np.ndarray[Any, Any]
Ranking = list[tuple[str, float]]
"""Labels with how likely each is, best first."""


@lru_cache(maxsize=16)
def reading_of(text: str) -> Reading:
    """What a message says on its own. The components share it; the last of them forgets it again."""
    return default_reader().read(text)


@lru_cache(maxsize=16)
def spelt(text: str) -> str:
    """The words of a message as the lexicon spells them; shared and forgotten like what they say."""
    return default_reader().words_of(text)


@lru_cache(maxsize=1)
def cause_finder() -> CauseFinder:
    """The names of the shipped causes."""
    return CauseFinder(load_knowledge().causes)


@lru_cache(maxsize=16)
def causes_named_in(text: str) -> tuple[Cause, ...]:
    """The causes that a message names; shared and forgotten like what it says."""
    return cause_finder().named_in(text)


@lru_cache(maxsize=16)
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
    if causes_named_in(text):
        marks.append("cause")
    if "?" in text:
        marks.append("question mark")
    marks.append(f"length {min(_LONGEST_COUNTED, len(text.split()) // 2)}")
    return marks


def words_of(text: str) -> str:
    """The words of a message, spelt in one way, with every number alike."""
    return _NUMBER.sub("9", spelt(text))


def forget() -> None:
    """Keep nothing of what people wrote."""
    for kept in (reading_of, spelt, causes_named_in, marks_of, parts_of):
        kept.cache_clear()


class Parts(NamedTuple):
    """The words and pairs of words of a text, or its parts of words, as far as some classifier knows them."""

    numbers: Vectors
    """Those of `_numbering`, each once."""
    often: Vectors


class Numbering:
    """Gives each word and part of a word that a classifier knows a number: looked up once for all of them."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._numbers: dict[str, int] = {}
        self._parts: list[str] = []

    def of(self, part: str) -> int:
        """The number of a part, a new one where it has none yet."""
        number = self._numbers.setdefault(part, len(self._parts))
        if number == len(self._parts):
            self._parts.append(part)
        return number

    def part(self, number: int) -> str:
        """The part that has a number."""
        return self._parts[number]

    def known(self, counts: Mapping[str, int]) -> Parts:
        """Parts by their numbers, with how often each is there; those that nobody knows are left out."""
        known = {self._numbers[part]: times for part, times in counts.items() if part in self._numbers}
        numbers = np.fromiter(known, dtype=np.intp, count=len(known))
        return Parts(numbers, np.fromiter(known.values(), dtype=float, count=len(known)))


_numbering = Numbering()


@lru_cache(maxsize=16)
def parts_of(words: str) -> list[Parts]:
    """How often each word and pair of words is in a text, and each part of a word; shared and forgotten."""
    return [_numbering.known(Counter(analyse(words))) for analyse in _analysers()]


@lru_cache(maxsize=1)
def _analysers() -> list[Callable[[str], list[str]]]:
    return [vectorizer.build_analyzer() for vectorizer in _vectorizers()]


@dataclass(frozen=True)
class Counted:
    """What a fitted TfidfVectorizer knows; of a single message it makes the same row, but faster."""

    numbers: Vectors
    """Those of `_numbering`, in the order of a row's places."""
    idf: Vectors
    _places: Vectors
    """The place of each number, -1 where it has none; the highest numbers are left out."""

    @classmethod
    def of(cls, vocabulary: Sequence[str], idf: Vectors) -> Counted:
        """These words or parts of words, with what each counts."""
        parts_of.cache_clear()  # what was looked up before lacks them
        numbers = np.array([_numbering.of(part) for part in vocabulary], dtype=np.int32)
        places = np.full(numbers.max(initial=-1) + 1, -1, dtype=np.int32)
        places[numbers] = np.arange(len(numbers))
        return cls(numbers, idf, places)

    @property
    def vocabulary(self) -> list[str]:
        """The words or parts of words, in the order of a row's places."""
        return [_numbering.part(number) for number in self.numbers.tolist()]

    @classmethod
    def by(cls, vectorizer: TfidfVectorizer) -> Counted:
        """Take over what a vectorizer learnt."""
        return cls.of(sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.__getitem__), vectorizer.idf_)

    def row(self, parts: Parts) -> tuple[Vectors, Vectors]:
        """The places of a row that are not nought, and what stands there: shared logarithms, of length 1."""
        early = parts.numbers < len(self._places)
        places = self._places[parts.numbers[early]]
        known = places >= 0
        places = places[known]
        numbers = (1 + np.log(parts.often[early][known])) * self.idf[places]
        return places, numbers / (np.linalg.norm(numbers) or 1.0)


class Features:
    """Turns messages into numbers: meaning, marks, words and parts of words, in this order."""

    def __init__(self, marks: Sequence[str], counted: Sequence[Counted], config: Mapping[str, float]) -> None:
        """Use these marks and these counted words and parts of words."""
        self.marks = tuple(marks)
        self.counted = tuple(counted)
        self._config = config
        self._places = {mark: place for place, mark in enumerate(self.marks)}

    @classmethod
    def learnt(
        cls, texts: Sequence[str], vectors: Vectors, config: Mapping[str, float]
    ) -> tuple[Features, sparse.csr_matrix]:
        """Learn the marks and words that occur in the training examples; also gives their rows."""
        marks = _marks_that_count(texts, config)
        words = [words_of(text) for text in texts]
        vectorizers = _vectorizers()
        counted = [vectorizer.fit_transform(words) for vectorizer in vectorizers]
        features = cls(
            sorted({mark for some in marks for mark in some}),
            [Counted.by(vectorizer) for vectorizer in vectorizers],
            config,
        )
        dense = sparse.csr_matrix(features._dense(marks, vectors))
        weighted = [weight * rows for weight, rows in zip(features._weights, counted, strict=True)]
        return features, sparse.hstack([dense, *weighted], format="csr")

    def scores(self, texts: Sequence[str], vectors: Vectors, weights: Vectors) -> Vectors:
        """The rows of messages times the weights of a classifier, one column a label."""
        dense = self._dense(_marks_that_count(texts, self._config), vectors)
        found: Vectors = dense @ weights[: dense.shape[1]]
        for row, text in zip(found, texts, strict=True):
            start = dense.shape[1]
            for weight, counted, parts in zip(
                self._weights, self.counted, parts_of(words_of(text)), strict=True
            ):
                places, numbers = counted.row(parts)
                row += (weight * numbers).astype(np.float32) @ weights[start + places]
                start += len(counted.numbers)
        return found

    # --- keeping: plain names and numbers, no pickled objects ---

    def names(self) -> dict[str, Any]:
        """The names to keep."""
        return {"marks": self.marks, "vocabularies": [some.vocabulary for some in self.counted]}

    def numbers(self) -> dict[str, Vectors]:
        """The numbers to keep."""
        return {f"idf{place}": some.idf for place, some in enumerate(self.counted)}

    @classmethod
    def kept(
        cls, names: Mapping[str, Any], numbers: Mapping[str, Vectors], config: Mapping[str, Any]
    ) -> Features:
        """What `names` and `numbers` gave."""
        counted = [
            Counted.of(vocabulary, numbers[f"idf{place}"])
            for place, vocabulary in enumerate(names["vocabularies"])
        ]
        return cls(names["marks"], counted, config)

    @property
    def _weights(self) -> tuple[float, float]:
        return self._config["words_weight"], self._config["parts_weight"]

    def _dense(self, found: Sequence[Sequence[str]], vectors: Vectors) -> Vectors:
        marks = np.zeros((len(found), len(self.marks)), dtype=np.float32)
        for row, some in enumerate(found):
            for mark in some:
                if mark in self._places:
                    marks[row, self._places[mark]] = self._config["marks_weight"]
        return np.hstack([self._config["meaning_weight"] * vectors, marks])


_learnt_from: dict[str, list[str]] = {}
"""The marks of the training examples, which the classifiers share."""


def marks_of_all(texts: Sequence[str]) -> list[list[str]]:
    """The marks of each text; where there are many, read once and on all cores."""
    if len(texts) < MANY:
        return [marks_of(text) for text in texts]
    new = [text for text in dict.fromkeys(texts) if text not in _learnt_from]
    default_reader(), cause_finder()  # loaded here once, and not by every copy of this process
    _learnt_from.update(zip(new, in_processes(marks_of, new, chunk=200), strict=True))
    return [_learnt_from[text] for text in texts]


def _marks_that_count(texts: Sequence[str], config: Mapping[str, float]) -> list[list[str]]:
    """The marks of each text; none where they have no weight."""
    return marks_of_all(texts) if config["marks_weight"] else [[] for _ in texts]


def _vectorizers() -> list[TfidfVectorizer]:
    """One for words and pairs of words, one for parts of words: these survive slips of typing."""
    kinds: list[dict[str, Any]] = [
        {"analyzer": "word", "token_pattern": r"\S+", "ngram_range": (1, 2)},
        {"analyzer": "char_wb", "ngram_range": (2, 5)},
    ]
    return [TfidfVectorizer(**kind, sublinear_tf=True, min_df=2) for kind in kinds]


def _fitted(rows: sparse.csr_matrix, closely: float, seed: int, given: Sequence[str | None]) -> LinearSVC:
    """What tells the labels of one question apart, learnt from the rows that have one."""
    places = [place for place, label in enumerate(given) if label is not None]
    machine = LinearSVC(C=closely, class_weight="balanced", random_state=seed)
    return machine.fit(rows[places], [given[place] for place in places])


_share = itemgetter(1)


class LinearClassifier:
    """Ranks the labels of one or more questions about a message."""

    def __init__(
        self,
        features: Features,
        labels: Mapping[str, Sequence[str]],
        weights: Vectors,
        bias: Vectors,
        sharpness: float,
    ) -> None:
        """`labels` are those of each question, in the order of the columns of `weights`."""
        self._features = features
        self._labels = {question: tuple(some) for question, some in labels.items()}
        self._weights = weights
        self._bias = bias
        self._sharpness = sharpness

    @classmethod
    def learnt(
        cls,
        texts: Sequence[str],
        vectors: Vectors,
        answers: Mapping[str, Sequence[str | None]],
        config: Mapping[str, Any],
    ) -> LinearClassifier:
        """Learn from texts; `answers` has a question's label for each, None where it does not count."""
        features, rows = Features.learnt(texts, vectors, config)
        labels, weights, bias = {}, [], []
        fitted = in_threads(partial(_fitted, rows, config["C"], config["random_state"]), answers.values())
        for question, machine in zip(answers, fitted, strict=True):
            labels[question] = [str(label) for label in machine.classes_]
            if len(labels[question]) == 2:  # scikit-learn keeps one column for two labels
                weights.append(np.hstack([-machine.coef_.T, machine.coef_.T]))
                bias.append(np.hstack([-machine.intercept_, machine.intercept_]))
            else:
                weights.append(machine.coef_.T)
                bias.append(machine.intercept_)
        return cls(
            features,
            labels,
            np.ascontiguousarray(np.hstack(weights), dtype=np.float32),
            np.hstack(bias).astype(np.float32),
            config["sharpness"],
        )

    def rankings(self, texts: Sequence[str], vectors: Vectors) -> list[dict[str, Ranking]]:
        """For each text the ranking of every question."""
        scores = self._features.scores(texts, vectors, self._weights) + self._bias
        sizes = [len(labels) for labels in self._labels.values()]
        starts = np.cumsum([0, *sizes[:-1]])
        most = np.repeat(np.maximum.reduceat(scores, starts, axis=1), sizes, axis=1)
        likely = np.exp(self._sharpness * (scores - most))
        likely /= np.repeat(np.add.reduceat(likely, starts, axis=1), sizes, axis=1)
        found: list[dict[str, Ranking]] = [{} for _ in texts]
        for row, ranked in zip(likely.tolist(), found, strict=True):
            for (question, labels), start in zip(self._labels.items(), starts, strict=True):
                some = zip(labels, row[start : start + len(labels)], strict=True)
                ranked[question] = sorted(some, key=_share, reverse=True)
        return found

    # --- keeping ---

    def save(self, folder: Path) -> None:
        """Write what was learnt."""
        learnt = {"labels": self._labels, **self._features.names()}
        (folder / "learnt.json").write_text(json.dumps(learnt), encoding="utf-8")
        np.savez(folder / "learnt.npz", weights=self._weights, bias=self._bias, **self._features.numbers())

    @classmethod
    def load(cls, folder: Path, config: Mapping[str, Any]) -> LinearClassifier:
        """Read what was learnt."""
        learnt = json.loads((folder / "learnt.json").read_text(encoding="utf-8"))
        with np.load(folder / "learnt.npz", allow_pickle=False) as numbers:
            features = Features.kept(learnt, numbers, config)
            return cls(features, learnt["labels"], numbers["weights"], numbers["bias"], config["sharpness"])
