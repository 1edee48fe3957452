"""Which facts a message tells by its words: a third look, beside the lexicon's and that at its meaning.

The encoder blurs names and turns of phrase that it has seldom seen; the lexicon knows no more of them than
somebody wrote down. Here a linear classifier for each fact learns from `knowledge/messages.yml` which words,
parts of words and findings of the lexicon go with it. It is weighed with the others (`assistant.weighing`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.svm import LinearSVC  # type: ignore[import-untyped]

from assistant.cores import in_threads
from assistant.fact_classifier import examples_in
from assistant.linear import DEFAULTS, Features, Vectors
from spotwise.knowledge import DEFAULT_FOLDER

Fact = tuple[str, str]
"""A slot and a value."""

_LEAST = 15
"""Messages that have to tell a fact for it to be learnt."""
_CLOSELY = 2.0
"""How closely the examples are followed (scikit-learn's C)."""
_FARTHEST = 6.0
"""What is farther from the border between told and not told says no more."""
_SEED = 42


class ToldWords:
    """The classifiers, one a fact."""

    def __init__(self, features: Features, facts: Sequence[Fact], weights: Vectors, bias: Vectors) -> None:
        """Use these weights, a column a fact."""
        self._features = features
        self.facts = tuple(facts)
        self._weights = weights
        self._bias = bias

    @classmethod
    def learnt(cls, messages: Sequence[Mapping[str, Any]]) -> ToldWords:
        """Learn from messages with all that they tell, on all cores; answers to a question are left out."""
        messages = [message for message in messages if "asked" not in message]
        features, rows = Features.learnt(
            [message["text"] for message in messages], _no_vectors(len(messages)), DEFAULTS
        )
        told = [facts_in(message["facts"]) for message in messages]
        unclear = [facts_in(message.get("may") or {}) for message in messages]
        often = Counter(fact for some in told for fact in some)
        facts = sorted(fact for fact, times in often.items() if times >= _LEAST)

        def fitted(fact: Fact) -> LinearSVC:
            clear = [place for place, some in enumerate(unclear) if fact not in some]
            machine = LinearSVC(C=_CLOSELY, random_state=_SEED)
            return machine.fit(rows[clear], [fact in told[place] for place in clear])

        machines = in_threads(fitted, facts)
        return cls(
            features,
            facts,
            np.ascontiguousarray(np.vstack([machine.coef_ for machine in machines]).T, dtype=np.float32),
            np.hstack([machine.intercept_ for machine in machines]).astype(np.float32),
        )

    def tell(self, texts: Sequence[str]) -> list[dict[Fact, float]]:
        """For each text how far each fact is on the side of the told (more than 0) or of the not told."""
        found = self._features.scores(texts, _no_vectors(len(texts)), self._weights) + self._bias
        return [dict(zip(self.facts, row, strict=True)) for row in found.clip(-_FARTHEST, _FARTHEST).tolist()]

    def save(self, folder: Path) -> None:
        """Write what was learnt, the weights in 16 bits."""
        learnt = {"facts": self.facts, **self._features.names()}
        (folder / "words.json").write_text(json.dumps(learnt), encoding="utf-8")
        np.savez(
            folder / "words.npz",
            weights=self._weights.astype(np.float16),
            bias=self._bias,
            **self._features.numbers(),
        )

    @classmethod
    def load(cls, folder: Path) -> ToldWords:
        """Read what was learnt."""
        learnt = json.loads((folder / "words.json").read_text(encoding="utf-8"))
        with np.load(folder / "words.npz", allow_pickle=False) as numbers:
            weights, bias = numbers["weights"].astype(np.float32), numbers["bias"]
            features = Features.kept(learnt, numbers, DEFAULTS)
        return cls(features, [(slot, value) for slot, value in learnt["facts"]], weights, bias)


@lru_cache(maxsize=1)
def learnt_words(folder: Path = DEFAULT_FOLDER) -> ToldWords:
    """What the messages of a knowledge folder teach."""
    return ToldWords.learnt(examples_in(folder).messages)


def facts_in(facts: Mapping[str, Any]) -> set[Fact]:
    """Facts one by one, numbers left out."""
    return {
        (slot, one)
        for slot, value in facts.items()
        for one in (value if isinstance(value, list) else [value])
        if isinstance(one, str)
    }


def _no_vectors(count: int) -> Vectors:
    """The words alone: the encoder is too sure of what it was tuned with."""
    return np.zeros((count, 0), dtype=np.float32)
