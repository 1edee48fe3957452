"""From a message to facts: what the person states, denies, doubts, or says of somebody else.

The words to look for are in `knowledge/lexicon.yml`. This module decides what a mention means: a denial
("no fever"), a doubt ("could be"), the past ("used to"), another person ("my aunt has"), a question
("what if I get"), or a plain statement. It reads one message on its own; what the facts of several
messages come to is the task of `spotwise.facts`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml

from spotwise import measures
from spotwise.conditions import Vocabulary
from spotwise.knowledge import DEFAULT_FOLDER, load_knowledge
from spotwise.words import normalise, phrase_pattern

Answer = Literal["yes", "no", "unsure", "decline"]
Sense = Literal["stated", "doubted", "denied", "asked", "past", "other", "partner"]

LISTS = ("danger_signs", "symptoms", "contraception", "medical_history", "circumstances", "details")
NOTHING_SAID = {"circumstances": "undisclosed", "consent": "undisclosed", "age_group": "undisclosed"}


@dataclass(frozen=True)
class Reading:
    """What one message says."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    """Slot -> value, list of values, or number; only what is stated."""
    denied: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Slot -> values that the message says do not apply."""
    answer: Answer | None = None
    """Set where the message as a whole is a yes, a no, "not sure" or "I'd rather not say"."""
    correction: bool = False
    """The message corrects something said before."""
    back: bool = False
    """The person wants the previous question again."""
    starts: bool = False
    """The message tells of bleeding, or asks to begin, in words that start the questions."""

    def __bool__(self) -> bool:
        return bool(self.facts)


@dataclass(frozen=True)
class _Entry:
    """How one value of a slot is said."""

    slot: str
    value: str
    say: re.Pattern[str]
    unlike: re.Pattern[str] | None
    counts: frozenset[str]


@dataclass(frozen=True)
class _Span:
    start: int
    end: int


# What ends the reach of "no", "not", "without".
_BREAK = re.compile(
    r"(?<!\S)(?:but|however|although|though|except|apart|because|when|until|while|just|only|still|then|which|so|now|"
    r"since|i|we|she|it|there|some|bit|slight|slightly|mild|mildly|lots|thank|sorry|due) "
)
_STOP = re.compile(r"[.!?;()] |: ")
_GENERIC_PAIN = re.compile(r"(?<!\S)(?:pains?|painful|hurts?|hurting|ache|aches|aching|achy|discomfort|sore|soreness|cramps?|cramping) ")
_SUBJECT_ASKS = re.compile(
    r"^(?:so |and |but |also |or |, )*(?:is it|is this|is that|can|could|does|do|should|would|will|what|how|am i supposed)\b"
)
_FIRST_PERSON = re.compile(r"(?<!\S)(?:i|my|me|we|she|her) ")
_NO_PERIOD_FOR = re.compile(
    r"(?:last (?:proper |real |ever )?(?:period|one|bleed)|period|periods|menstruat\w*) (?:[^\s.!?;]+ ){0,6}?$"
)


class Reader:
    """Reads messages with the lexicon of a knowledge folder. Build once, use for every message."""

    def __init__(self, folder: Path = DEFAULT_FOLDER, vocabulary: Vocabulary | None = None) -> None:
        raw = yaml.safe_load((folder / "lexicon.yml").read_text(encoding="utf-8"))
        self.vocabulary = vocabulary or load_knowledge(folder).vocabulary
        self._spellings: dict[str, str] = raw["spellings"]
        self._cues = {name: phrase_pattern(phrases) for name, phrases in raw["cues"].items()}
        self._answers = {name: re.compile(r"(?:[,.!]+ |so |well |oh |um |erm |ok |okay |thanks |hi |hmm |honestly |ah )*(?:" + phrase_pattern(phrases).pattern + ")") for name, phrases in raw["answers"].items()}
        self._events = {name: phrase_pattern(phrases) for name, phrases in raw["events"].items()}
        self._starts = phrase_pattern(raw["starts"])
        self._screening_fine = phrase_pattern(raw["screening_fine"])
        self._entries = [entry for slot, values in raw["facts"].items() for entry in self._entries_of(slot, values)]

    def _entries_of(self, slot: str, values: Mapping[str, Any]) -> Iterable[_Entry]:
        for value, how in values.items():
            if slot not in self.vocabulary or value not in self.vocabulary[slot].values:
                raise ValueError(f"lexicon.yml: '{slot}: {value}' is not in slots.yml")
            how = {"say": how} if isinstance(how, list) else how
            if how["say"]:
                unlike = phrase_pattern(how["except"]) if how.get("except") else None
                yield _Entry(slot, value, phrase_pattern(how["say"]), unlike, frozenset(how.get("counts") or ()))

    # --- The whole message ---

    def read(self, text: str, asked: str | None = None, person: str = "self", now: datetime | None = None) -> Reading:
        """Read one message.

        `asked` is the slot of the question just asked, which gives short answers their meaning; `person`
        is "other" where somebody else bleeds; `now` is the moment of the message, for weekdays.
        """
        words = normalise(text, self._spellings) + " "
        words = re.sub(r" +", " ", words).lstrip()
        message = _Message(words, self, person, now or datetime.now(), asked)
        return message.reading()


class _Message:
    """One message being read."""

    def __init__(self, words: str, reader: Reader, person: str, now: datetime, asked: str | None) -> None:
        self.words = words
        self.reader = reader
        self.asked = asked
        self.now = now
        self.cues = {name: [_Span(m.start(), m.end()) for m in pattern.finditer(words)] for name, pattern in reader._cues.items()}
        self.cues["past"] = [cue for cue in self.cues["past"] if not _touches(cue, self.cues["not_past"])]
        self.cues["negative"] = [cue for cue in self.cues["negative"] if not _touches(cue, self.cues["not_negative"])]
        self.person = "other" if person == "other" or _speaks_for_other(words) else "self"
        self.found: dict[str, dict[str, Sense]] = {}
        self.times = measures.times(words, now)

    def reading(self) -> Reading:
        self._find_values()
        self._read_measures()
        self._read_events()
        facts, denied = self._settle()
        answer = self._answer()
        if self.person == "other":
            facts["person"] = "other"
        if self.asked:
            self._apply_answer(facts, denied, answer)
        return Reading(
            facts={slot: value for slot, value in facts.items() if value not in (None, [])},
            denied={slot: frozenset(values) for slot, values in denied.items() if values},
            answer=answer,
            correction=bool(self.cues["correction"]),
            back=bool(self.cues["back"]),
            starts=bool(self.reader._starts.search(self.words)),
        )

    # --- Mentions and what they mean ---

    def _find_values(self) -> None:
        for entry in self.reader._entries:
            avoid = [_Span(m.start(), m.end()) for m in entry.unlike.finditer(self.words)] if entry.unlike else []
            senses = [self._sense(entry, span) for m in entry.say.finditer(self.words) if not _touches(span := _Span(m.start(), m.end()), avoid)]
            for sense in ("stated", "doubted", "denied", "partner", "other", "past", "asked"):
                if sense in senses:
                    self.found.setdefault(entry.slot, {})[entry.value] = sense  # type: ignore[assignment]
                    break

    def _sense(self, entry: _Entry, span: _Span) -> Sense:
        start, end = self._sentence(span)
        before = self.words[start : span.start]
        if self._is_denied(entry, span, start):
            return "denied"
        if entry.slot != "details" or entry.value not in ("worried", "self_harm"):
            if "question" not in entry.counts and self._is_asked(span, start, end):
                return "asked"
        if "past" not in entry.counts and self._is_past(span, start, end) and entry.slot != "consent":
            return "past"
        if "other" not in entry.counts and self._near(span, "other", start, 12, (",", "but", "and i ", "i am", "i have")):
            return "other" if self.person == "self" or re.search(r"(?:aunt|mum|mom|mother|sister|friend|mate|cousin|nan|gran)", before) else "stated"
        if "partner" not in entry.counts and self.person == "self" and entry.slot not in ("consent", "circumstances", "bleeding_amount", "bleeding_status", "pain") and entry.value not in ("condoms", "in_danger", "choked_or_drugged", "injured", "pressured", "severe_pain_during_sex", "blood_on_partner_only", "self_harm", "wants_emergency_contraception"):
            if self._near(span, "partner", start, 5, (",", "i ", "my ", "me ", "and ", "we ")):
                return "partner"
        if self._near(span, "unsure", start, 7, (",", "but", "and")):
            return "doubted"
        return "stated"

    def _is_denied(self, entry: _Entry, span: _Span, sentence_start: int) -> bool:
        for gone in self.cues["gone"]:
            if 0 <= gone.start - span.end <= 4 and entry.value not in ("fainting", "large_clots", "soaking_pads", "stopped", "worried") and entry.slot not in ("bleeding_status", "medical_history", "circumstances", "consent"):
                return True
        for cue in self.cues["negative"]:
            if sentence_start <= cue.start and cue.end <= span.start and self._reaches(cue, span, entry):
                return True
        return False

    def _reaches(self, cue: _Span, span: _Span, entry: _Entry) -> bool:
        """Whether the negation at `cue` still holds at `span`."""
        between = self.words[cue.end : span.start]
        if _BREAK.search(between) or len(between.split()) > 9:
            return False
        chunks = between.split(", ")
        if len(chunks) == 1:
            return "and " not in between or entry.slot in ("danger_signs", "symptoms", "details", "medical_history", "pain", "contraception")
        if entry.slot not in ("danger_signs", "symptoms", "details", "medical_history") and " or " not in self.words[cue.start : span.end + 30]:
            return False
        return all(len(chunk.split()) <= 4 for chunk in chunks) and len(chunks[-1].split()) <= 2

    def _is_asked(self, span: _Span, start: int, end: int) -> bool:
        before = self.words[start : span.start]
        for cue in self.cues["question"]:
            if start <= cue.start <= span.start and len(self.words[cue.end : span.start].split()) <= 10:
                between = self.words[cue.end : span.start]
                if not re.search(r"(?<!\S)(?:but|because|i have|i am|i had|i feel|and i|i got) ", between):
                    return True
        asks = self.words[end : end + 1] == "?" and _SUBJECT_ASKS.match(before)
        return bool(asks) and not _FIRST_PERSON.search(before[: max(0, len(before))].replace("should i ", "").replace("can i ", "").replace("do i ", ""))

    def _is_past(self, span: _Span, start: int, end: int) -> bool:
        """A past cue in the same part of the sentence, between commas."""
        left = max(start, self.words.rfind(", ", start, span.start) + 1, self.words.rfind(" but ", start, span.start) + 1)
        right_comma = self.words.find(", ", span.end, end)
        right = right_comma if right_comma != -1 else end
        return any(left <= cue.start < right and not _touches(cue, [span]) for cue in self.cues["past"])

    def _near(self, span: _Span, cue_name: str, start: int, reach: int, stops: tuple[str, ...]) -> bool:
        """A cue up to `reach` words before the mention, with nothing in between that ends it."""
        for cue in self.cues[cue_name]:
            if start <= cue.start and cue.end <= span.start:
                between = self.words[cue.end : span.start]
                padded = f" {between}"
                if len(between.split()) <= reach and not any(f" {stop}" in padded for stop in stops):
                    return True
        return False

    def _sentence(self, span: _Span) -> tuple[int, int]:
        start = 0
        for match in _STOP.finditer(self.words, 0, span.start):
            start = match.end()
        stop = _STOP.search(self.words, span.end)
        return start, stop.start() if stop else len(self.words)

    # --- Numbers ---

    def _read_measures(self) -> None:
        self.numbers: dict[str, float] = {}
        words, asked = self.words, self.asked
        years = measures.age(words, asked == "age_group") or measures.age_from_decade(words, asked == "age_group")
        if years is not None:
            self.numbers["age"] = years
        degrees = measures.temperature(words, asked == "danger_signs")
        if degrees is not None:
            self.numbers["temperature"] = degrees
            if degrees >= 38:
                self._state("danger_signs", "fever")
            else:
                self.found.get("danger_signs", {}).pop("fever", None)
                self._deny("danger_signs", "fever")
        if self._pregnancy_is_own():
            weeks = measures.weeks_pregnant(words, asked in ("pregnancy", "pregnancy_weeks"))
            if weeks is not None:
                self.numbers["pregnancy_weeks"] = weeks
                self._state("pregnancy", "yes")
        self._read_blood()
        count = measures.episodes(words, asked == "episode_count")
        if count is not None:
            self._state("episode_count", "first_time" if count == 1 else "second" if count == 2 else "three_or_more")
        score = measures.pain_score(words)
        if score is not None and score >= 8:
            self._state("pain", "severe")
            self._state("danger_signs", "severe_pain")
        elif score is not None:
            for slot, value in (("pain", "severe"), ("danger_signs", "severe_pain")):
                self.found.get(slot, {}).pop(value, None)

    def _pregnancy_is_own(self) -> bool:
        return self.found.get("pregnancy", {}).get("no") != "stated" and not re.search(r"(?:miscarr|abortion|terminat|when i was|last pregnancy|was) .{0,30}weeks? pregnant|pregnant .{0,30}(?:miscarr|abortion)", self.words)

    def _read_blood(self) -> None:
        rate = measures.pads_per_hour(self.words)
        if rate is not None:
            an_hour, hours = rate
            for value in ("soaking_pads",):
                self.found.get("danger_signs", {}).pop(value, None)
            self.found.get("bleeding_amount", {}).pop("very_heavy", None)
            if an_hour >= 1 and (hours >= 1.5 or an_hour >= 2):        # E01: one an hour, 2 hours in a row
                self._state("danger_signs", "soaking_pads")
                self._state("bleeding_amount", "very_heavy")
            elif an_hour >= 0.5:                                        # D04: every 1 to 2 hours
                self._state("bleeding_amount", "heavy")
            else:
                self.found.get("bleeding_amount", {}).pop("heavy", None)
                self._state("bleeding_amount", "like_period")
        size = measures.clot_size(self.words)
        if size is not None:
            self.found.get("danger_signs", {}).pop("large_clots", None)
            if size >= 4:                                               # E02: a golf ball
                self._state("danger_signs", "large_clots")
            elif size >= 2.5:                                           # D04
                self._state("bleeding_amount", "heavy")

    # --- Events and when they were ---

    def _read_events(self) -> None:
        self._read_recent("birth", "medical_history", "recent_birth", 84)         # 12 weeks
        self._read_recent("procedure", "medical_history", "recent_procedure", 42)   # 6 weeks
        if self.found.get("medical_history", {}).get("hysterectomy") == "stated":
            days = self._days_since_event("hysterectomy")
            if days is not None and days <= 92:
                self._state("details", "hysterectomy_recent")
        self._read_last_period()
        self._read_method_start()
        self._read_duration()

    def _read_recent(self, event: str, slot: str, value: str, limit: float) -> None:
        """A birth or procedure counts as recent by its time; without a time only where it was asked about."""
        found: list[float] = []
        for match in self.reader._events[event].finditer(self.words):
            span = _Span(match.start(), match.end())
            start, end = self._sentence(span)
            probe = _Entry(slot, value, match.re, None, frozenset({"past", "partner"}))
            if self._is_denied(probe, span, start) or self._is_asked(span, start, end):
                continue
            if self._near(span, "other", start, 8, (",",)):
                continue
            sentence = self.words[start:end]
            days = self._nearest_time(span, start, end, birth=event == "birth")
            if days is None and event == "birth" and re.search(r"\b(?:newborn|new baby|just|recently|post ?partum)\b", sentence):
                days = 14.0
            if days is None and event == "procedure" and re.search(r"\b(?:just|recently|recent)\b", sentence):
                days = 14.0
            if days is None and self.asked == slot and not re.search(r"\b(?:old|years|grown|kids|children)\b", sentence):
                days = 0.0
            if days is not None:
                found.append(days)
        if found and (max(found) if event == "birth" else min(found)) <= limit:
            self._state(slot, value)
        elif found:
            self._deny(slot, value)

    def _days_since_event(self, event: str) -> float | None:
        for match in self.reader._events[event].finditer(self.words):
            span = _Span(match.start(), match.end())
            start, end = self._sentence(span)
            days = self._nearest_time(span, start, end)
            if days is not None:
                return days
        return None

    def _nearest_time(self, span: _Span, start: int, end: int, birth: bool = False) -> float | None:
        """The time told nearest to an event, in days ago, within its sentence."""
        best: tuple[int, float] | None = None
        for time in self.times:
            if not (start <= time.start and time.end <= end) or (time.about in ("pregnant", "gone", "along", "late", "overdue")):
                continue
            if time.about == "old" and not birth or birth and time.days < 1:
                continue
            distance = max(time.start - span.end, span.start - time.end, 0)
            between = self.words[min(time.end, span.end) : max(time.start, span.start)]
            if distance > 70 or re.search(r"(?<!\S)(?:sex|intercourse|slept|bleed\w*|spot\w*|blood) ", between):
                continue
            if best is None or distance < best[0]:
                best = (distance, time.days)
        return best[1] if best else None

    def _read_last_period(self) -> None:
        """Months since the last period decide between the three values of `periods` (12 months: S01)."""
        if self._is_told("periods", "none_by_contraception") or self._is_told("pregnancy", "yes"):
            return
        for time in self.times:
            around = self.words[max(0, time.start - 60) : time.start]
            after = self.words[time.end : time.end + 45]
            tied = _NO_PERIOD_FOR.search(around) or re.match(r"(?:[^\s.!?;,]+ ){0,3}(?:since|without) (?:[^\s.!?;,]+ ){0,4}(?:period|periods|bleed)", after) or (self.asked == "periods" and time.about in ("ago", "since", "now") or (self.asked == "periods" and time.before))
            if not tied or time.days < 1.5 or re.search(r"(?:every|each|for) $", around) and time.days < 10:
                continue
            if re.search(r"(?:started|fitted|implant|coil|pill|injection|born|baby|smear|hrt|married|together|late|overdue)", around[-30:]) or time.about in ("late", "overdue", "old"):
                continue
            values = self.found.setdefault("periods", {})
            if time.days >= 359:
                values.clear()
                values["postmenopausal"] = "stated"
            elif time.days >= 60:
                values.clear()
                values["stopped_under_12m"] = "stated"
            elif time.days >= 38 and _NO_PERIOD_FOR.search(around):
                values["menstruating"] = "stated"
                self._state("symptoms", "missed_or_late_period")
            else:
                values["menstruating"] = "stated"

    def _read_method_start(self) -> None:
        """A method started up to 3 months ago (R04)."""
        methods = [value for value, sense in self.found.get("contraception", {}).items() if sense in ("stated", "doubted") and value not in ("none", "condoms", "new_in_3_months", "missed_doses", "coil_threads_changed")]
        if not methods and self.asked != "contraception":
            return
        for match in re.finditer(r"(?<!\S)(?:start\w*|began|begun|new|fitted|switched|changed|swapped|put in|inserted|went on|been on|have been on|on it|on them|taking it) ", self.words):
            for time in self.times:
                between = self.words[min(time.end, match.end()) : max(time.start, match.start())]
                if len(between.split()) > 7 or re.search(r"(?<!\S)(?:sex|bleed\w*|spot\w*|blood|partner|seeing|boyfriend|pain|itch\w*|[.;]) ", between) or time.about in ("old", "pregnant", "late"):
                    continue
                if "fitted" in match[0] and not methods:
                    continue
                if time.days <= 92:
                    self._state("contraception", "new_in_3_months")
                else:
                    self.found.setdefault("contraception", {}).pop("new_in_3_months", None)
                return

    def _read_duration(self) -> None:
        """Whether the bleeding has gone on for 24 hours or more (A43)."""
        status = self.found.get("bleeding_status", {})
        stated = {value for value, sense in status.items() if sense in ("stated", "doubted")}
        if "stopped" in stated and "ongoing_under_24h" in stated:
            stopped = self._last_mention("bleeding_status", "stopped")
            going = self._last_mention("bleeding_status", "ongoing_under_24h")
            drop = "ongoing_under_24h" if stopped > going else "stopped"
            stated.discard(drop)
            status.pop(drop)
        if "stopped" in stated:
            status.pop("over_24h", None)
            return
        if "over_24h" in stated:
            return
        days = self._days_of_bleeding(asked=self.asked == "bleeding_status", going="ongoing_under_24h" in stated)
        if days is None:
            return
        self.numbers["hours_since_sex"] = round(days * 24, 1)
        status.pop("ongoing_under_24h", None)
        self._state("bleeding_status", "over_24h" if days >= 1 else "ongoing_under_24h")

    def _days_of_bleeding(self, asked: bool, going: bool) -> float | None:
        """How long the bleeding has gone on, where the message says so."""
        best: float | None = None
        for time in self.times:
            around = self.words[max(0, time.start - 25) : time.end + 15]
            near_before = self.words[max(0, time.start - 40) : time.start]
            if time.days > 60 or time.about in ("old", "pregnant", "gone", "along", "late", "overdue", "before", "early") and not asked:
                continue
            if re.search(r"(?:pill|coil|implant|born|birth|period|smear|pregnan|operation|surgery|(?:boyfriend|partner|together) (?:for|of|since)|seeing|married|test|antibiotic|offshore|away|itch|fitted|appointment|scan|last \w+ lasted|due|shift)", around):
                continue
            since = time.before.startswith(("since", "for", "over", "more")) or time.about in ("now", "since", "later", "after") or re.search(r"(?:since|for) $", near_before)
            started = re.search(r"(?:start\w*|began|begun|happened|came on|noticed|bleed\w*|bled|spot\w*|sex|slept|going) (?:[^\s.!?;]+ ){0,5}$", near_before)
            if not (asked or (going and (since or started or time.about == "ago")) or (since and re.search(r"bleed|spot|blood", around) and not re.search(r"(?:stopped|gone|nothing)", around))):
                continue
            if time.before.startswith(("less", "under", "within")):
                continue
            best = max(best or 0.0, time.days)
        return best

    def _last_mention(self, slot: str, value: str) -> int:
        entry = next(e for e in self.reader._entries if e.slot == slot and e.value == value)
        avoid = [_Span(m.start(), m.end()) for m in entry.unlike.finditer(self.words)] if entry.unlike else []
        return max((m.start() for m in entry.say.finditer(self.words) if not _touches(_Span(m.start(), m.end()), avoid)), default=-1)

    # --- From mentions to facts ---

    def _state(self, slot: str, value: str) -> None:
        self.found.setdefault(slot, {})[value] = "stated"

    def _deny(self, slot: str, value: str) -> None:
        self.found.setdefault(slot, {}).setdefault(value, "denied")

    def _is_told(self, slot: str, value: str) -> bool:
        return self.found.get(slot, {}).get(value) in ("stated", "doubted")

    def _settle(self) -> tuple[dict[str, Any], dict[str, set[str]]]:
        """The facts and denials of the message, each slot by its own rule."""
        facts: dict[str, Any] = dict(self.numbers)
        denied: dict[str, set[str]] = {}
        for slot, values in self.found.items():
            told = [value for value, sense in values.items() if sense in ("stated", "doubted")]
            denied[slot] = {value for value, sense in values.items() if sense == "denied"} - set(told)
            if slot in LISTS:
                order = self.reader.vocabulary[slot].values
                kept = sorted(set(told), key=order.index)
                facts[slot] = [value for value in kept if value != "none" or len(kept) == 1]
            elif told:
                facts[slot] = self._one_of(slot, told)
        self._settle_pregnancy(facts)
        self._settle_pain(facts, denied)
        self._settle_blood(facts)
        if "age" in facts and "age_group" not in facts:
            facts["age_group"] = measures.age_band(int(facts["age"]))
        elif "age" in facts:
            facts["age_group"] = measures.age_band(int(facts["age"]))
        if self.reader._screening_fine.search(self.words):
            denied.setdefault("medical_history", set()).update({"abnormal_screening", "overdue_screening"} - set(facts.get("medical_history", [])))
        return facts, denied

    def _one_of(self, slot: str, told: list[str]) -> str:
        """The one value of a scalar slot: the most urgent told, `unsure` only where nothing else is."""
        clear = [value for value in told if value not in ("unsure", "undisclosed")] or told
        return max(clear, key=self.reader.vocabulary[slot].values.index) if self.reader.vocabulary[slot].ordered else clear[-1]

    def _settle_pregnancy(self, facts: dict[str, Any]) -> None:
        senses = self.found.get("pregnancy", {})
        if "test_positive" in facts.get("details", []):
            facts["pregnancy"] = "yes"
        elif senses.get("yes") == "doubted" and not senses.get("no"):
            facts["pregnancy"] = "possible"
        elif self._is_told("pregnancy", "yes"):
            facts["pregnancy"] = "yes"
        elif self._is_told("pregnancy", "no"):
            facts["pregnancy"] = "possible" if self._is_told("pregnancy", "possible") and self.asked == "pregnancy" and not re.match(r"\s*no\b", self.words) else "no"
        elif senses.get("yes") == "denied" and "pregnancy" not in facts:
            facts["pregnancy"] = "no"

    def _settle_pain(self, facts: dict[str, Any], denied: dict[str, set[str]]) -> None:
        dangers = facts.get("danger_signs", [])
        if "severe_pain" in dangers:
            facts["pain"] = "severe"
        elif facts.get("pain") == "severe":
            facts["danger_signs"] = [*dangers, "severe_pain"]
        elif "one_sided_pain" in dangers and facts.get("pain") in (None, "none"):
            facts["pain"] = "pelvic_ongoing"
        if facts.get("pain") is None and self._denies_pain(denied):
            facts["pain"] = "none"

    def _denies_pain(self, denied: dict[str, set[str]]) -> bool:
        if len(denied.get("pain", set())) >= 2 or denied.get("pain", set()) & {"pelvic_ongoing", "severe"}:
            return True
        probe = _Entry("pain", "cramps", _GENERIC_PAIN, None, frozenset())
        mentions = [_Span(m.start(), m.end()) for m in _GENERIC_PAIN.finditer(self.words)]
        if not mentions or self.found.get("danger_signs", {}).get("shoulder_tip_pain") == "stated":
            return False
        plain = [span for span in mentions if not re.match(r"(?:during|with|when|if|having) (?:we |i |sex|intercourse|pee)", self.words[span.end :])]
        return bool(plain) and all(self._is_denied(probe, span, self._sentence(span)[0]) for span in plain)

    def _settle_blood(self, facts: dict[str, Any]) -> None:
        order = self.reader.vocabulary["bleeding_amount"].values.index
        least = "very_heavy" if "soaking_pads" in facts.get("danger_signs", []) else "heavy" if "large_clots" in facts.get("danger_signs", []) else None
        if least and order(facts.get("bleeding_amount") or "unsure") < order(least):
            facts["bleeding_amount"] = least
        if facts.get("bleeding_amount") == "very_heavy" and "soaking_pads" not in facts.get("danger_signs", []):
            facts["danger_signs"] = ["soaking_pads", *facts.get("danger_signs", [])]

    # --- Short answers to the question asked ---

    def _answer(self) -> Answer | None:
        for name in ("decline", "unsure", "no", "yes"):
            if self.reader._answers[name].match(self.words):
                return name  # type: ignore[return-value]
        return None

    def _apply_answer(self, facts: dict[str, Any], denied: dict[str, set[str]], answer: Answer | None) -> None:
        """Give a bare yes, no or "none of those" its meaning for the question asked."""
        asked = self.asked or ""
        if facts.get(asked):
            return
        meaning = meaning_of(answer, asked) if answer else None
        if asked in LISTS and meaning is None and answer != "yes":
            if denied.get(asked) or (asked == "contraception" and facts.get("pregnancy") == "yes"):
                meaning = ["none"]
        if asked == "pregnancy_weeks" and answer in ("yes", "no") and "pregnancy_showing" not in facts:
            facts["pregnancy_showing"] = answer
        elif meaning is not None:
            facts[asked] = meaning


_MEANING: Mapping[tuple[str, str], str] = {
    ("pregnancy", "yes"): "yes",
    ("pregnancy", "no"): "no",
    ("pain", "no"): "none",
    ("consent", "yes"): "wanted",
    ("consent", "no"): "unwanted",
    ("bleeding_status", "no"): "stopped",
    ("bleeding_status", "yes"): "ongoing_under_24h",
    ("periods", "no"): "menstruating",        # "Have your periods stopped for good?"
    ("episode_count", "no"): "first_time",    # "Has this happened before?"
}


def meaning_of(answer: Answer, asked: str) -> Any:
    """What a bare answer says to the question of a slot; None where it says nothing."""
    if answer in ("unsure", "decline"):
        return _not_told(asked)
    if asked in LISTS:
        return ["none"] if answer == "no" else None
    return _MEANING.get((asked, answer))


def _not_told(asked: str) -> Any:
    if asked == "pregnancy_weeks":
        return None
    value = NOTHING_SAID.get(asked, "unsure")
    return [value] if asked in LISTS else value


def _touches(span: _Span, others: Iterable[_Span]) -> bool:
    return any(other.start < span.end and span.start < other.end for other in others)


_OTHER_PERSON = re.compile(
    r"(?<!\S)(?:my|a|our|for my|for a|the) (?:girlfriend|wife|daughter|sister|friend|fiancee?|mum|mom|flatmate|roommate|partner|mate|cousin|niece|student|patient|little girl|teenage daughter|\d+ years? old(?: daughter| girl)?) "
    r"(?:[^\s.!?;]+ ){0,5}?(?:bleed\w*|bled|spot\w*|is bleeding|has been bleeding|blood|soak\w*|started bleed\w*|has had|haemorrh\w*|hemorrh\w*)"
)
_SHE_BLEEDS = re.compile(r"(?<!\S)(?:she|her) (?:[^\s.!?;]+ ){0,4}?(?:bleed\w*|bled|spot\w*|soak\w*|blood|faint\w*|pale)|asking for (?:my|a) (?:friend|girlfriend|wife|daughter|partner|sister)|(?:help|worried about) (?:my|her) ?(?:girlfriend|wife|daughter|partner|sister)?|(?<!\S)it is (?:for )?my (?:girlfriend|wife|daughter|partner|sister|friend)|not me but")
_I_BLEED = re.compile(r"(?<!\S)(?:i (?:am |have |had |was |started |keep |noticed |got |been |just |also |still ){0,3}(?:bleed\w*|bled|spot\w*|blood|notic\w*)|my (?:bleed\w*|period|periods|vagina|cervix|pill|coil))")


def _speaks_for_other(words: str) -> bool:
    """Whether the message is about somebody else's bleeding."""
    if _I_BLEED.search(words):
        return False
    match = _OTHER_PERSON.search(words)
    if match and not re.search(r"(?:says|said|told|reckons|thinks|and i|with hers|her own|used) ", match[0]):
        return True
    return bool(_SHE_BLEEDS.search(words)) and not re.search(r"(?:mate|friend|mum|mom|sister|nurse|doctor) (?:says|said|told|who|reckons|thinks)|says she|said she|told me she|\bi am|\bi have|\bmy (?:boyfriend|husband)", words)


@lru_cache(maxsize=1)
def default_reader() -> Reader:
    """The reader of the shipped knowledge."""
    return Reader()
