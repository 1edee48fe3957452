"""What a message tells of this person, by its meaning: a check on the lexicon's phrases, and beyond them.

A phrase may stand in a message and not be so of the person who writes: it is a friend's, or long over, or
the word means something else there. For each mention that the lexicon finds, a small network says how likely
it is told, from the encoder's vectors of its words and of the whole. Another looks for each fact anywhere in
the message. Both were learnt, with the encoder's tuning, from `knowledge/messages.yml` (`make tune`). A third
look goes by the words alone (`assistant.told_words`). How far to believe whom is weighed
(`assistant.weighing`); what follows is decided in `spotwise.dialogue`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.special import erf, expit

from assistant.cores import in_processes, in_threads
from assistant.encoder_graph import TUNING, Array
from assistant.fact_classifier import GRAVE, IN_A_PART, MEANINGS, SIGNS
from assistant.learner import Learner
from assistant.linear import reading_of, spelt
from assistant.sentence_encoder import STATES, Pieces, States, sentence_model
from assistant.told_words import Fact, ToldWords, facts_in, learnt_words
from assistant.weighing import Candidate, Weighing
from spotwise.knowledge import DEFAULT_FOLDER
from spotwise.lexicon import Span
from spotwise.reading import LISTS, Mention, default_reader

TOLD = "told"
"""Where a message keeps what it tells: "likely" and "unlikely", lists of [slot, value]."""
_UNWANTED = ("consent", "unwanted")
_NO_PREGNANCY = ("pregnancy", "no")
_GOES_ON, _LASTS = ("bleeding_status", "ongoing_under_24h"), ("bleeding_status", "over_24h")
_CRISES = frozenset({("details", "self_harm"), ("details", "choked_or_drugged"), ("details", "in_danger")})
"""Facts that stand in no message it learnt from."""
_GRAVE = GRAVE | {
    ("symptoms", "missed_or_late_period"),
    ("pain", "pelvic_ongoing"),
    ("contraception", "copper_coil"),
    ("contraception", "hormonal_coil"),
}
"""Facts that are sooner believed: a pregnancy outside the womb shows itself in the last four (D02, E17)."""
_WEIGHTY = frozenset({"pregnancy", "age_group"})
"""Slots of which a value is added by its meaning only where that is nearly sure."""
_NOTHING_TOLD = frozenset({"none", "unsure", "undisclosed"})
_KEYS = ("slots", "senses", "values", "items")
"""The lists of names that stand with the weights."""
_FEWEST_WORDS = 5
"""Words from which on a fact is looked for without a mention; less means something by its question only."""
_POSSIBLE = 0.2
"""How likely the meaning has to tell a fact for it to be weighed without a mention."""


class Heads:
    """The two networks."""

    def __init__(self, file: Path = TUNING) -> None:
        """Load their weights."""
        with np.load(file, allow_pickle=False) as stored:
            names = [name for name in stored.files if name.startswith("told.")]
            learnt = {name.removeprefix("told."): stored[name] for name in names}
        places = {name: {str(key): i for i, key in enumerate(learnt.pop(name))} for name in _KEYS}
        self._slots, self._senses, self._values = (places[name] for name in _KEYS[:3])
        self.items: list[Fact] = [_pair(item) for item in places["items"]]
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


def _pair(item: str) -> Fact:
    slot, _, value = item.partition(".")
    return slot, value


def candidates_in(
    text: str, states: States, meaning: Mapping[Fact, float], worded: Mapping[Fact, float]
) -> list[Candidate]:
    """Every fact of the contract that a message may tell.

    `meaning` is that of `meaning_of`, `worded` what its words tell (`ToldWords.tell`).
    """
    reading, words = reading_of(text), spelt(text)
    mentions = [m for m in default_reader().mentions_in(words) if heads().judges(m.slot)]
    mentioned: dict[Fact, float] = {}
    plain: set[Fact] = set()
    if mentions:
        for mention, share in zip(mentions, heads().mentions(states, words, mentions), strict=True):
            fact = mention.slot, mention.value
            mentioned[fact] = max(share, mentioned.get(fact, 0.0))
            if mention.sense in ("stated", "doubted"):
                plain.add(fact)
    length = len(re.findall(r"[^\W_]+", text))
    read = {fact for fact in facts_in(reading.facts) if heads().judges(fact[0])}
    possible: set[Fact] = set()
    if length >= _FEWEST_WORDS:
        possible |= {fact for fact, share in meaning.items() if share >= _POSSIBLE}
        possible |= {fact for fact, far in worded.items() if far > 0 and heads().judges(fact[0])}
    return [
        Candidate(
            *fact,
            mention=mentioned.get(fact),
            meaning=meaning.get(fact),
            worded=worded.get(fact),
            read=fact in read,
            not_meant=fact[1] in reading.not_meant.get(fact[0], ()),
            denied=fact[1] in reading.denied.get(fact[0], ()),
            plain=fact in plain,
            words=length,
        )
        for fact in sorted(read | possible | set(mentioned))
    ]


def meaning_of(states: States) -> dict[Fact, float]:
    """How likely the meaning of a message tells each fact, as far as that was learnt."""
    return dict(zip(heads().items, heads().facts(states.vectors), strict=True))


def learnt_weighing(words: ToldWords, folder: Path = DEFAULT_FOLDER) -> Weighing:
    """What the messages of a knowledge folder teach about how to weigh."""
    text = (folder / "weighing.yml").read_text(encoding="utf-8")
    messages = yaml.load(text, Loader=yaml.CSafeLoader)["messages"]
    texts = [message["text"] for message in messages]
    states = in_threads(_states, texts)
    default_reader(), heads()  # loaded here once, and not by every copy of this process
    given = zip(messages, states, words.tell(texts), strict=True)
    return Weighing.learnt(in_processes(_weighed, given, chunk=50))


def _states(text: str) -> States:
    return sentence_model().states(text)[1]


def _weighed(
    given: tuple[Mapping[str, Any], States, Mapping[Fact, float]],
) -> tuple[list[Candidate], list[bool | None]]:
    """The candidates of a message, and whether each is told; None where one could differ."""
    message, states, worded = given
    facts, may = facts_in(message["facts"]), facts_in(message.get("may") or {})
    found = candidates_in(message["text"], states, meaning_of(states), worded)
    return found, [None if each.fact in may else each.fact in facts for each in found]


@lru_cache(maxsize=1)
def heads() -> Heads:
    """The networks, loaded when first needed."""
    return Heads()


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class ToldClassifier(Learner):
    """Notes which facts that the lexicon finds are unlikely to be told, and which are told beside them."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The thresholds, as measured in docs/nlu.md."""
        return {
            "unlikely": 0.7,  # below it a fact of the lexicon is not believed;
            "unlikely_grave": 0.4,  # the same for grave ones,
            "unlikely_signed": 0.15,  # and for these where the fact classifier sees a sign,
            "told": 0.5,  # unless the mention by itself is at least so likely told,
            "told_at_all": 0.02,  # and it is not less likely than this
            "unlikely_danger": 0.1,  # the same for danger signs and unwanted sex,
            "unlikely_alone": 0.02,  # and where the fact classifier sees a sign and none else is told;
            "some_sign": 0.9,  # it sees one from here on
            "no_meaning": 0.03,  # below it the whole speaks against a sign that no phrase tells
            "surely_no_sign": 0.01,  # below it they, self-harm and violence are not believed by their words
            "likely": 0.8,  # from here on a fact counts that the lexicon has not found
            "likely_grave": 0.65,  # the same for grave ones,
            "nearly_sure": 0.85,  # the same for danger signs, an age and a pregnancy
            "nothing_likely": 0.9,  # the same for what closes a question: "none", "unsure", no pregnancy
        }

    words: ToldWords | None = None
    weighing: Weighing | None = None

    def learn(self, training_data: TrainingData) -> None:
        """Learn the words that tell facts from `knowledge/messages.yml`, then how to weigh."""
        self.words = learnt_words()
        self.weighing = learnt_weighing(self.words)

    def keep(self, folder: Path) -> None:
        """Write what was learnt."""
        assert self.words is not None and self.weighing is not None
        self.words.save(folder)
        (folder / "weighing.json").write_text(self.weighing.as_json(), encoding="utf-8")

    def recall(self, folder: Path) -> None:
        """Read what was learnt, and load the networks now, so that the first message does not wait."""
        heads(), default_reader()
        self.words = ToldWords.load(folder)
        self.weighing = Weighing.from_json((folder / "weighing.json").read_text(encoding="utf-8"))

    def process(self, messages: list[Message]) -> list[Message]:
        """Note what messages tell."""
        for message in messages:
            text = message.get(TEXT) or ""
            if self.weighing and message.get(STATES) and not text.startswith("/"):
                message.set(TOLD, self._told(message), add_to_output=True)
        return messages

    def _told(self, message: Message) -> dict[str, list[list[str]]]:
        assert self.words is not None and self.weighing is not None
        text, states = message.get(TEXT), message.get(STATES)
        meaning, (worded,) = meaning_of(states), self.words.tell([text])
        candidates = candidates_in(text, states, meaning, worded)
        likely = self.weighing.likely(candidates)
        shares = {candidate.fact: share for candidate, share in zip(candidates, likely, strict=True)}
        new = [
            each.fact for each in candidates if not each.read and shares[each.fact] >= self._enough(each.fact)
        ]
        best = {fact[0]: fact for fact in sorted(new, key=shares.__getitem__)}
        return {
            "likely": [list(fact) for fact in new if fact[0] in LISTS or best[fact[0]] == fact],
            "unlikely": [list(fact) for fact in sorted(self._unlikely(message, candidates, shares, meaning))],
        }

    def _unlikely(
        self,
        message: Message,
        candidates: Sequence[Candidate],
        shares: Mapping[Fact, float],
        meaning: Mapping[Fact, float],
    ) -> set[Fact]:
        """The facts that are not told, whatever the words or the fact classifier say."""
        meanings = message.get(MEANINGS) or {}
        sign = meanings.get(IN_A_PART, 1.0)
        a_sign_is_told = any(
            slot == "danger_signs" and value not in _NOTHING_TOLD and share >= self._config["unlikely"]
            for (slot, value), share in shares.items()
        )
        unlikely = {
            each.fact
            for each in candidates
            if shares[each.fact] < self._least(each.fact, sign, a_sign_is_told)
            and not self._is_told_gravely(each, shares[each.fact])
        }
        read = {candidate.fact for candidate in candidates if candidate.read}
        if _LASTS in read - unlikely:
            unlikely -= {_GOES_ON}  # its words are what tells that the bleeding lasts
        for fact in {_UNWANTED, *(("danger_signs", name) for name in meanings.get(SIGNS, ()))} - read:
            if meaning.get(fact, 1.0) < self._config["no_meaning"]:
                unlikely.add(fact)
        if sign < self._config["surely_no_sign"]:
            unlikely |= _CRISES & facts_in(reading_of(message.get(TEXT)).facts)
        return unlikely - reading_of(message.get(TEXT)).sure

    def _is_told_gravely(self, candidate: Candidate, share: float) -> bool:
        told = (candidate.mention or 0.0) >= self._config["told"]
        return candidate.fact in _GRAVE and told and share >= self._config["told_at_all"]

    def _least(self, fact: Fact, sign: float, a_sign_is_told: bool) -> float:
        """How likely a fact of the lexicon has to be for being believed, where a sign is so likely."""
        if fact[0] == "danger_signs" or fact == _UNWANTED:
            if sign >= self._config["some_sign"] and not a_sign_is_told:
                return float(self._config["unlikely_alone"])
            if sign >= self._config["surely_no_sign"]:
                return float(self._config["unlikely_danger"])
        if fact not in _GRAVE:
            return float(self._config["unlikely"])
        return float(
            self._config["unlikely_signed" if sign >= self._config["some_sign"] else "unlikely_grave"]
        )

    def _enough(self, fact: Fact) -> float:
        """How likely a fact has to be for being noted without the lexicon."""
        slot, value = fact
        if fact == _UNWANTED:  # the fact classifier tells it
            return 1.1
        if value in _NOTHING_TOLD or fact == _NO_PREGNANCY:
            return float(self._config["nothing_likely"])
        if slot == "danger_signs" or slot in _WEIGHTY:
            return float(self._config["nearly_sure"])
        return float(self._config["likely_grave" if fact in _GRAVE else "likely"])
