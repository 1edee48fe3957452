"""What a mention means: a statement, a denial ("no fever"), a doubt ("could be"), the past ("used to"),
somebody else ("my aunt has"), or a question ("what if I get").
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Literal

from spotwise.lexicon import Entry, Lexicon, Span
from spotwise.words import Phrases, found_in

Sense = Literal["stated", "doubted", "denied", "asked", "past", "other", "partner", "elsewhere"]

PLAINEST_FIRST: tuple[Sense, ...] = (
    "stated",
    "doubted",
    "denied",
    "partner",
    "other",
    "past",
    "asked",
    "elsewhere",
)
"""Where a message mentions a fact twice, the earlier of these counts."""

FARTHEST_NEGATION = 9
"""Words a "no" can reach over."""
FARTHEST_QUESTION = 10
FARTHEST_DOUBT = 7
FARTHEST_OTHER = 12
FARTHEST_PARTNER = 5

_SENTENCE_END = re.compile(r"[.!?;()] |: ")
_ENDS_NEGATION = re.compile(
    r"(?<!\S)(?:but|however|although|though|except|apart|because|when|until|while|just|only"
    r"|still|then|which|so|"
    r"now|since|i|we|she|he|they|it|its|there|some|bit|slight|slightly|mild|mildly|lots|thank"
    r"|sorry|due|more|-) "
)
_ENDS_QUESTION = re.compile(r"(?<!\S)(?:but|because|i have|i am|i had|i feel|and i|i got) ")
_ENDS_OTHER = re.compile(r"(?<!\S)(?:,|but|and i|i (?:am|have|had|was|feel|felt|bled|bleed|got|get)) ")
_ENDS_PARTNER = re.compile(r"(?<!\S)(?:,|i|my|me|and|we) ")
_ENDS_PART = re.compile(r"(?:(?:now|lol|though|haha|so) )*(?:$|[,.;!?)] |(?:and|but|so) )")
_PARTS = (", ", " and ", " but ", " then ")
"""What divides a sentence into parts, each of which may be about another part of the body."""
_ENDS_DOUBT = re.compile(r"(?<!\S)(?:,|but|and) ")
_ASKS = re.compile(
    r"^(?:so |and |but |also |or |, )*"
    r"(?:is it|is this|is that|can|could|does|do|should|would|will|what|how|am i supposed)\b"
)
_ASKS_WITHOUT_MARK = re.compile(
    r"^(?:so |and |but |also |or |, )*(?:could|would|should|will) "
    r"(?!i |be |say |have |not |rather |like |prefer )"
)
_ASKS_FOR_ADVICE = re.compile(r"(?:should|can|do) i ")
_FIRST_PERSON = re.compile(r"(?<!\S)(?:i|my|me|we|she|her) ")
_METHODS = frozenset(
    {
        *("combined_pill", "progestogen_pill", "implant", "injection", "patch_or_ring"),
        *("hormonal_coil", "copper_coil", "hrt", "testosterone"),
    }
)
"""Values that are told where somebody calls them theirs, and given up where somebody changes to another."""
_LOSES = re.compile(r"(?:[^\s.!?;]+ ){0,6}?(?:out|stopped|removed|finished|years? ago) ")
_CHANGES_FROM = re.compile(
    r"(?<!\S)(?:switch|swap|chang|mov|went|gone|going)\w* (?:over |me )?from (?:(?!(?:on)?to )\S+ ){0,2}$"
)
_BLEEDS = re.compile(r"bleed|bled|blood|spot|soak|hemorrh|faint|passed out|collaps")
_RELATIVE = re.compile(r"(?:aunt|mum|mom|mother|sister|friend|mate|cousin|nan|gran)")
_CLAUSE = re.compile(r"(?<!\S)(?:is|are|was|were|has|have|had) ")
"""A mention with a verb of its own is no more of a list that a "no" began."""
_NEXT_SENTENCE = re.compile(r"[.!;]")
_NUMBER = re.compile(r"\d+(?:\.\d+)? |an? (?=(?:[^\s.!?;]+ )?(?:pads?|tampons?|hour) )")
"""A number, or the "a" of "a pad an hour"."""
_GONE_REACH = 4
"""Characters between a mention and "gone": the space and a comma."""
_BEFORE_GONE = re.compile(
    r"(?:(?:this morning|this afternoon|last night|last week|yesterday|today|earlier|before|at first|after"
    r"|afterwards|a bit|a little) )*(?:, )?(?:but|and|then|though) (?:it|they|that|this|those|all|both)? ?"
)
"""What may stand between them besides: "cramps this morning but they have gone"."""
_SINCE_THEN = re.compile(
    r"(?<!\S)(?:and|then|so) (?:[^\s.!?;]+ ){0,4}?(?:yesterday|today|tonight|now|last night) "
)
"""After what is past: "an abortion two weeks ago and after sex yesterday I got a fever"."""
_LIST_OF_THE_PAST = re.compile(r"(?<!\S)(?:i|it|we|she|he|they|now|but|still|then|today|since|this) ")
"""What ends a list that "used to" began: "used to get thrush, itching, the lot"."""


class Message:
    """The words of one message and the cues in them."""

    def __init__(self, words: str, lexicon: Lexicon, about_other: bool) -> None:
        """`about_other`: it is known to be written for somebody else."""
        self.words = words
        self.lexicon = lexicon
        self._senses: dict[tuple[str, str, Span], Sense] = {}
        self._possible = lexicon.possible(words)
        self._found: dict[Phrases, list[Span]] = {}
        self.entries = lexicon.entries_with(self._possible)
        """The entries of which something may be found."""
        self.about_other = about_other or self._is_for_other()
        """The person writes for somebody else, whose facts these are."""
        self.cues = {name: self.find(phrases) for name, phrases in lexicon.cues.items()}
        for name in ("past", "negative", "other"):
            look_alikes = self.cues[f"not_{name}"]
            self.cues[name] = [cue for cue in self.cues[name] if not cue.touches(look_alikes)]
        if self.about_other:
            her = self._who_bleeds()
            self.cues["other"] = [cue for cue in self.cues["other"] if not cue.touches(her)]

    def find(self, phrases: Phrases | None) -> list[Span]:
        """Where phrases of the lexicon are found; looked for once, for a message is read several times."""
        if phrases is None or phrases not in self._possible:
            return []
        found = self._found.get(phrases)
        if found is None:
            found = [Span(*place) for place in found_in(self.words, self._possible[phrases])]
            self._found[phrases] = found
        return found

    def has_sign(self, name: str) -> bool:
        """Whether it has one of the lexicon's signs."""
        return bool(self.find(self.lexicon.signs[name]))

    def _is_for_other(self) -> bool:
        """Whether it is about somebody else's bleeding."""
        return self.has_sign("surely_for_other") or (
            self.has_sign("for_other") and not self.has_sign("not_for_other")
        )

    def _who_bleeds(self) -> list[Span]:
        """Where the one who bleeds is named: "my sister" is no other where a sentence tells of her blood."""
        named = self.find(self.lexicon.signs["for_other"])
        bleeds = [span for span in named if _BLEEDS.search(self.words, span.start, self.sentence(span).end)]
        return [*bleeds, *self.find(self.lexicon.signs["surely_for_other"])]

    def sentence(self, span: Span) -> Span:
        """The sentence around a mention."""
        start = 0
        for match in _SENTENCE_END.finditer(self.words, 0, span.start):
            start = match.end()
        end = _SENTENCE_END.search(self.words, span.end)
        return Span(start, end.start() if end else len(self.words))

    def sense(self, entry: Entry, span: Span) -> Sense:
        """What the mention at `span` means; worked out once for each entry of the lexicon."""
        mention = entry.slot, entry.value, span
        if mention not in self._senses:
            self._senses[mention] = self._worked_out(entry, span)
        return self._senses[mention]

    def _worked_out(self, entry: Entry, span: Span) -> Sense:
        sentence = self.sentence(span)
        if self.is_denied(entry, span, sentence):
            return "denied"
        if "question" not in entry.counts and self.is_asked(span, sentence) and not self._is_own(entry, span):
            return "asked"
        if self._is_left(entry, span):
            return "past"
        if "past" not in entry.counts and self._is_past(span, sentence):
            return "past"
        if "other" not in entry.counts and (
            self.is_others(span, sentence) or self._is_said_to_be_others(span, sentence)
        ):
            return "other"
        if self.lexicon.is_of_the_body(entry) and self._is_elsewhere(span, sentence):
            return "elsewhere"
        if (
            "partner" not in entry.counts
            and not self.about_other
            and self._follows("partner", span, sentence, FARTHEST_PARTNER, _ENDS_PARTNER)
        ):
            return "partner"
        if self._follows("unsure", span, sentence, FARTHEST_DOUBT, _ENDS_DOUBT):
            return "doubted"
        return "stated"

    def _is_own(self, entry: Entry, span: Span) -> bool:
        """Whether it is called one's own: "would antibiotics harm my Rigevidon?" tells of the pill."""
        own = entry.value in _METHODS and not _LOSES.match(self.words, span.end)
        return own and self.words.startswith("my ", max(0, span.start - 3))

    def _is_left(self, entry: Entry, span: Span) -> bool:
        """Whether it was given up for another: "switched from Slynd to Yaz"."""
        before = self.words[max(0, span.start - 40) : span.start]
        return entry.value in _METHODS and _CHANGES_FROM.search(before) is not None

    @cached_property
    def own_numbers(self) -> str:
        """The words without the numbers that are told of somebody else, of an if, or of the past."""

        def kept(match: re.Match[str]) -> str:
            span = Span(*match.span())
            sentence = self.sentence(span)
            not_own = (
                self.is_others(span, sentence)
                or self._is_said_to_be_others(span, sentence)
                or self._follows("hypothetical", span, sentence, FARTHEST_QUESTION, _ENDS_QUESTION)
                or self._is_past(span, sentence)
            )
            return "- " if not_own else match[0]

        return _NUMBER.sub(kept, self.words)

    def is_denied(self, entry: Entry, span: Span, sentence: Span) -> bool:
        """Whether a "no" before it reaches the mention, or it is told as gone."""
        if "gone" not in entry.counts and any(
            self._is_said_of(span, cue) for cue in self.cues["gone"] if cue.start >= span.end
        ):
            return True
        if any(cue.start == span.start for cue in self.cues["negative"]):
            return False  # "no womb": its own "no" belongs to it
        return any(
            sentence.start <= cue.start and cue.end <= span.start and self._reaches(cue, span, entry.slot)
            for cue in self.cues["negative"]
        )

    def _is_said_of(self, span: Span, gone: Span) -> bool:
        """Whether what is told as gone is the mention before it."""
        between = self.words[span.end : gone.start]
        near = len(between) <= _GONE_REACH and not _NEXT_SENTENCE.search(between)
        return near or _BEFORE_GONE.fullmatch(between) is not None

    def _reaches(self, negation: Span, span: Span, slot: str) -> bool:
        """Whether the negation still holds at `span`: "no fever, chills or pain" denies all three."""
        between = self.words[negation.end : span.start]
        first_word = self.words[span.start :].split(" ", 1)[0] + " "
        if _ENDS_NEGATION.search(between + first_word) or len(between.split()) > FARTHEST_NEGATION:
            return False
        if self.words.startswith("without ", negation.start) and re.search(r"(?<!\S)(?:,|and) ", between):
            return False
        if ", the " in between:  # "not the coil, the implant"
            return False
        if "," in between and _CLAUSE.search(self.words[span.start : span.end]):
            return False
        in_a_row = slot in self.lexicon.denied_in_a_row
        first, *more = between.split(", ")
        if not more:
            return in_a_row or "and " not in first
        if not in_a_row and " or " not in self.words[negation.start : span.end + 30]:
            return False
        return all(len(part.split()) <= 4 for part in (first, *more)) and len(more[-1].split()) <= 2

    def is_asked(self, span: Span, sentence: Span) -> bool:
        """Whether the mention stands in a question, a worry or an if."""
        for cue in self.cues["question"]:
            if sentence.start <= cue.start and cue.end <= span.start:
                between = self.words[cue.end : span.start]
                if len(between.split()) <= FARTHEST_QUESTION and not _ENDS_QUESTION.search(between):
                    return True
        before = self.words[sentence.start : span.start]
        if _ASKS_WITHOUT_MARK.match(before) and not _ENDS_QUESTION.search(before):
            return True
        if self.words[sentence.end : sentence.end + 1] != "?" or not _ASKS.match(before):
            return False
        return not _FIRST_PERSON.search(_ASKS_FOR_ADVICE.sub("", before))

    def _is_past(self, span: Span, sentence: Span) -> bool:
        """Whether a past cue stands in the same part of the sentence, between commas."""
        if any(
            self.words.startswith("used to ", cue.start)
            and sentence.start <= cue.start
            and cue.end <= span.start
            and not _LIST_OF_THE_PAST.search(self.words[cue.end : span.start])
            for cue in self.cues["past"]
        ):
            return True
        left = max(self.words.rfind(stop, sentence.start, span.start) + 1 for stop in (", ", " but "))
        comma = self.words.find(", ", span.end, sentence.end)
        right = comma if comma != -1 else sentence.end
        return any(
            (
                (max(left, sentence.start) <= cue.start < right and not cue.touches([span]))
                and not _SINCE_THEN.search(self.words[cue.end : span.start])
            )
            or (cue.start == right + 2 and _ENDS_PART.match(self.words, cue.end))  # "fainted once, years ago"
            for cue in self.cues["past"]
        )

    def _is_elsewhere(self, span: Span, sentence: Span) -> bool:
        """Whether the same part of the sentence names a part of the body that is not meant here."""
        left = max(self.words.rfind(stop, sentence.start, span.start) + 1 for stop in _PARTS)
        ends = [self.words.find(stop, span.end, sentence.end) for stop in _PARTS]
        right = min((end for end in ends if end != -1), default=sentence.end)
        return any(
            max(left, sentence.start) <= cue.start < right and not cue.touches([span])
            for cue in self.cues["elsewhere"]
        )

    def _is_said_to_be_others(self, span: Span, sentence: Span) -> bool:
        """Whether what follows says that somebody else is meant: "tamoxifen? no, that is my sister"."""
        return any(
            cue.start >= span.end and len(self.words[span.end : cue.start].split()) <= FARTHEST_PARTNER
            for cue in self.cues["other_after"]
        )

    def is_others(self, span: Span, sentence: Span) -> bool:
        """Whether it is told of somebody else than the person who bleeds."""
        inside = any(span.start < cue.start and cue.end < span.end for cue in self.cues["other"])
        if not inside and not self._follows("other", span, sentence, FARTHEST_OTHER, _ENDS_OTHER):
            return False
        return not self.about_other or bool(_RELATIVE.search(self.words[sentence.start : span.end]))

    def _follows(self, name: str, span: Span, sentence: Span, reach: int, ends: re.Pattern[str]) -> bool:
        """Whether the mention follows a cue within `reach` words, with nothing in between that ends it."""
        for cue in self.cues[name]:
            if sentence.start <= cue.start and cue.end <= span.start:
                between = self.words[cue.end : span.start]
                mention = self.words[span.start : span.end] if name == "other" else ""
                if len(between.split()) <= reach and not ends.search(between + mention):
                    return True
        return False
