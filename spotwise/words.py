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
from collections.abc import Iterable, Mapping

LONGEST = 8_000
"""Characters that are read. More than anyone types; the rest of a longer text is ignored."""

_QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "–": "-", "—": " - "})

_CONTRACTIONS = [
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
            r"\b(its|thats|theres|shes|hes|whats)\b(?= (a|an|the|been|not|now|stopp|gone|going|still|just|all|bleed|only|like|so|too|very|really|about|over|light|heavy|slow|done|fine|me|my|no|getting|\d)\w*)"
        ),
        lambda m: m[1][:-1] + " is",
    ),
    (re.compile(r"'s\b"), " s"),
]

_NUMBERS = {
    word: str(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
}
_TENS = {
    word: number
    for number, word in zip(
        range(20, 100, 10), "twenty thirty forty fifty sixty seventy eighty ninety".split(), strict=True
    )
}
_TEN_PATTERN = re.compile(rf"\b({'|'.join(_TENS)})(?:[ -](one|two|three|four|five|six|seven|eight|nine))?\b")
_WORD = re.compile(r"\d+(?:[.,]\d+)?|\d+|[^\W\d_]+|[.,!?;:()/+-]|%|°|\n")


def normalise(text: str, spellings: Mapping[str, str] | None = None) -> str:
    """The words of `text` in lower case with single spaces, numbers as digits, punctuation as words.

    `spellings` maps a misspelt or shortened word to what is meant ("preg" -> "pregnant").
    """
    text = unicodedata.normalize("NFKC", text[:LONGEST]).translate(_QUOTES).lower()
    text = "".join(c if c == "\n" or unicodedata.category(c)[0] != "C" else " " for c in text)
    for pattern, words in _CONTRACTIONS:
        text = pattern.sub(words, text)
    text = re.sub(r"½", " 0.5 ", text)
    text = re.sub(r"(?<=\d)(?=[^\W\d_])|(?<=[^\W\d_])(?=\d)", " ", text)  # "20f" -> "20 f"
    text = re.sub(r"(?<=[^\W_])-(?=[^\W\d_])", " ", text)  # "one-sided" -> "one sided"
    text = _TEN_PATTERN.sub(_ten, text)
    words = [_NUMBERS.get(word, word) for word in _WORD.findall(text)]
    if spellings:
        words = [spellings.get(word, word) for word in words]
    joined = " ".join(
        "." if word in "\n" else word.replace(",", ".") if word[0].isdigit() else word for word in words
    )
    joined = re.sub(r"\ba hundred\b", "100", joined)
    joined = re.sub(r"\b(\d+) and a half\b", lambda m: f"{m[1]}.5", joined)
    joined = re.sub(r"\b(an?|1) (hour|day|week|month|year) and a half\b", r"1.5 \2s", joined)
    return re.sub(r"\bhalf an? (hour|day|year)\b", r"0.5 \1", joined)


def _ten(match: re.Match[str]) -> str:
    return str(_TENS[match[1]] + int(_NUMBERS[match[2]] if match[2] else 0))


_GAP = r"(?:[^\s.!?;:]+ ){0,4}?"
_PIECE = re.compile(r"\.\.|[()|]|[*?]|[^\s()|*?]+")
_SPECIAL = {
    "N": r"\d+(?:\.\d+)? ",
    "YYYY": r"(?:19|20)\d\d ",
    "^": "^",
    "$": r"(?=(?:[.,!?;:)] )*$)",
    "..": _GAP,
}


def phrase_pattern(phrases: Iterable[str]) -> re.Pattern[str]:
    """One pattern that finds any of the phrases in normalised words that end with a space.

    Raises ValueError for a phrase that cannot be read.
    """
    return re.compile(r"(?<!\S)(?:" + "|".join(_Phrase(phrase).pattern() for phrase in phrases) + ")")


class _Phrase:
    """Reads one phrase. Every word in the pattern takes the space after it along."""

    def __init__(self, phrase: str) -> None:
        self.phrase = phrase
        self.pieces = _PIECE.findall(phrase)
        self.position = 0

    def pattern(self) -> str:
        pattern = self._sequence()
        if self.position < len(self.pieces) or not pattern:
            raise ValueError(f"cannot read the phrase '{self.phrase}'")
        return pattern

    def _sequence(self) -> str:
        found = []
        while self.position < len(self.pieces) and self.pieces[self.position] not in (")", "|"):
            found.append(self._item())
        return "".join(found)

    def _item(self) -> str:
        piece = self._take()
        if piece == "(":
            words = self._group()
        elif piece in _SPECIAL:
            return _SPECIAL[piece]
        elif piece in ("*", "?"):
            raise ValueError(f"'{piece}' has no word before it in '{self.phrase}'")
        else:
            words = re.escape(piece) + " "
        if self._skip("*"):
            words = re.sub(r" (?=[|)]|$)", lambda _: r"[^\s]* ", words)
        return f"(?:{words})?" if self._skip("?") else words

    def _group(self) -> str:
        choices = [self._sequence()]
        while self._skip("|"):
            choices.append(self._sequence())
        if not self._skip(")"):
            raise ValueError(f"a bracket is not closed in '{self.phrase}'")
        return f"(?:{'|'.join(choices)})"

    def _take(self) -> str:
        self.position += 1
        return self.pieces[self.position - 1]

    def _skip(self, piece: str) -> bool:
        if self.position < len(self.pieces) and self.pieces[self.position] == piece:
            self.position += 1
            return True
        return False
