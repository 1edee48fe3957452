"""The words of `knowledge/lexicon.yml`, ready to be looked for: how facts are said, and the cues around."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from spotwise.conditions import Vocabulary
from spotwise.spelling import Spelling
from spotwise.words import NUMBER_WORDS, PhraseIndex, Phrases, normalise, phrase_pattern

_SIGHS = (
    r"(?:[,.!:]+ |(?:so|well|oh|um|erm|ok|okay|thanks|hi|hmm|honestly|ah|god|gosh|er|uh|lol|haha|hello"
    r"|sorry|look|listen|please|lord|heavens|goodness|mercy|haba|abeg|wallahi|estagh?furullah|in ?sha ?allah"
    r"|mash ?allah|alhamdulillah|thank (?:god|goodness|heavens)|in (?:jesus|god) s? ?name) "
    r"|(?:she|he|they|(?:my |the )?(?:wife|girlfriend|partner|daughter|mum|mom|mam|mother|sister|friend)) "
    r"(?:(?:just|only|still) )?(?:says?|said|saying|reckons?|thinks?|(?:tells?|told) me) (?:that )?)*"
)
"""What people say before the answer itself; who asks for somebody else hands the answer on."""


class Span(NamedTuple):
    """A stretch of the words, from a character to the one after the last."""

    start: int
    end: int

    def touches(self, others: Iterable[Span]) -> bool:
        """Whether it shares a character with any of the others."""
        return any(other.start < self.end and self.start < other.end for other in others)


Find = Callable[[Phrases | None], list[Span]]
"""Gives where phrases are found in the message at hand."""


@dataclass(frozen=True)
class Entry:
    """How one value of a slot is said."""

    slot: str
    value: str
    say: Phrases | None
    """Says it anywhere."""
    answers: Phrases | None = None
    """Says it only as an answer to the slot's own question."""
    negated: Phrases | None = None
    """Says its opposite with a "no" in between: "the pain is not severe"."""
    volunteered: Phrases | None = None
    """Says it unless another question was asked: "my first time" after "has this happened before?"."""
    surely: Phrases | None = None
    """Says it so plainly that neither a look-alike nor the meaning of the whole message speaks against it."""
    unlike: Phrases | None = None
    """Looks like it and means something else."""
    only_with: Phrases | None = None
    """Has to be somewhere in the message too."""
    counts: frozenset[str] = frozenset()
    """Where a mention counts all the same: past, partner, other, question, gone, elsewhere."""

    def phrases(self) -> list[Phrases]:
        """What says it, denies it or looks like it."""
        some = (self.say, self.answers, self.negated, self.volunteered, self.surely, self.unlike)
        return [kind for kind in some if kind is not None]

    def denials(self, find: Find, stated: Iterable[Span]) -> list[Span]:
        """Where a message says it with a "no" in between."""
        found = find(self.negated)
        said = [*stated, *find(self.say)] if found else []
        return [span for span in found if not span.touches(said)]

    def mentions(self, find: Find, asked: str | None) -> list[Span]:
        """Where a message says it, `asked` being the question it answers."""
        own = asked == self.slot
        found = [*find(self.say)]
        if own:
            found += find(self.answers)
        if own or asked is None:
            found += find(self.volunteered)
        if not found or (self.only_with and not find(self.only_with)):
            return []
        avoid, surely = find(self.unlike), find(self.surely)
        return sorted(span for span in found if span.touches(surely) or not span.touches(avoid))


class Lexicon:
    """The lexicon of a knowledge folder."""

    def __init__(self, file: Path, vocabulary: Vocabulary) -> None:
        raw = yaml.safe_load(file.read_text(encoding="utf-8"))
        common = dict.fromkeys(NUMBER_WORDS, 1)
        for line in lines_of(file.with_name("common.txt")):
            times, word = line.split()
            common[word] = int(times)
        english = lines_of(file.with_name("english.txt"))
        self._spelling = Spelling(raw["spellings"], _phrases(raw), english, common)
        self._counts: Mapping[str, Sequence[str]] = raw["counts"]
        self.denied_in_a_row = frozenset(raw["denied_in_a_row"])
        self._of_the_body = frozenset(raw["of_the_body"])
        self.cues = _kinds(raw["cues"])
        self.events = _kinds(raw["events"])
        self.answers = {
            name: re.compile(f"{_SIGHS}(?:{phrase_pattern(phrases).pattern})")
            for name, phrases in raw["answers"].items()
        }
        self.signs = _kinds(raw["signs"])
        self.entries = [
            self._entry(slot, value, how, vocabulary)
            for slot, values in raw["facts"].items()
            for value, how in values.items()
        ]
        kinds = [*self.cues.values(), *self.events.values(), *self.signs.values()]
        self._entries_with: dict[Phrases, int] = {}
        for place, entry in enumerate(self.entries):
            self._entries_with |= dict.fromkeys(entry.phrases(), place)
        kinds += [entry.only_with for entry in self.entries if entry.only_with]
        self._index = PhraseIndex([*kinds, *self._entries_with])

    def possible(self, words: str) -> dict[Phrases, list[re.Pattern[str]]]:
        """The phrases of facts, cues, events and signs that may be found in the words, kind by kind."""
        return self._index.possible(words)

    def entries_with(self, possible: Iterable[Phrases]) -> list[Entry]:
        """The entries that have any of these phrases, in the order of the file."""
        places = {self._entries_with[some] for some in possible if some in self._entries_with}
        return [self.entries[place] for place in sorted(places)]

    def is_of_the_body(self, entry: Entry) -> bool:
        """Whether an entry tells of a place in the body, and so not of any other place."""
        return entry.slot in self._of_the_body and "elsewhere" not in entry.counts

    def words_of(self, text: str) -> str:
        """The normalised words of a message, each with a space after it."""
        return normalise(self._spelling.without_digits(text), self._spelling.right)

    def mended(self, text: str) -> str:
        """A message with misspelt words put right, and else as it is."""
        return self._spelling.mended(text)

    def _entry(self, slot: str, value: str, how: Any, vocabulary: Vocabulary) -> Entry:
        if slot not in vocabulary or value not in vocabulary[slot].values:
            raise ValueError(f"lexicon.yml: '{slot}: {value}' is not in slots.yml")
        how = {"say": how} if isinstance(how, list) else how
        counts = frozenset([*how.get("counts", ()), *self._counts.get(slot, ())])
        across_no = "no" in counts
        how = {**how, "say": [*how.get("say", ()), *how.get("surely", ())]}
        said = {
            key: Phrases(how[key], across_no=across_no) if how.get(key) else None
            for key in ("say", "answers", "volunteered", "surely")
        }
        with_gap = [phrase for phrase in how.get("say") or () if ".." in phrase and not across_no]
        return Entry(
            slot,
            value,
            **said,
            unlike=Phrases(how["except"], in_one_breath=True) if how.get("except") else None,
            only_with=Phrases(how["with"]) if how.get("with") else None,
            negated=Phrases(with_gap) if with_gap else None,
            counts=counts,
        )


def lines_of(file: Path) -> list[str]:
    """The lines of a list of words, without what tells of the list."""
    return [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


def _kinds(groups: Mapping[str, Sequence[str]]) -> dict[str, Phrases]:
    return {name: Phrases(phrases) for name, phrases in groups.items()}


def _phrases(raw: Mapping[str, Any]) -> Iterable[str]:
    """Every phrase of the file that states something, for the words that are known to it."""
    for values in raw["facts"].values():
        for how in values.values():
            groups = (
                [how]
                if isinstance(how, list)
                else [how.get(key) or () for key in ("say", "answers", "volunteered", "surely")]
            )
            for group in groups:
                yield from group
    for section in ("cues", "events", "answers", "signs"):
        for group in raw[section].values():
            yield from group
