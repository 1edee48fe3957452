"""What a message tells of this person, by its meaning: a check on the lexicon's phrases, and beyond them.

A phrase may stand in a message and not be so of the person who writes: it is a friend's, or long over, or
the word means something else there. For each mention that the lexicon finds, a small network says how likely
it is told, from the encoder's vectors of its words and of the whole. Another looks for each fact anywhere in
the message. Both were learnt, with the encoder's tuning, from `knowledge/messages.yml` (`make tune`); what
follows from their answers is decided in `spotwise.dialogue`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from scipy.special import erf, expit

from assistant.encoder_graph import TUNING, Array
from assistant.fact_classifier import IN_A_PART, MEANINGS
from assistant.sentence_encoder import STATES, Pieces, States
from spotwise.lexicon import Span
from spotwise.reading import Mention, default_reader

TOLD = "told"
"""Where a message keeps what it tells: "likely" and "unlikely", lists of [slot, value]."""
_UNWANTED = ("consent", "unwanted")
"""This and the danger signs are dropped only where two classifiers agree that nothing is told."""
_CRISES = frozenset({("details", "self_harm"), ("details", "choked_or_drugged"), ("details", "in_danger")})
"""Facts that stand in no message it learnt from."""
_NEVER_ADDED = frozenset({"danger_signs", "consent", "pregnancy", "age_group"})
"""The first two have their own classifier (`assistant.fact_classifier`), the last two need plain words."""
_NOTHING_TOLD = frozenset({"none", "unsure", "undisclosed"})
_KEYS = ("slots", "senses", "values", "items")
"""The lists of names that stand with the weights."""
_FEWEST_WORDS = 5
"""Words from which on a fact is looked for without a mention; less means something by its question only."""


class Heads:
    """The two networks."""

    def __init__(self, file: Path = TUNING) -> None:
        """Load their weights."""
        with np.load(file, allow_pickle=False) as stored:
            names = [name for name in stored.files if name.startswith("told.")]
            learnt = {name.removeprefix("told."): stored[name] for name in names}
        places = {name: {str(key): i for i, key in enumerate(learnt.pop(name))} for name in _KEYS}
        self._slots, self._senses, self._values = (places[name] for name in _KEYS[:3])
        self.items: list[tuple[str, str]] = [_pair(item) for item in places["items"]]
        self._weights = {name: value.astype(np.float32) for name, value in learnt.items()}

    def judges(self, slot: str) -> bool:
        """Whether mentions of this slot were learnt from."""
        return slot in self._slots

    def mentions(self, states: States, words: str, mentions: Sequence[Mention]) -> list[float]:
        """For each mention how likely it is told of the person who writes."""
        known = self._weights
        whole = states.vectors.mean(axis=0)
        spans = [mention.span for mention in mentions]
        rows = []
        for (slot, value, _, sense), inside in zip(
            mentions, pieces_of(spans, words, states.pieces), strict=True
        ):
            parts = (
                states.vectors[inside].mean(axis=0),
                whole,
                known["slot"][self._slots[slot]],
                known["sense"][self._senses[sense]],
                known["value"][self._values.get(f"{slot}.{value}", 0)],
            )
            rows.append(np.concatenate(parts))
        inner = np.stack(rows) @ known["inner"] + known["inner_bias"]
        bent = inner * 0.5 * (1 + erf(inner / np.sqrt(2)))
        likely: list[float] = expit(bent @ known["outer"] + known["outer_bias"])[:, 0].tolist()
        return likely

    def facts(self, states: Array) -> list[float]:
        """For each of `items` how likely it is told."""
        known = self._weights
        looks = states @ known["look"].T
        looks = np.exp(looks - looks.max(axis=0))
        found = (looks * (states @ known["found"].T)).sum(axis=0) / looks.sum(axis=0)
        likely: list[float] = expit(found + known["found_bias"]).tolist()
        return likely


def pieces_of(spans: Sequence[Span], words: str, pieces: Pieces) -> list[list[int]]:
    """The encoder's word pieces of each span in `words`, which the lexicon has put right.

    Where none is found, the first piece, which stands for the whole.
    """
    right, places = words.split(), [0]
    for word in right:
        places.append(places[-1] + len(word) + 1)
    origins: list[tuple[int, int]] = []
    matcher = SequenceMatcher(None, pieces.words, right, autojunk=False)
    for kind, start, end, first, last in matcher.get_opcodes():
        for place in range(first, last):
            at = start + place - first
            origins.append((at, at + 1) if kind == "equal" else (start, max(end, start + 1)))
    found = []
    for span in spans:
        inside = range(bisect_right(places, span.start) - 1, bisect_left(places, span.end))
        typed = {at for place in inside if place < len(origins) for at in range(*origins[place])}
        found.append([piece for piece, at in enumerate(pieces.whose) if at in typed] or [0])
    return found


def _pair(item: str) -> tuple[str, str]:
    slot, _, value = item.partition(".")
    return slot, value


@lru_cache(maxsize=1)
def heads() -> Heads:
    """The networks, loaded when first needed."""
    return Heads()


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class ToldClassifier(GraphComponent, IntentClassifier):  # type: ignore[misc]  # Rasa is untyped here
    """Notes which mentions of facts are unlikely to be told, and which facts are told without a mention."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The thresholds, as measured in docs/nlu.md."""
        return {
            "unlikely": 0.3,  # below it a mention is not believed
            "unlikely_danger": 0.7,  # the same for danger signs and unwanted sex,
            "no_sign": 0.04,  # where the fact classifier sees no sign either
            "surely_no_sign": 0.01,  # below it they, self-harm and violence are not believed by their words
            "likely": 0.85,  # from here on a fact counts without a mention
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
    ) -> ToldClassifier:
        """Load the networks now, so that the first message does not wait for them."""
        heads(), default_reader()
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Note what messages tell."""
        for message in messages:
            text = message.get(TEXT) or ""
            if message.get(STATES) and not text.startswith("/"):
                message.set(TOLD, self._told(message), add_to_output=True)
        return messages

    def _told(self, message: Message) -> dict[str, list[list[str]]]:
        states, words = message.get(STATES), default_reader().words_of(message.get(TEXT))
        mentions = default_reader().mentions_in(words)
        judged = [mention for mention in mentions if heads().judges(mention.slot)]
        likely: dict[tuple[str, str], float] = {}
        if judged:
            for mention, share in zip(judged, heads().mentions(states, words, judged), strict=True):
                key = mention.slot, mention.value
                likely[key] = max(share, likely.get(key, 0.0))
        sign = (message.get(MEANINGS) or {}).get(IN_A_PART, 1.0)
        unlikely = [key for key, share in likely.items() if share < self._least(key, sign)]
        if sign < self._config["surely_no_sign"]:
            unlikely += _CRISES & {(mention.slot, mention.value) for mention in mentions}
        found: list[tuple[str, str]] = []
        if len(states.pieces.words) >= _FEWEST_WORDS:
            shares = zip(heads().items, heads().facts(states.vectors), strict=True)
            found = [
                key
                for key, share in shares
                if share >= self._config["likely"] and key not in likely and _may_be_added(*key)
            ]
        return {"likely": [list(key) for key in found], "unlikely": [list(key) for key in sorted(unlikely)]}

    def _least(self, key: tuple[str, str], sign: float) -> float:
        """How likely a mention has to be for being believed, where a sign is so likely."""
        if key[0] != "danger_signs" and key != _UNWANTED:
            return float(self._config["unlikely"])
        if sign >= self._config["no_sign"]:
            return 0.0
        return 1.0 if sign < self._config["surely_no_sign"] else float(self._config["unlikely_danger"])


def _may_be_added(slot: str, value: str) -> bool:
    return slot not in _NEVER_ADDED and value not in _NOTHING_TOLD
