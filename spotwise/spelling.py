"""Puts misspelt and shortened words right, by how they are typed and how they sound.

People write on a phone, in a hurry, or as they hear it: "tempriture", "frist", "becos". A word that is not
English is taken for the word of this project's subject that it is nearest to, the commoner one first, or for
words run together: "ihad", "bleedingfor".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from math import inf, log10

from jellyfish import metaphone
from rapidfuzz.distance import OSA

SHORTEST = 4
"""Letters of a word that may be a slip; shorter ones are too easily another word."""
LONG = 8
"""Letters from which on a word may hold more slips."""
_FARTHEST = {4: 1.0, 5: 1.2, 6: 1.2, 7: 1.3}
_FARTHEST_IF_LONG = 1.6
"""How far apart, see `apart`, a word and what it is meant for may be, by its letters."""
_SOUND_COUNTS = 0.5
"""How much nearer two words are that sound alike."""
_COMMON_COUNTS = 0.15
"""How much nearer a word is that is ten times as common."""
_CLEARLY = 0.1
"""How much nearer the nearest word has to be than the next, or either might be meant."""
_PLAIN_SLIP = 1.0
"""How far the nearest word may be before words run together are the likelier slip."""
_SMALL = frozenset(
    {"am", "an", "at", "be", "by", "do", "go", "he", "if", "im", "in", "is", "it", "me", "my", "no"}
    | {"of", "on", "or", "so", "to", "up", "us", "we"}
)
"""The words of two letters that others are run together with, one to a slip."""
_OFTEN = 20
"""Messages that hold a word, from which on others are likely to be run together with it."""
_VERY_OFTEN = 200
"""The same for a word that is no English one by the list."""
_MOST_REMEMBERED = 20_000
"""Words kept with what they are meant for: a person's slips are few, this only bounds the memory."""

_VOWELS = frozenset("aeiouy")
_OFTEN_LEFT_OUT = _VOWELS | frozenset("hw")
_ALIKE = frozenset(
    pair for a, b in ("ck", "sc", "sz", "gj", "dt", "mn", "kq", "fv", "xs") for pair in ((a, b), (b, a))
)
_WORD = re.compile(r"(?<![^\W\d_])(?<!['\u2019])[^\W\d_]+(?!['\u2019]?[^\W\d_])")
"""A whole word; not one with an apostrophe, nor a part of it ("he's")."""


class Spelling:
    """Knows words, and which of them a slip is meant for."""

    def __init__(
        self,
        known_slips: Mapping[str, str],
        phrases: Iterable[str],
        english: Iterable[str] = (),
        common: Mapping[str, int] | None = None,
    ) -> None:
        """Know the words of the lexicon's phrases, and `english` ones, which are never taken for slips.

        `common` are the words that a slip may be meant for besides those of the phrases, with how many
        messages of many hold them.
        """
        self._right = dict(known_slips)
        mixed = "|".join(slip for slip in known_slips if slip.isalnum() and not slip.isalpha()) or "(?!)"
        self._with_digits = re.compile(rf"(?<!\w)(?:{mixed})(?!\w)", re.IGNORECASE)
        self._common = common or {}
        words: set[str] = set()
        stems: set[str] = set()
        for phrase in phrases:
            for word, star in re.findall(r"([a-z]{2,})(\*?)", phrase):
                (stems if star else words).add(word)
        self._english = frozenset(english)
        long_stems = tuple(stem for stem in stems if len(stem) >= SHORTEST)
        grown = {word for word in self._english if word.startswith(long_stems)}
        grown |= {stem + ending for stem in long_stems for ending in ("", "s", "ed", "ing", "y")}
        self._known = self._english | words | grown | self._common.keys()
        meant = words | (grown & self._english if self._english else grown) | self._common.keys()
        self._by_start: dict[str, list[str]] = defaultdict(list)
        self._by_sound: dict[str, list[str]] = defaultdict(list)
        for word in sorted(meant - known_slips.keys()):
            if len(word) >= SHORTEST:
                self._by_start[word[0]].append(word)
                self._by_sound[metaphone(word)].append(word)

    def right(self, word: str) -> str:
        """The word in lower case as it was meant, or as the lexicon writes it."""
        if word not in self._right:
            if len(self._right) > _MOST_REMEMBERED:
                return word
            self._right[word] = self._nearest(word)
        return self._right[word]

    def mended(self, text: str) -> str:
        """A text with the words put right that are no English ones, and nothing else changed."""
        return _WORD.sub(self._mended_word, self.without_digits(text))

    def without_digits(self, text: str) -> str:
        """A text with the words written out that are typed with digits for letters: "b4", "2day"."""
        return self._with_digits.sub(lambda match: self._right[match[0].lower()], text)

    def _mended_word(self, match: re.Match[str]) -> str:
        word = match[0].lower()
        right = word if word in self._english else self.right(word)
        return match[0] if right == word else right

    def _nearest(self, word: str) -> str:
        """The known word that this one is meant for; the word itself where none clearly is."""
        if len(word) < SHORTEST or word in self._known:
            return word
        if word.endswith("in") and f"{word}g" in self._known:
            return f"{word}g"
        alike = self._by_sound.get(metaphone(word), [])
        slips = 2 if len(word) < LONG else 3
        near = self._like(word, word[0], slips)
        near |= self._like(word, word[1], 1)  # the first letter is one too many
        near.update(alike)
        found = []
        for other in near:
            sounds = _SOUND_COUNTS * (other in alike)
            far = apart(word, other)
            if far <= _FARTHEST.get(len(word), _FARTHEST_IF_LONG) + sounds:
                commoner = _COMMON_COUNTS * log10(1 + self._common.get(other, 0))
                found.append((far - sounds - commoner, far - sounds, other))
        found.sort()
        if found and (len(found) == 1 or found[1][0] - found[0][0] >= _CLEARLY):
            _, far, nearest = found[0]
        else:
            far, nearest = inf, word
        parts = self._run_together(word) if far > _PLAIN_SLIP else []
        return " ".join(parts) or nearest

    def _run_together(self, word: str, most: int = 3) -> list[str]:
        """The two or three common words that this one is made of, the commonest; none where it is not."""
        best: list[str] = []
        for at in range(2, len(word) - 1):
            first, rest = word[:at], word[at:]
            if not self._is_common(first):
                continue
            ways = [[first, rest]] if self._is_common(rest) else []
            if most > 2 and (more := self._run_together(rest, most - 1)):
                ways.append([first, *more])
            ways = [way for way in ways if sum(part in _SMALL for part in way) < 2]
            best = min([best, *ways], key=self._how_rare)
        return best

    def _is_common(self, word: str) -> bool:
        if len(word) == 2:
            return word in _SMALL
        return self._common.get(word, 0) >= (_OFTEN if word in self._english else _VERY_OFTEN)

    def _how_rare(self, words: list[str]) -> float:
        """Sums how rare each word is, so that two words go before three."""
        most = max(self._common.values(), default=1)
        return sum(log10(10 * most / self._common.get(word, most)) for word in words) if words else inf

    def _like(self, word: str, start: str, slips: int) -> set[str]:
        """The words with this first letter that are so many slips away."""
        known = self._by_start.get(start, [])
        return {other for other in known if OSA.distance(word, other, score_cutoff=slips) <= slips}


def apart(typed: str, meant: str) -> float:
    """How far what was typed is from what may be meant: 1 for a plain slip, less for a likely one.

    Likely ones are a vowel for another or left out, a letter doubled or not, two letters swapped, letters
    that sound alike, and the end of "-ing".
    """
    before: list[float] = []
    row = [0.0]
    for place in range(len(meant)):
        row.append(row[-1] + _missing(meant, place))
    for at, letter in enumerate(typed):
        above, extra = row, _extra(typed, at)
        row = [above[0] + extra]
        for place, wanted in enumerate(meant):
            best = min(
                above[place] + _wrong(letter, wanted),
                above[place + 1] + extra,
                row[place] + _missing(meant, place),
            )
            if at and place and typed[at - 1] == wanted != letter == meant[place - 1]:
                best = min(best, before[place - 1] + 0.6)
            row.append(best)
        before = above
    return row[-1] + (0.5 if typed[:1] != meant[:1] else 0.0)


def _wrong(letter: str, wanted: str) -> float:
    if letter == wanted:
        return 0.0
    if letter in _VOWELS and wanted in _VOWELS:
        return 0.5
    return 0.7 if (letter, wanted) in _ALIKE else 1.0


def _extra(typed: str, at: int) -> float:
    if at and typed[at] == typed[at - 1]:
        return 0.3
    return 0.5 if typed[at] in _OFTEN_LEFT_OUT else 1.0


def _missing(meant: str, place: int) -> float:
    if place and meant[place] == meant[place - 1]:
        return 0.3
    if place == len(meant) - 1 and meant.endswith("ing"):
        return 0.4
    return 0.5 if meant[place] in _OFTEN_LEFT_OUT else 1.0
