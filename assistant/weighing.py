"""What speaks for and against a fact, weighed against each other.

Four look at a message: the lexicon, which may take a fact as told, as denied or as not meant; the network
that judges the lexicon's mentions; the one that looks for facts in the meaning of the whole; and a classifier
that goes by the words. Each errs in ways of its own, of some slots and facts more than of others; and where a
slot has one value, what speaks for one speaks against the others. A logistic regression says how far to
believe whom, learnt from `knowledge/weighing.yml`: messages that none of the four has seen, for each is too
sure of what it has learnt from.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

from assistant.encoder_graph import Array
from spotwise.reading import LISTS

_SUREST = 0.998
"""How likely something is taken to be at most, and its opposite."""
_LONG = 60
"""Words from which on all messages count as long."""
_CLOSELY = 0.3
"""How closely the examples are followed (scikit-learn's C)."""
_OFTEN = 5
"""Candidates that a fact needs for a number of its own."""
_OWN = 0.5
"""The size of the numbers that slots and facts have of their own: the smaller, the less they are trusted."""


@dataclass(frozen=True)
class Candidate:
    """A fact that a message may tell."""

    slot: str
    value: str
    mention: float | None
    """How likely its likeliest mention is told; None where there is none."""
    meaning: float | None
    """How likely the message as a whole tells it; None where that was not learnt."""
    worded: float | None
    """How far its words put it on the side of the told (more than 0); None where that was not learnt."""
    read: bool
    """The lexicon takes it as told."""
    not_meant: bool
    """The lexicon sees it mentioned, but not told."""
    denied: bool
    plain: bool
    """A mention of it stands there without a cue against it."""
    words: int
    """The length of the message."""

    @property
    def fact(self) -> tuple[str, str]:
        """The slot and the value."""
        return self.slot, self.value

    def features(self) -> list[float]:
        """The numbers that are weighed."""
        mentioned = self.mention is not None
        mention, meaning, worded = _odds(self.mention), _odds(self.meaning), self.worded or 0.0
        length = min(self.words, _LONG) / 20
        return [
            mention,
            mentioned,
            meaning,
            self.meaning is None,
            self.read,
            self.read and not mentioned,
            self.not_meant,
            self.denied,
            self.plain,
            mentioned and not self.plain,
            length,
            self.read * meaning,
            mentioned * meaning,
            max(meaning, 0),
            min(meaning + 2, 0),
            max(mention, 0),
            self.read * mention,
            self.read * (not mentioned) * meaning,
            (not self.read) * meaning,
            (not self.read) * mention,
            self.read * length,
            (not self.read) * max(meaning - 2, 0),
            worded,
            self.worded is None,
            self.read * worded,
            max(worded, 0),
            (self.meaning is None) * worded,
        ]


def _odds(likely: float | None) -> float:
    """The logarithm of the odds, 0 where nothing is known."""
    if likely is None:
        return 0.0
    likely = min(max(likely, 1 - _SUREST), _SUREST)
    return log(likely / (1 - likely))


class Weighing:
    """How likely candidates are told."""

    def __init__(self, slots: Sequence[str], facts: Sequence[str], weights: Sequence[float]) -> None:
        """Use these weights, the bias last; slots and facts ("slot.value") have some of their own."""
        self.slots, self.facts = tuple(slots), tuple(facts)
        self.weights = np.array(weights, dtype=np.float64)

    @classmethod
    def learnt(cls, messages: Sequence[tuple[Sequence[Candidate], Sequence[bool | None]]]) -> Weighing:
        """Learn from the candidates of messages, and whether each is told; None where one could differ."""
        often = Counter(f"{each.slot}.{each.value}" for candidates, _ in messages for each in candidates)
        slots = sorted({each.slot for candidates, _ in messages for each in candidates})
        weighing = cls(slots, sorted(fact for fact, times in often.items() if times >= _OFTEN), [])
        rows, told = [], []
        for candidates, answers in messages:
            clear = [place for place, answer in enumerate(answers) if answer is not None]
            if clear:
                rows.append(weighing._rows(candidates)[clear])
                told += [answers[place] for place in clear]
        machine = LogisticRegression(C=_CLOSELY, max_iter=5000).fit(np.vstack(rows), told)
        weighing.weights = np.array([*machine.coef_[0], *machine.intercept_])
        return weighing

    def likely(self, candidates: Sequence[Candidate]) -> list[float]:
        """How likely each candidate of a message is told."""
        if not candidates:
            return []
        found: list[float] = expit(self._rows(candidates) @ self.weights[:-1] + self.weights[-1]).tolist()
        return found

    def as_json(self) -> str:
        """What was learnt."""
        return json.dumps({"slots": self.slots, "facts": self.facts, "weights": self.weights.tolist()})

    @classmethod
    def from_json(cls, text: str) -> Weighing:
        """What `as_json` gave."""
        return cls(**json.loads(text))

    def _rows(self, candidates: Sequence[Candidate]) -> Array:
        """The numbers of a message's candidates: those that all have, of their slots, and of their facts."""
        shared: Array = np.array(
            [candidate.features() + _of_rivals(candidate, candidates) for candidate in candidates],
            dtype=np.float64,
        )
        of_slots = np.zeros((3, len(candidates), len(self.slots)))
        of_facts = np.zeros((len(candidates), len(self.facts)))
        for row, candidate in enumerate(candidates):
            if candidate.slot in self.slots:
                meaning = 0.0 if candidate.read else _odds(candidate.meaning) / 3
                of_slots[:, row, self.slots.index(candidate.slot)] = 1, candidate.read, meaning
            fact = f"{candidate.slot}.{candidate.value}"
            if fact in self.facts:
                of_facts[row, self.facts.index(fact)] = 1
        return np.hstack([shared, _OWN * np.hstack([*of_slots]), _OWN * of_facts])


def _of_rivals(candidate: Candidate, candidates: Sequence[Candidate]) -> list[float]:
    """What speaks for another value of the same slot, where only one of them can be told."""
    if candidate.slot in LISTS:
        return [0.0] * 5
    rivals = [other for other in candidates if other.slot == candidate.slot and other is not candidate]
    if not rivals:
        return [0.0] * 5
    return [
        True,
        any(rival.read for rival in rivals),
        max((_odds(rival.meaning) for rival in rivals if rival.meaning is not None), default=_odds(0.0)),
        max(rival.worded or 0.0 for rival in rivals),
        max((_odds(rival.mention) for rival in rivals if rival.mention is not None), default=0.0),
    ]
