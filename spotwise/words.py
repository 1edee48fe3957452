"""From what a person typed to plain lower-case words, and phrases to look for in them.

The lexicon is written in a small phrase language that a clinician can read:

    feel* faint          words in a row; `*` stands for any ending
    (pass|black)* out    one of several
    my? period           a word that may be missing
    N weeks              a number; `YYYY` is a year
    ^ light $            only at the start, or the end, of what was written
    blood .. stool       up to four words in between
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import NamedTuple

LONGEST = 8_000
"""Characters that are read. More than anyone types; the rest of a longer text is ignored."""

_QUOTES = str.maketrans(
    {
        "½": ".5 ",
        "\u2019": "'",
        "\u2018": "'",
        "`": "'",
        "\u00b4": "'",
        "“": '"',
        "”": '"',
        "\u2013": "-",
        "—": " - ",
    }
)

_SMALL_THINGS = (
    "bits?|smears?|spots?|bleed|lumps?|drops?|drap|drips?|ulcers?|streaks?|one|period|tears?|polyps?|man|grape|dots?"
    "|stains?|scars?|nicks?|holes?|girl|boy|lad|lass|cuts?|cuddle|clots?|trickle|touch|specks?|marks?|smidge|patch"
    "|pinch|tad|dab|dash|scratch|graze|twinges?|ache|niggle|pimple|blister|sore|while|minute|bump|bulge|question|note"
    "|tinge|lick|amount|sting|nip|tug|strip|thing"
)
_CONTRACTIONS: list[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]] = [
    (
        re.compile(
            rf"\bwee(?= (?:\w+ )?(?:{_SMALL_THINGS})\b)(?! (?:and|or|is|was|that|in|on|then|but|the|it|i)\b)"
        ),
        "small",
    ),
    (re.compile(r"\b(bit|drop|spot|dot|smear|drap|dab|touch|streak) o'?(?= \w)"), r"\1 of"),
    (re.compile(r"\bcan'?t\b|\bcannot\b"), "can not"),
    (re.compile(r"\bwon'?t\b(?! be)"), "will not"),
    (re.compile(r"\bain'?t\b"), "is not"),
    (re.compile(r"\b(do|does|did|have|has|had|is|was|are|were|could|would|should|need)n'?t\b"), r"\1 not"),
    (re.compile(r"\bi'?m\b"), "i am"),
    (re.compile(r"\b(i|you|we|they)'?ve\b"), r"\1 have"),
    (re.compile(r"\b(i|we|you|they|he|she|it)'ll\b"), r"\1 will"),
    (re.compile(r"\b(i|we|you|they|he|she|it)'d\b"), r"\1 had"),
    (re.compile(r"\b(we|you|they)'re\b"), r"\1 are"),
    (re.compile(r"\b(he|she|it|that|there|what|who|here|how|nothing|everything)'s\b"), r"\1 is"),
    (
        re.compile(
            r"\b(its|thats|theres|shes|hes|whats)\b(?= (a|an|the|been|not|now|stopp|gone|going|still"
            r"|just|all|bleed|only|like|so|too|very|really|about|over|light|heavy|slow|done|fine|me"
            r"|my|no|getting|\d)\w*)"
        ),
        lambda m: m[1][:-1] + " is",
    ),
    (re.compile(r"'s\b"), " s"),
    (re.compile(r"\bwith out\b"), "without"),
]

_NUMBERS = {
    word: str(number)
    for number, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
_TENS = {
    word: number
    for number, word in zip(
        range(20, 100, 10),
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"],
        strict=True,
    )
}
NUMBER_WORDS = (*_NUMBERS, *_TENS)
"""Numbers that may be written out."""
_TEN_PATTERN = re.compile(rf"\b({'|'.join(_TENS)})(?:[ -](one|two|three|four|five|six|seven|eight|nine))?\b")
_DECADE_PATTERN = re.compile(r"\b(twent|thirt|fort|fift|sixt|sevent|eight|ninet)ies\b")
_WORD = re.compile(r"\d+(?:[.,]\d+)?|\d+|[^\W\d_]+|[.,!?;:()/+-]|%|°|\n")


def normalise(text: str, spell: Callable[[str], str] | None = None) -> str:
    """The words of `text` in lower case, numbers as digits, punctuation as words, a space after each.

    `spell` puts a misspelt or shortened word right ("preg" -> "pregnant"); see `spotwise.spelling`.
    """
    text = unicodedata.normalize("NFKC", text[:LONGEST].translate(_QUOTES)).lower()
    text = "".join(c if c == "\n" or unicodedata.category(c)[0] != "C" else " " for c in text)
    for pattern, words in _CONTRACTIONS:
        text = pattern.sub(words, text)
    text = _UNITS.sub(" ", _BARE_NO.sub("no, ", text))
    found = _WORD.findall(text)
    if spell:
        found = [spell(word) if len(word) > 1 else word for word in found]
    text = " ".join("." if word in "\n" else word for word in found)
    text = _DECADE_PATTERN.sub(lambda match: f"{_TENS[match[1] + 'y']} s", text)
    text = _TEN_PATTERN.sub(_ten, text)
    joined = " ".join(
        word.replace(",", ".") if word[:1].isdigit() else _NUMBERS.get(word, word) for word in text.split(" ")
    )
    for pattern, amount in _AMOUNTS:
        joined = pattern.sub(amount, joined)
    return _FIRST_ANSWER.sub(r"\1 . ", " ".join(joined.split()) + " ")


_FIRST_ANSWER = re.compile(
    r"^(no|yes) (?:(?:po|o|dear|doc|doctor|sir|madam|love|duck|hun|mate|hen|pet|babe|bro|sis) )?, "
)
"""A yes or no ahead of the rest: "no, condoms" is not "no condoms"."""
_BARE_NO = re.compile(r"^\W*(?:(?:ye+a+h? )?na+h+|nope|nup|naw|nuh uh)\b[\s,.!]*(?=\w)")
"""A "no" that denies nothing after it: "nah period came" is not "no period came"."""


_UNITS = re.compile(
    r"(?<=\d)(?=[^\W\d_])|(?<=[^\W\d_])(?=\d)"  # "20f" -> "20 f"
    r"|(?<=[^\W_])-(?=[^\W\d_])"  # "one-sided" -> "one sided"
)
_AMOUNTS = [
    (re.compile(pattern), words)
    for pattern, words in (
        (r"(?<!\d )\b(?:an? |1 )?hundred and ([1-9])\b", r"10\1"),
        (r"\b(?:a|1) hundred\b", "100"),
        (r"\b(?:night|sanitary|maternity) towel(s?)\b", r"pad\1"),
        (r"\b(\d+) point (\d)\b", r"\1.\2"),
        (r"\bhalf (?:a )?dozen\b", "6"),
        (r"\b(?:a|1) dozen\b", "12"),
        (r"\bhalf (?:an? )?(inch|cm)\b", r"0.5 \1"),
        (r"\boutta\b", "out of"),
        (r"\b(\d+) (?:and|an|n|&) (?:a )?half\b", r"\1.5"),
        (r"\b(?:an? |1 )?(hour|day|week|month|year) (?:and|an|n|&) (?:a )?half\b", r"1.5 \1s"),
        (r"\bhalf (?:an? )?(hour|day|year)\b", r"0.5 \1"),
        (r"\b3 quarters? of an hour\b", "45 minutes"),
        (r"\b(?:a )?quarter of (?:an )?hour\b", "15 minutes"),
    )
]


def _ten(match: re.Match[str]) -> str:
    return str(_TENS[match[1]] + int(_NUMBERS[match[2]] if match[2] else 0))


_GAP = r"(?:(?!(?:not|no|never|without) )[^\s.!?;:]+ ){0,4}?"
_GAP_WITH_NO = r"(?:[^\s.!?;:]+ ){0,4}?"
_GAP_IN_ONE_BREATH = r"(?:(?!but )[^\s.!?;:,]+ ){0,4}?"
_ANY_GAP = "\0"
"""Stands in the pattern of a phrase for one of these."""
_PIECE = re.compile(r"\.\.|[()|]|[*?]|[^\s()|*?]+")
_SPECIAL = {
    "N": r"\d+(?:\.\d+)? ",
    "YYYY": r"(?:19|20)\d\d ",
    "^": "^",
    "$": r"(?=(?:[.,!?;:)] )*$)",
}
_PLACES = ("^", "$")
_WORD_END = re.compile(r" (?=[|)]|$)")


def phrase_pattern(
    phrases: Iterable[str], *, across_no: bool = True, in_one_breath: bool = False
) -> re.Pattern[str]:
    """One pattern that finds any of the phrases in normalised words that end with a space.

    `across_no`: the words in a gap (`..`) may be a "no": "pain .. severe" is found in
    "the pain is not severe".
    `in_one_breath`: they may not be a comma or a "but".
    Raises ValueError for a phrase that cannot be read.
    """
    gap = _GAP_IN_ONE_BREATH if in_one_breath else _GAP_WITH_NO if across_no else _GAP
    pattern = "|".join(_read(phrase).pattern for phrase in phrases)
    return re.compile(rf"(?<!\S)(?:{pattern.replace(_ANY_GAP, gap)})")


class _Part(NamedTuple):
    """A part of a phrase, as a pattern."""

    pattern: str
    needs: tuple[frozenset[str], ...] = ()
    """Words (`feel*` for any ending): of each of these sets, one is in whatever it finds."""
    is_optional: bool = False
    """Whether it is found where there is no word at all."""


class _Phrase:
    """Reads one phrase. Every word in the pattern takes the space after it along."""

    def __init__(self, phrase: str) -> None:
        self.phrase = phrase
        self.pieces: list[str] = _PIECE.findall(phrase)
        self.position = 0

    def read(self) -> _Part:
        part = self._sequence()
        if self.position < len(self.pieces) or not part.pattern:
            raise ValueError(f"cannot read the phrase '{self.phrase}'")
        return part

    def _sequence(self) -> _Part:
        found = []
        while self.position < len(self.pieces) and self.pieces[self.position] not in (")", "|"):
            found.append(self._item())
        needs = tuple(need for part in found for need in part.needs)
        return _Part("".join(part.pattern for part in found), needs, all(part.is_optional for part in found))

    def _item(self) -> _Part:
        piece = self._take()
        if piece == "(":
            part = self._group()
        elif piece == "..":
            return _Part(_ANY_GAP, is_optional=True)
        elif piece in _SPECIAL:
            part = _Part(_SPECIAL[piece], is_optional=piece in _PLACES)
        elif piece in ("*", "?"):
            raise ValueError(f"'{piece}' has no word before it in '{self.phrase}'")
        else:
            part = _Part(re.escape(piece) + " ", (frozenset([piece]),))
        if self._skip("*"):
            part = part._replace(
                pattern=_WORD_END.sub(r"[^\\s]* ", part.pattern),
                needs=tuple(frozenset(word.rstrip("*") + "*" for word in need) for need in part.needs),
            )
        return _Part(f"(?:{part.pattern})?", is_optional=True) if self._skip("?") else part

    def _group(self) -> _Part:
        choices = [self._sequence()]
        while self._skip("|"):
            choices.append(self._sequence())
        if not self._skip(")"):
            raise ValueError(f"a bracket is not closed in '{self.phrase}'")
        places = [_SPECIAL[place] for place in _PLACES]
        if any(choice.is_optional and choice.pattern not in places for choice in choices):
            raise ValueError(
                f"a choice in a bracket may be missing as a whole in '{self.phrase}': write (a|b)? instead"
            )
        return _Part(
            f"(?:{'|'.join(choice.pattern for choice in choices)})",
            _any_of(choices),
            any(choice.is_optional for choice in choices),
        )

    def _take(self) -> str:
        self.position += 1
        return self.pieces[self.position - 1]

    def _skip(self, piece: str) -> bool:
        if self.position < len(self.pieces) and self.pieces[self.position] == piece:
            self.position += 1
            return True
        return False


@cache
def _read(phrase: str) -> _Part:
    """A phrase as a pattern. Raises ValueError for one that cannot be read."""
    return _Phrase(phrase).read()


def _any_of(parts: Iterable[_Part]) -> tuple[frozenset[str], ...]:
    """What any of several parts needs."""
    rarest = [min(part.needs, key=_commonness, default=None) for part in parts]
    if None in rarest:
        return ()
    return (frozenset(word for need in rarest if need for word in need),)


def _commonness(words: frozenset[str]) -> int:
    """How many messages hold one of the words, very roughly: short words are in most, long ones in few."""
    return sum(max(1, 40 >> len(word)) for word in words)


class Phrases:
    """Phrases of one kind, which are looked for together."""

    def __init__(self, phrases: Iterable[str], **gap: bool) -> None:
        """Read the phrases; `gap` as in `phrase_pattern`. Raises ValueError for one that cannot be read."""
        self.phrases = tuple(phrases)
        self.patterns = [phrase_pattern([phrase], **gap) for phrase in self.phrases]


def found_in(words: str, patterns: Sequence[re.Pattern[str]]) -> list[tuple[int, int]]:
    """Where patterns are found, from a character to the one after the last, as if they were one pattern.

    Nothing is found twice: what begins first counts, and of what begins at one place, the earlier pattern.
    """
    if len(patterns) == 1:
        return [match.span() for match in patterns[0].finditer(words)]
    found: list[tuple[int, int]] = []
    ahead = [match for pattern in patterns if (match := pattern.search(words))]
    end = 0
    while ahead:
        place = min(ahead, key=re.Match.start).span()
        found.append(place)
        end = max(place[1], place[0] + 1)  # "$" takes no letter along
        if end > len(words):
            break
        ahead = [
            later
            for match in ahead
            if (later := match if match.start() >= end else match.re.search(words, end)) is not None
        ]
    return found


class PhraseIndex:
    """Knows which of many phrases may be found at all, by the words that they need."""

    def __init__(self, kinds: Iterable[Phrases]) -> None:
        """Take the phrases of every kind."""
        self._phrases: list[tuple[Phrases, re.Pattern[str], tuple[frozenset[str], ...]]] = []
        self._always: list[int] = []
        self._by_word: dict[str, list[int]] = {}
        """The phrases by the rarest of their words, or the rarest stem with a `*`."""
        lengths: set[int] = set()
        for kind in kinds:
            for phrase, pattern in zip(kind.phrases, kind.patterns, strict=True):
                needs = sorted(_read(phrase).needs, key=_commonness)
                places = (
                    [self._by_word.setdefault(word, []) for word in needs[0]] if needs else [self._always]
                )
                for some in places:
                    some.append(len(self._phrases))
                self._phrases.append((kind, pattern, tuple(needs[1:])))
                lengths |= {len(word) - 1 for need in needs for word in need if word.endswith("*")}
        self._stem_lengths = sorted(lengths)

    def possible(self, words: str) -> dict[Phrases, list[re.Pattern[str]]]:
        """What may be found in normalised words, kind by kind; nothing else is."""
        here = set(words.split())
        here |= {word[:length] + "*" for word in here for length in self._stem_lengths if length <= len(word)}
        places = {place for word in here & self._by_word.keys() for place in self._by_word[word]}
        found: dict[Phrases, list[re.Pattern[str]]] = {}
        for place in sorted(places.union(self._always)):
            kind, pattern, others = self._phrases[place]
            for need in others:
                if need.isdisjoint(here):
                    break
            else:
                found.setdefault(kind, []).append(pattern)
        return found
