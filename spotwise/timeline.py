"""What the times in a message belong to: a birth, a procedure, the last period, a method, the bleeding."""

from __future__ import annotations

import re

from spotwise.lexicon import Entry, Span
from spotwise.measures import Time
from spotwise.senses import Message

RECENT_BIRTH = 84.0
"""Days (D11, E14: 12 weeks)."""
RECENT_PROCEDURE = 42.0
"""Days (D12, E15: 6 weeks)."""
RECENT_HYSTERECTOMY = 92.0
"""Days (D12: 3 months)."""
NEW_METHOD = 92.0
"""Days (R04: 3 months)."""
YEAR = 359.0
"""Days without a period from which on periods have stopped for good (S01: 12 months)."""
LATE_PERIOD = 38.0
"""Days since the last period from which on one is late."""
STOPPED_PERIODS = 60.0
"""Days since the last period from which on they have stopped, where somebody says so."""
DAY_OF_BLEEDING = 1.0
LONGEST_BLEEDING = 60.0
"""Days; what is longer ago is not this bleeding."""
_JUST_NOW = 14.0
"""Days taken for "just" and "recently"."""

_ABOUT_PREGNANCY = frozenset({"pregnant", "gone", "along", "late", "overdue"})
_NOT_THE_BLEEDING = frozenset({"old", "before", "early", *_ABOUT_PREGNANCY})
_BLEEDING_BETWEEN = re.compile(r"(?<!\S)(?:sex|intercourse|slept|bleed\w*|spot\w*|blood|periods?) ")
_RECENTLY = re.compile(r"\b(?:newborn|new baby|just|recently|recent|post ?partum)\b")
_LONG_AGO = re.compile(
    r"\b(?:old|years|grown|kids|children)\b|(?:son|daughter|boy|girl|he|she) is \d+ (?:[.,;!]|$)"
)
_LAST_PERIOD = re.compile(
    r"(?:last (?:proper |real |ever |menstrual |natural )?(?:period|one|bleed)|lmp|period|periods|menses"
    r"|menstruat\w*"
    r"|(?<!like my )(?<!like the )(?<!like a )(?<!bleeding )monthly|monthlies|aunt flo|not bled)"
    r" (?:[^\s.!?;]+ ){0,6}?$"
)
_SINCE_PERIOD = re.compile(
    r"(?:[^\s.!?;,]+ ){0,3}?(?:since|without|clear of|free of) (?:[^\s.!?;,]+ ){0,4}(?:period|periods|bleed)"
)
_MY_LAST_PERIOD = re.compile(
    r"(?:my|her|the) (?:last|final) (?:[^\s.!?;,]+ ){0,2}?(?:period|bleed|monthly|menses)"
)
"""After a time that is told with its "since"."""
_NOT_PERIOD = re.compile(
    r"(?:boyfriend|partner|husband|wife|same|due|started|fitted|implant|coil|pill|injection|jab|depo"
    r"|mirena|testosterone|born|baby|smear|hrt|married|together"
    r"|late|overdue|after sex|heav|lighter|irregular|longer|closer)"
)
_STARTED_METHOD = re.compile(
    r"(?<!\S)(?:start\w*|began|begun|new|fitted|switched|changed|swapped|put in|inserted|went "
    r"on|been on|have been on"
    r"|on it|on them|taking it|since|in(?= for)) "
)
_NOT_METHOD = re.compile(
    r"(?<!\S)(?:sex|bleed\w*|spot\w*|blood|partner|seeing|boyfriend|pain|itch\w*|period\w*|[.;]) "
)
_NOT_BLEEDING = re.compile(
    r"(?:pill|coil|implant|born|birth|period|smear|pregnan|operation|surgery|(?:boyfriend"
    r"|partner|together) (?:for|of|since)"
    r"|seeing|married|test|antibiotic|offshore|away|itch|fitted|appointment|scan|last \w+ "
    r"lasted|due|shift|bloat|ache|abortion)"
)
_BLEEDS = re.compile(r"bleed|spot|blood")
_BLED_ON = re.compile(
    r"(?<!not )(?<!not even )(?<!never )(?<!\S)bled (?:on and off |non stop |constantly )?$"
)
_OVER = re.compile(r"(?:stopped|gone|nothing)")
_BEGAN = re.compile(
    r"(?:start\w*|began|begun|happened|came on|noticed|bleed\w*|bled|spot\w*|sex|slept|going) "
    r"(?:[^\s.!?;]+ ){0,5}$"
)


_GOES_ON_SO_LONG = re.compile(r" (?:and counting|of it|so far|straight|solid|already|non stop)(?!\S)")
_HAS_BEEN = re.compile(r"(?<!\S)it (?:is|has)(?: been)? (?:about|over|nearly|like|at least|well over)? ?$")
_EVER_SINCE = re.compile(
    r" (?:[^\s.!?;]+ ){0,5}?(?:bleed\w*|spot\w*|blood) (?:[^\s.!?;]+ ){0,2}?(?:ever )?since (?:[.,!?;]|$)"
)


_NOT_DONE = re.compile(
    r"(?<!\S)(?:meant|supposed|due|waiting|book|booked|referred|need|needs|missed|list|going|letter|invited|wrote"
    r"|written) "
    r"(?:[^\s.!?;]+ ){0,5}?$"
)
_NEVER_DONE = re.compile(
    r"(?:[^\s.!?;]+ ){0,3}?(?:never|did not) (?:did|had|have|been)"
    r"|(?:[^\s.!?;]+ ){0,6}?(?:never (?:went|gone|attended)|did not (?:go|attend|turn up))"
)
"""A procedure that was planned, or missed."""


class Timeline:
    """The times of one message and what they belong to."""

    def __init__(self, message: Message, times: list[Time], asked: str | None) -> None:
        self.message = message
        self.words = message.words
        self.times = times
        self.asked = asked

    def recent_birth(self) -> bool | None:
        """Whether a birth was in the last 12 weeks; None where none is told, or not when."""
        days = self._days_since_own("birth", "recent_birth")
        return max(days) <= RECENT_BIRTH if days else None

    def recent_procedure(self) -> bool | None:
        """Whether a procedure was in the last 6 weeks; None where none is told, or not when."""
        days = self._days_since_own("procedure", "recent_procedure")
        return min(days) <= RECENT_PROCEDURE if days else None

    def procedure_in_12_weeks(self) -> bool:
        """Whether a procedure was more than 6 and up to 12 weeks ago (W08)."""
        days = self._days_since_own("procedure", "recent_procedure")
        return bool(days) and RECENT_PROCEDURE < min(days) <= RECENT_BIRTH

    def recent_hysterectomy(self) -> bool:
        """Whether the womb was taken out in the last 3 months."""
        for span in self.message.find(self.message.lexicon.events["hysterectomy"]):
            days = self._nearest(span, self.message.sentence(span))
            if days is not None:
                return days <= RECENT_HYSTERECTOMY
        return False

    def _days_since_own(self, event: str, value: str) -> list[float]:
        """Days since each such event of the person's own that is told with a time."""
        found = []
        entry = Entry("medical_history", value, None)
        for span in self.message.find(self.message.lexicon.events[event]):
            sentence = self.message.sentence(span)
            if (
                _NOT_DONE.search(self.words[max(0, span.start - 40) : span.start])
                or _NEVER_DONE.match(self.words[span.end : span.end + 50])
                or self.message.is_denied(entry, span, sentence)
                or self.message.is_asked(span, sentence)
                or self.message.is_others(span, sentence)
            ):
                continue
            days = self._nearest(span, sentence, birth=event == "birth")
            told = self.words[sentence.start : sentence.end]
            if days is None and _RECENTLY.search(told):
                days = _JUST_NOW
            if days is None and self.asked == "medical_history" and not _LONG_AGO.search(told):
                days = 0.0
            if days is not None:
                found.append(days)
        return found

    def _nearest(self, event: Span, sentence: Span, birth: bool = False) -> float | None:
        """How many days ago the event was, by the time told nearest to it in its sentence."""
        best: tuple[int, float] | None = None
        for time in self.times:
            if time.start < sentence.start or time.end > sentence.end or time.about in _ABOUT_PREGNANCY:
                continue
            if (birth and time.days < 1) or (not birth and time.about == "old"):
                continue
            distance = max(time.start - event.end, event.start - time.end, 0)
            between = self.words[min(time.end, event.end) : max(time.start, event.start)]
            if distance > 70 or _BLEEDING_BETWEEN.search(between):
                continue
            if best is None or distance < best[0]:
                best = (distance, time.days)
        return best[1] if best else None

    def days_since_period(self) -> float | None:
        """Days since the last period, where they are told."""
        found = None
        for time in self.times:
            before = self.words[max(0, time.start - 60) : time.start]
            after = self.words[time.end : time.end + 45].lstrip()
            tied = _LAST_PERIOD.search(before) or _SINCE_PERIOD.match(after)
            if time.about == "since":
                tied = tied or _MY_LAST_PERIOD.match(after)
            if self.asked == "periods":
                tied = tied or time.about in ("ago", "since", "now") or bool(time.before)  # type: ignore[assignment]
            repeats = re.search(r"(?:every|each|for) $", before) and time.days < 10
            not_yet = re.search(r"(?<!\S)not (?:yet |quite |been |had |even |a |about )*$", before)
            if not tied or repeats or not_yet or time.days < 1.5 or time.about in ("late", "overdue", "old"):
                continue
            if not _NOT_PERIOD.search(before[-30:]):
                found = max(found or 0.0, time.days)
        return found

    def new_method(self, mentions: list[int]) -> bool | None:
        """Whether a method was started in the last 3 months; None where no time is told.

        `mentions` is where methods are named: the time has to stand in the sentence of one, unless the
        question was about them.
        """
        for match in _STARTED_METHOD.finditer(self.words):
            sentence = self.message.sentence(Span(*match.span()))
            named = any(sentence.start <= at < sentence.end for at in mentions)
            if not named and self.asked != "contraception":
                continue
            for time in self.times:
                between = self.words[min(time.end, match.end()) : max(time.start, match.start())]
                if (
                    len(between.split()) > 7
                    or re.search(r"[.!?;] ", between)
                    or _NOT_METHOD.search(between)
                    or time.about in ("old", "pregnant", "late")
                ):
                    continue
                return time.days <= NEW_METHOD
        return None

    def days_of_bleeding(self, going: bool) -> float | None:
        """How long the bleeding has gone on, where it is told. `going`: it is told to go on."""
        asked = self.asked == "bleeding_status"
        best: float | None = None
        for time in self.times:
            if time.days > LONGEST_BLEEDING or (time.about in _NOT_THE_BLEEDING and not asked):
                continue
            around = self.words[max(0, time.start - 25) : time.end + 15]
            before = self.words[max(0, time.start - 40) : time.start]
            if _NOT_BLEEDING.search(around) or time.before.startswith(("less", "under", "within")):
                continue
            since = (
                time.before.startswith(("since", "for", "over", "more"))
                or time.about in ("now", "since", "later", "after")
                or re.search(r"(?:since|for) $", before)
            )
            after = self.words[time.end : time.end + 60]
            has_been = _HAS_BEEN.search(before)
            goes_on = going and (since or has_been or _BEGAN.search(before) or time.about == "ago")
            bled_on = time.before.startswith("since") and _BLED_ON.search(before)
            bled_since = since and (bled_on or _BLEEDS.search(around)) and not _OVER.search(around)
            so_long = _GOES_ON_SO_LONG.match(after) or (time.about == "ago" and _EVER_SINCE.match(after))
            if asked or goes_on or bled_since or so_long:
                best = max(best or 0.0, time.days)
        return best
