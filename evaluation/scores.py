"""The arithmetic of the evaluation: from what was wanted and what was found to figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Container, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class Pair:
    """The label that was wanted for a message, and the one that was found."""

    wanted: str
    found: str

    @property
    def right(self) -> bool:
        """Whether they are the same."""
        return self.wanted == self.found


@dataclass(frozen=True)
class Score:
    """Precision, recall and F1 of a label, and how many messages have it."""

    precision: float
    recall: float
    f1: float
    count: int


def share(which: Iterable[bool]) -> float:
    """The share that holds; 0 of none."""
    all_ = list(which)
    return sum(all_) / len(all_) if all_ else 0.0


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that `percent` of them do not exceed."""
    return float(np.percentile(values, percent))


def scores(pairs: Collection[Pair]) -> dict[str, Score]:
    """The score of every label that was wanted."""
    wanted, found = Counter(pair.wanted for pair in pairs), Counter(pair.found for pair in pairs)
    right = Counter(pair.wanted for pair in pairs if pair.right)
    return {
        label: Score(
            precision=right[label] / found[label] if found[label] else 0.0,
            recall=right[label] / count,
            f1=2 * right[label] / (count + found[label]),
            count=count,
        )
        for label, count in sorted(wanted.items())
    }


def macro_f1(pairs: Collection[Pair]) -> float:
    """The mean F1 over the labels that were wanted."""
    found = scores(pairs)
    return sum(score.f1 for score in found.values()) / len(found) if found else 0.0


# --- facts ---


@dataclass(frozen=True)
class FactResult:
    """The facts of one message: found, missed, and taken though not told."""

    found: frozenset[str]
    missed: frozenset[str]
    wrong: frozenset[str]

    @classmethod
    def of(
        cls, got: frozenset[str], stated: frozenset[str], may: frozenset[str], one_value: Container[str]
    ) -> FactResult:
        """Compare facts as "slot.value".

        What a message `may` state is right with and without. In a slot that holds `one_value` it can take the
        place of what is stated there.
        """
        taken = {slot_of(item) for item in got & may if slot_of(item) in one_value}
        stated = frozenset(item for item in stated if item in got or slot_of(item) not in taken)
        return cls(found=got & stated, missed=stated - got, wrong=got - stated - may)


@dataclass(frozen=True)
class FactScore:
    """How the facts of some messages were read."""

    messages: int
    stated: int
    precision: float
    recall: float
    with_wrong: float
    """Share of the messages from which a fact was taken that they don't tell."""


def slot_of(item: str) -> str:
    """The slot of "slot.value"."""
    return item.partition(".")[0]


def fact_score(results: Collection[FactResult]) -> FactScore:
    """Precision and recall over all facts together."""
    found, missed, wrong = (
        sum(len(getattr(result, name)) for result in results) for name in ("found", "missed", "wrong")
    )
    return FactScore(
        messages=len(results),
        stated=found + missed,
        precision=found / (found + wrong) if found + wrong else 1.0,
        recall=found / (found + missed) if found + missed else 1.0,
        with_wrong=share(bool(result.wrong) for result in results),
    )


# --- confidence ---


@dataclass(frozen=True)
class Bin:
    """Predictions of like confidence."""

    least: float
    below: float
    count: int
    confidence: float
    accuracy: float


def calibration(predictions: Collection[tuple[float, bool]], edges: Sequence[float]) -> list[Bin]:
    """How often predictions (confidence, right) are right, by confidence; bins without any are left out."""
    bins = []
    for least, below in pairwise(edges):
        some = [(sure, right) for sure, right in predictions if least <= sure < below]
        if some:
            mean = sum(sure for sure, _ in some) / len(some)
            bins.append(Bin(least, below, len(some), mean, share(right for _, right in some)))
    return bins


def calibration_error(bins: Collection[Bin]) -> float:
    """The mean distance between confidence and accuracy, weighted by the number of predictions."""
    count = sum(one.count for one in bins)
    return sum(one.count * abs(one.confidence - one.accuracy) for one in bins) / count if count else 0.0


@dataclass(frozen=True)
class Asking:
    """What a threshold of the fallback does."""

    threshold: float
    asked_back: float
    """Share of all messages."""
    right: float
    """Share of those that are answered."""
    wrong_stopped: float
    """Share of the wrong predictions that are asked back instead."""


def asking(predictions: Collection[tuple[float, float, bool]], threshold: float, ambiguity: float) -> Asking:
    """What asking back below a confidence, or at a near tie, does to (best, second best, right)."""
    back = [(best < threshold or best - second < ambiguity, right) for best, second, right in predictions]
    return Asking(
        threshold=threshold,
        asked_back=share(asks for asks, _ in back),
        right=share(right for asks, right in back if not asks),
        wrong_stopped=share(asks for asks, right in back if not right),
    )
