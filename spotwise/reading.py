"""From a message to facts.

The words to look for are in `knowledge/lexicon.yml` (`spotwise.lexicon`), what a mention means is worked out
by `spotwise.senses`, numbers and times by `spotwise.measures` and `spotwise.timeline`. This module brings
them together for one message; what the facts of several messages come to is the task of `spotwise.facts`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from spotwise import measures
from spotwise.conditions import Vocabulary
from spotwise.knowledge import DEFAULT_FOLDER, load_knowledge
from spotwise.lexicon import Entry, Lexicon, Span
from spotwise.senses import PLAINEST_FIRST, Message, Sense
from spotwise.timeline import DAY_OF_BLEEDING, LATE_PERIOD, STOPPED_PERIODS, YEAR, Timeline

Answer = Literal["yes", "no", "unsure", "decline"]

LISTS = (
    "danger_signs",
    "symptoms",
    "contraception",
    "medical_history",
    "circumstances",
    "details",
    "declined",
)
NOTHING_SAID = {"circumstances": "undisclosed", "consent": "undisclosed", "age_group": "undisclosed"}

FEVER = 38.0
"""Degrees Celsius (D07)."""
GOLF_BALL = 4.0
"""Centimetres of a clot (E02)."""
LARGE_COIN = 2.5
"""Centimetres of a clot (D04)."""
VERY_BAD_PAIN = 8
"""Out of 10 (E04)."""

_SAME = (
    (("danger_signs", "soaking_pads"), ("bleeding_amount", "very_heavy")),
    (("danger_signs", "severe_pain"), ("pain", "severe")),
)
"""Values of two slots that say the same; who denies one denies the other."""
_NOT_OF_THE_BLEEDING = ("periods", "contraception", "medical_history")
"""Questions whose answers tell of an end that is not that of the bleeding."""
_BLOOD = re.compile(r"bleed|blood|spot|bled")
_LOOKS_LIKE_BLOOD = re.compile(rf"{_BLOOD.pattern}|pink|red |brown|drip|pad|liner|wip")
_ENDS_TOO = re.compile(
    r"(?<!\S)(?<!no )(?<!any )(?<!without )(?:temp|fever|itch|pain|ache|cramp|thrush|chlamydia|infection"
    r"|thinner|warfarin|antibiotic|treat|flu|covid|jab|breastfe|smear|polyp|cystitis|discharge|smell|burn)"
)
"""What can end or be gone, too: told before an end, without a word of blood, it is what ended."""
COILS = frozenset({"copper_coil", "hormonal_coil"})
_NOTHING_MORE = re.compile(
    r"(?:[,.!;] "
    r"|(?:to )?(?:(?:all|any|each|either|the lot) )?(?:of )?(?:them|those|these|it|that|all|the lot) "
    r"|(?:she|he) (?:says|said|reckons) |(?:thanks?|thank you|sorry|really) )*"
)
"""What may follow a bare answer."""
_NOW_BEFORE = re.compile(r"(?<!\S)(?:now|then|later|suddenly|since then)(?: [^\s.!?;,]+){0,4} $")
_OF_PAIN = ("danger_signs", "pain", "symptoms", "bleeding_amount", "bleeding_status")
"""Questions whose answers may score a pain without a word for it; "10 out of 10" to others is praise."""
_NORMAL_SINCE = re.compile(
    r"(?<!\S)(?:borderline|abnormal|dodgy|funny|bad|minor) "
    r"(?!.*(?:treat|loop|lletz|laser|cone |burn|froz|never went|missed))"
    r".{0,150}?(?<!\S)(?:since|after that) .{0,40}?(?<!\S)(?:normal|clear|fine|negative)(?!\S)"
)
"""A smear that was not normal, and those that came after it were (S06 is about what was not followed up)."""
_CLIMBS = re.compile(r"(?<!\S)(?:up)?(?:stairs|hills?|steps|floor|climb\w*|landing) ")
_WHERE_IT_HURTS = re.compile(r"belly|tummy|stomach|pelvi|side |inside|agony|worse")
_OF_ONE_KIND = re.compile(r"(?<!\S)(?:shoulder|tip|back|sided|bad|severe|terrible|leg|chest|head) $")
"""Before a pain that is not pain as such: who has no shoulder pain may have another."""
_AT_THE_TOILET = re.compile(
    r"(?:to|when|if|whenever|while|as) (?:i )?(?:go for a |have a )?(?:pee|wee|poo|urinat)"
)
"""After a pain that is not pain as such: who pees without pain may have another."""
_NEAR = 30
"""Characters before a mention."""
_OF_THE_MENOPAUSE = re.compile(r"menopaus|(?<!\S)(?:the change|hot flush|hot flash)")
"""Who says so of periods that have stayed away for months does not tell of one that is late."""
_AGES_OF_THE_MENOPAUSE = frozenset({"40_54", "55_plus"})
_NO_METHOD = frozenset({"none", "condoms", "new_in_3_months", "missed_doses", "coil_threads_changed"})


@dataclass(frozen=True)
class Reading:
    """What one message says."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    """Slot -> value, list of values, or number; only what is stated."""
    denied: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Slot -> values that the message says do not apply."""
    not_meant: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Slot -> values that are mentioned, but denied, asked about, past, somebody else's or a look-alike."""
    sure: frozenset[tuple[str, str]] = frozenset()
    """Slots and values that are told in words which mean nothing else."""
    ruled_out: frozenset[str] = frozenset()
    """Values that a number of the message rules out, whatever else it may mean."""
    answer: Answer | None = None
    """Set where the message as a whole is a yes, a no, "not sure" or "I'd rather not say"."""
    is_only_answer: bool = False
    """It says nothing besides: "she says no to all of them"."""
    correction: bool = False
    """The message corrects something said before."""
    back: bool = False
    """The person wants the previous question again."""
    starts: bool = False
    """The message tells of bleeding, or asks to begin, in words that start the questions."""

    def __bool__(self) -> bool:
        return bool(self.facts)


class Mention(NamedTuple):
    """Where the words of a message mention a fact, and what that seems to mean."""

    slot: str
    value: str
    span: Span
    sense: Sense


class Reader:
    """Reads messages with the lexicon of a knowledge folder. Build once, use for every message."""

    def __init__(self, folder: Path = DEFAULT_FOLDER, vocabulary: Vocabulary | None = None) -> None:
        self.vocabulary = vocabulary or load_knowledge(folder).vocabulary
        self.lexicon = Lexicon(folder / "lexicon.yml", self.vocabulary)
        self._latest: tuple[str, str, Message] | None = None
        self._latest_words = ("", "")

    def read(
        self,
        text: str,
        asked: str | None = None,
        person: str = "self",
        now: datetime | None = None,
        unlikely: Collection[tuple[str, str]] = (),
    ) -> Reading:
        """Read one message.

        `asked` is the slot of the question just asked, which gives short answers their meaning; `person`
        is "other" where somebody else bleeds; `now` is the moment of the message, for weekdays; `unlikely`
        are slots and values that are not told even where a phrase says so, as the meaning of the whole tells.
        """
        words = self.words_of(text)
        message = self._message(words, person)
        return _Reading(message, self, now or datetime.now(), asked, unlikely).reading()

    def words_of(self, text: str) -> str:
        """The words of a message in lower case, as the lexicon spells them, each with a space after it."""
        latest, words = self._latest_words
        if latest != text:
            words = self.lexicon.words_of(text)
            self._latest_words = text, words
        return words

    def mended(self, text: str) -> str:
        """A message with misspelt words put right, and else as it is."""
        return self.lexicon.mended(text)

    def mentions_in(self, words: str) -> list[Mention]:
        """Every mention of a fact in the words of a message (`words_of`), told or not."""
        message = self._message(words, "self")
        return [
            Mention(entry.slot, entry.value, span, message.sense(entry, span))
            for entry in message.entries
            for span in entry.mentions(message.find, None)
        ]

    def _message(self, words: str, person: str) -> Message:
        """The words with their cues; a message is read several times in a row, so the latest one is kept."""
        latest = self._latest
        if latest is None or latest[:2] != (words, person):
            latest = self._latest = words, person, Message(words, self.lexicon, person == "other")
        return latest[2]


class _Reading:
    """One message being read."""

    def __init__(
        self,
        message: Message,
        reader: Reader,
        now: datetime,
        asked: str | None,
        unlikely: Collection[tuple[str, str]],
    ) -> None:
        self.message = message
        self.words = words = message.words
        self.unlikely = unlikely
        self.vocabulary = reader.vocabulary
        self.lexicon = reader.lexicon
        self.asked = asked
        self.year = now.year
        self.own_numbers = message.own_numbers
        self.timeline = Timeline(self.message, measures.times(words, now), asked)
        self.numbers: dict[str, float] = {}
        self.senses: dict[str, dict[str, Sense]] = {}
        """Slot -> value -> what its plainest mention means."""
        self.last_mention: dict[tuple[str, str], int] = {}
        self.look_alikes: set[tuple[str, str]] = set()
        self.sure: set[tuple[str, str]] = set()
        self.ruled_out: set[str] = set()
        self.measured: set[tuple[str, str]] = set()
        """What a number of the person's own tells."""

    def reading(self) -> Reading:
        self._read_mentions()
        self._read_age()
        self._read_temperature()
        self._read_pregnancy_weeks()
        self._read_pads()
        self._read_clot()
        self._read_amount_that_grew()
        self._read_episodes()
        self._read_pain_score()
        self._read_pain_that_is_over()
        self._read_recent_events()
        self._read_last_period()
        self._read_new_method()
        self._read_duration()
        self._read_screening()
        self._read_breath()
        self._drop_unlikely()
        facts, denied = self._facts(), self._denied()
        answer = self._answer()
        _Settling(self, facts, denied, answer).settle()
        return Reading(
            facts={slot: value for slot, value in facts.items() if value not in (None, [])},
            denied={slot: frozenset(values) for slot, values in denied.items() if values},
            not_meant=self._not_meant(),
            sure=frozenset(self.sure),
            ruled_out=frozenset(self.ruled_out),
            answer=answer,
            is_only_answer=answer is not None and self._says_only(answer),
            correction=bool(self.message.cues["correction"]),
            back=bool(self.message.cues["back"]),
            starts=self.message.has_sign("starts"),
        )

    # --- What is known so far ---

    def state(self, slot: str, *values: str) -> None:
        for value in values:
            self.senses.setdefault(slot, {})[value] = "stated"

    def measure(self, slot: str, value: str) -> None:
        self.state(slot, value)
        self.measured.add((slot, value))

    def deny(self, slot: str, *values: str) -> None:
        for value in values:
            self.senses.setdefault(slot, {}).setdefault(value, "denied")

    def forget(self, slot: str, *values: str) -> None:
        for value in values:
            self.senses.get(slot, {}).pop(value, None)

    def outweigh(self, slot: str, *values: str) -> None:
        """A number tells better than these words, unless they tell what came after it."""
        self.forget(slot, *(value for value in values if not self.came_later(slot, value)))

    def came_later(self, slot: str, value: str) -> bool:
        """Whether it is told as what it has become: "it was 3 out of 10, now it is agony"."""
        at = self.last_mention.get((slot, value), 0)
        return _NOW_BEFORE.search(self.words[max(0, at - _NEAR) : at]) is not None

    def is_told(self, slot: str, value: str) -> bool:
        return self.senses.get(slot, {}).get(value) in ("stated", "doubted")

    def told(self, slot: str) -> list[str]:
        return [value for value in self.senses.get(slot, {}) if self.is_told(slot, value)]

    # --- Mentions and numbers ---

    def _read_mentions(self) -> None:
        find = self.message.find
        for entry in self.message.entries:
            mentions = entry.mentions(find, self.asked)
            if mentions:
                senses = {self.message.sense(entry, span) for span in mentions}
                if (entry.slot, entry.value) in self.unlikely and entry.slot != self.asked:
                    senses = senses - {"stated", "doubted"} or {"elsewhere"}
                self.senses.setdefault(entry.slot, {})[entry.value] = min(senses, key=PLAINEST_FIRST.index)
                self.last_mention[entry.slot, entry.value] = mentions[-1].start
                if any(self._is_sure(entry, span) for span in mentions):
                    self.sure.add((entry.slot, entry.value))
            elif entry.denials(find, mentions):
                self.deny(entry.slot, entry.value)
            elif find(entry.unlike):
                self.look_alikes.add((entry.slot, entry.value))

    def _is_sure(self, entry: Entry, span: Span) -> bool:
        """Whether a mention means nothing but that it is so now."""
        message = self.message
        sentence = message.sentence(span)
        return (
            span.touches(message.find(entry.surely))
            and message.sense(entry, span) == "stated"
            and not Span(sentence.start, span.end).touches(message.cues["question"])
            and not sentence.touches(message.cues["past"])
        )

    def _read_age(self) -> None:
        asked = self.asked == "age_group"
        band = measures.age_range(self.words) if asked else None
        years = measures.age(self.words, self.asked, of_other=self.message.about_other)
        about = measures.age_from_decade(self.words, asked)
        by_birth = measures.age_by_birth(self.words, self.year, self.message.about_other)
        if by_birth is not None:
            years = by_birth
            self.measured.add(("age_group", measures.age_band(years)))
        if years is not None and band is None:
            self.numbers["age"] = years
            band = measures.age_band(years)
            if measures.is_age_put_right(self.words, years):
                self.measured.add(("age_group", band))
        elif about is not None and band is None:
            band = measures.age_band(about)
        if band is not None:
            self.senses["age_group"] = {band: "stated"}
        if band == "under_13" and self.message.has_sign("any_pain"):
            for kind in self.told("pain") or ["unsure"]:
                self.measure("pain", kind)  # a child's pain needs no kind (E20)

    def _read_temperature(self) -> None:
        degrees = measures.temperature(self.own_numbers, self.asked == "danger_signs")
        if degrees is None:
            of_another = measures.temperature(self.words, False, long_ago=True) or 0.0
            if of_another >= FEVER and not self.is_told("danger_signs", "fever"):
                self.ruled_out.add("fever")
            return
        self.numbers["temperature"] = degrees
        self.outweigh("danger_signs", "fever")
        if degrees >= FEVER:
            self.measure("danger_signs", "fever")
        else:
            self.deny("danger_signs", "fever")

    def _read_pregnancy_weeks(self) -> None:
        if self.senses.get("pregnancy", {}).get("no") == "stated":
            return
        if self.message.has_sign("earlier_pregnancy") and not measures.is_pregnant_now(self.words):
            return
        says_no = self.asked == "pregnancy" and self.lexicon.answers["no"].match(self.words)
        asked = self.asked in ("pregnancy", "pregnancy_weeks") and not says_no
        cues = self.message.cues
        words = self.own_numbers if cues["other"] or cues["hypothetical"] else self.words
        weeks = measures.weeks_pregnant(words, asked)
        if weeks is not None:
            self.numbers["pregnancy_weeks"] = weeks
            self.state("pregnancy", "yes")
            if asked:
                self.measured.add(("pregnancy", "yes"))

    def _read_pads(self) -> None:
        rate = measures.pads_per_hour(self.own_numbers)
        if rate is None:
            return
        an_hour, hours = rate
        self.outweigh("danger_signs", "soaking_pads")
        self.outweigh("bleeding_amount", "very_heavy")
        if an_hour < 1 and not self.came_later("danger_signs", "soaking_pads"):
            self.ruled_out |= {"soaking_pads", "very_heavy"}
        if an_hour >= 1 and (hours >= 1.5 or an_hour >= 2):  # E01: one an hour, 2 hours in a row
            self.measure("danger_signs", "soaking_pads")
            self.measure("bleeding_amount", "very_heavy")
        elif an_hour >= 0.5:  # D04: every 1 to 2 hours
            self.state("bleeding_amount", "heavy")
        else:
            self.outweigh("bleeding_amount", "heavy")
            self.state("bleeding_amount", "like_period")

    def _read_clot(self) -> None:
        size = measures.clot_size(self.own_numbers)
        if size is None:
            small = self.message.has_sign("small_clot") and not self.message.has_sign("keeps_coming")
            if small and not self.is_told("danger_signs", "large_clots"):
                self.ruled_out.add("large_clots")
            return
        self.outweigh("danger_signs", "large_clots")
        if size >= GOLF_BALL:
            self.measure("danger_signs", "large_clots")
        elif size >= LARGE_COIN:
            self.state("bleeding_amount", "heavy")
        elif not self.came_later("danger_signs", "large_clots"):
            self.ruled_out.add("large_clots")
        if size >= LARGE_COIN and self.message.has_sign("keeps_coming"):
            self.measure("danger_signs", "large_clots")

    def _read_amount_that_grew(self) -> None:
        """ "It was light, but it picked up" tells that it is more than light, and not how much."""
        grew = self.message.find(self.message.lexicon.signs["heavier_now"])
        for value in ("spotting", "light", "like_period"):
            at = self.last_mention.get(("bleeding_amount", value))
            if grew and at is not None and at < grew[-1].start:
                self.forget("bleeding_amount", value)

    def _read_episodes(self) -> None:
        if self.message.has_sign("only_once"):
            self.senses["episode_count"] = {"first_time": "stated"}
            return
        count = measures.episodes(self.own_numbers, self.asked == "episode_count")
        if self.asked in (None, "episode_count") and measures.each_time(self.words):
            self.state("episode_count", "every_time")
        elif count is not None:
            self.state("episode_count", {1: "first_time", 2: "second"}.get(count, "three_or_more"))

    def _read_pain_score(self) -> None:
        score = measures.pain_score(self.own_numbers)
        of_pain = (
            self.asked in (None, *_OF_PAIN)
            or self.message.has_sign("any_pain")
            or _WHERE_IT_HURTS.search(self.words) is not None
        )
        if score is None or not of_pain:
            return
        if score >= VERY_BAD_PAIN:
            self.measure("pain", "severe")
            self.measure("danger_signs", "severe_pain")
        else:
            self.outweigh("pain", "severe")
            self.outweigh("danger_signs", "severe_pain")
            if not (self.came_later("danger_signs", "severe_pain") or self.came_later("pain", "severe")):
                self.ruled_out |= {"severe_pain", "severe"}
        if score == 0:
            self.state("pain", "none")

    def _read_pain_that_is_over(self) -> None:
        """Very bad pain during sex that has gone is D23, not E04."""
        if not (self.message.has_sign("pain_gone") and self.message.has_sign("during_sex")):
            return
        if self.is_told("danger_signs", "severe_pain") or self.is_told("pain", "severe"):
            self.forget("danger_signs", "severe_pain")
            self.forget("pain", "severe")
            self.state("details", "severe_pain_during_sex")
            self.state("pain", "none")

    # --- Events and when they were ---

    def _read_recent_events(self) -> None:
        recent = {
            "recent_birth": self.timeline.recent_birth(),
            "recent_procedure": self.timeline.recent_procedure(),
        }
        for value, is_recent in recent.items():
            if is_recent:
                self.state("medical_history", value)
            elif is_recent is False:
                self.deny("medical_history", value)
        if self.timeline.procedure_in_12_weeks():
            self.state("details", "procedure_in_12_weeks")
        if self.is_told("medical_history", "hysterectomy") and self.timeline.recent_hysterectomy():
            self.state("details", "hysterectomy_recent")

    def _read_last_period(self) -> None:
        """Months since the last period decide between the values of `periods`, or that one is late."""
        if self.is_told("periods", "none_by_contraception") or self.is_told("pregnancy", "yes"):
            return
        if self.message.has_sign("period_over_long"):
            self.ruled_out.add("period_just_ended")
        days = self.timeline.days_since_period()
        if days is None:
            return
        if days >= YEAR:
            self.senses["periods"] = {"postmenopausal": "stated"}
            otherwise_told = self.message.cues["other"] or self.senses.get("contraception")
            if _AGES_OF_THE_MENOPAUSE & set(self.told("age_group")) or not otherwise_told:
                self.measured.add(("periods", "postmenopausal"))
        elif days >= STOPPED_PERIODS:
            self.senses["periods"] = {"stopped_under_12m": "stated"}
        else:
            self.senses["periods"] = {"menstruating": "stated"}
        if LATE_PERIOD <= days < 2 * STOPPED_PERIODS and self.asked != "periods":
            self.state("symptoms", "missed_or_late_period")
        if days >= 2 * STOPPED_PERIODS and _OF_THE_MENOPAUSE.search(self.words):
            self.forget("symptoms", "missed_or_late_period")

    def _read_new_method(self) -> None:
        if self.asked != "contraception" and not set(self.told("contraception")) - _NO_METHOD:
            return
        mentions = [at for (slot, _), at in self.last_mention.items() if slot == "contraception"]
        new = self.timeline.new_method(mentions)
        if new:
            self.state("contraception", "new_in_3_months")
        elif new is False:
            self.forget("contraception", "new_in_3_months")

    def _read_duration(self) -> None:
        """Whether the bleeding has gone on for 24 hours or more (A43)."""
        if self.asked in _NOT_OF_THE_BLEEDING and not _BLOOD.search(self.words):
            self.senses.pop("bleeding_status", None)  # "finished years ago", of periods
            return
        at = self.last_mention.get(("bleeding_status", "stopped"), 0)
        of_blood = self.asked == "bleeding_status" or _LOOKS_LIKE_BLOOD.search(self.words)
        if not of_blood and _ENDS_TOO.search(self.words[:at]):
            self.forget("bleeding_status", "stopped")
        told = set(self.told("bleeding_status"))
        if {"stopped", "ongoing_under_24h"} <= told:
            earlier = min(
                ("stopped", "ongoing_under_24h"),
                key=lambda value: self.last_mention["bleeding_status", value],
            )
            self.forget("bleeding_status", earlier)
            told.discard(earlier)
        if "stopped" in told:
            self.forget("bleeding_status", "over_24h")
        elif "over_24h" not in told:
            days = self.timeline.days_of_bleeding(going="ongoing_under_24h" in told)
            if days is not None:
                self.numbers["hours_since_sex"] = round(days * 24, 1)
                self.forget("bleeding_status", "ongoing_under_24h")
                self.state("bleeding_status", "over_24h" if days >= DAY_OF_BLEEDING else "ongoing_under_24h")

    def _read_screening(self) -> None:
        if _NORMAL_SINCE.search(self.words):
            self.forget("medical_history", "abnormal_screening")
        if self.message.has_sign("screening_fine"):
            self.deny("medical_history", "abnormal_screening", "overdue_screening")

    def _read_breath(self) -> None:
        """Out of breath on the stairs and well at rest is D20, not E03."""
        climbs = self.is_told("details", "breathless") and _CLIMBS.search(self.words)
        if climbs and not self.is_told("danger_signs", "fainting"):
            self.ruled_out.add("fainting")

    def _drop_unlikely(self) -> None:
        """What the meaning of the whole speaks against is not told, unless it was measured."""
        for slot, value in self.unlikely:
            if slot != self.asked and (slot, value) not in self.measured and self.is_told(slot, value):
                self.senses[slot][value] = "elsewhere"
                if slot == "age_group":
                    self.numbers.pop("age", None)
                if (slot, value) == ("pregnancy", "yes"):
                    self.numbers.pop("pregnancy_weeks", None)

    # --- Outcome ---

    def _answer(self) -> Answer | None:
        for name in ("decline", "unsure", "no", "yes"):
            found = self.lexicon.answers[name].match(self.words)
            if found and (name != "no" or self._ends_there(found.end())):
                assert name in get_args(Answer)
                return name
        if (self.asked in LISTS or self.asked == "pain") and self.lexicon.answers["fine"].match(self.words):
            return "no"
        return None

    def _says_only(self, answer: Answer) -> bool:
        found = self.lexicon.answers[answer].match(self.words)
        return found is not None and _NOTHING_MORE.fullmatch(self.words, found.end()) is not None

    def _ends_there(self, end: int) -> bool:
        """Whether a "no" stands for itself: "no, thanks", and not "no ovaries left"."""
        return any(sign.start == end for sign in self.message.find(self.lexicon.signs["after_a_no"]))

    def _facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = dict(self.numbers)
        if self.message.about_other:
            facts["person"] = "other"
        for slot in self.senses:
            told = self.told(slot)
            order = self.vocabulary[slot].values
            if slot in LISTS:
                kept = sorted(told, key=order.index)
                facts[slot] = [value for value in kept if value != "none" or len(kept) == 1]
            elif told:
                clear = [value for value in told if value not in ("unsure", "undisclosed")] or told
                facts[slot] = max(clear, key=order.index) if self.vocabulary[slot].ordered else clear[-1]
        return facts

    def _not_meant(self) -> dict[str, frozenset[str]]:
        not_told = {
            (slot, value)
            for slot, values in self.senses.items()
            for value in values
            if not self.is_told(slot, value)
        }
        found: dict[str, set[str]] = {}
        for slot, value in not_told | self.look_alikes:
            found.setdefault(slot, set()).add(value)
        return {slot: frozenset(values) for slot, values in found.items()}

    def _denied(self) -> dict[str, set[str]]:
        denied = {
            slot: {value for value, sense in values.items() if sense == "denied"}
            for slot, values in self.senses.items()
        }
        for pair in _SAME:
            for (slot, value), (other_slot, other) in (pair, pair[::-1]):
                if value in denied.get(slot, ()) and not self.is_told(other_slot, other):
                    denied.setdefault(other_slot, set()).add(other)
        return denied


class _Settling:
    """Brings the facts of a message into line with each other and with the question asked."""

    def __init__(
        self, reading: _Reading, facts: dict[str, Any], denied: dict[str, set[str]], answer: Answer | None
    ) -> None:
        self.reading = reading
        self.facts = facts
        self.denied = denied
        self.answer = answer

    def settle(self) -> None:
        self._pregnancy()
        self._pain()
        self._blood()
        self._periods()
        self._coil()
        self._consent()
        if self.reading.asked and not self.facts.get(self.reading.asked):
            self._apply_answer(self.reading.asked)

    def _pregnancy(self) -> None:
        senses = self.reading.senses.get("pregnancy", {})
        if "test_positive" in self.facts.get("details", []):
            self.facts["pregnancy"] = "yes"
        elif senses.get("yes") == "doubted" and not senses.get("no"):
            self.facts["pregnancy"] = "possible"
        elif self.reading.is_told("pregnancy", "yes"):
            self.facts["pregnancy"] = "yes"
        elif self.reading.is_told("pregnancy", "no"):
            wavers = self.reading.asked == "pregnancy" and self.reading.is_told("pregnancy", "possible")
            self.facts["pregnancy"] = "possible" if wavers and self.answer != "no" else "no"
        elif senses.get("yes") == "denied" and "pregnancy" not in self.facts:
            self.facts["pregnancy"] = "no"

    def _periods(self) -> None:
        """Who can't tell whether their periods are coming to an end has not said that they come (CR05)."""
        told = self.facts.get("periods")
        unsure = self.answer == "unsure" or self.reading.is_told("periods", "unsure")
        if self.reading.asked == "periods" and unsure and told == "menstruating":
            self.facts["periods"] = "unsure"

    def _coil(self) -> None:
        """A coil whose kind is told is not some coil."""
        details = self.facts.get("details", [])
        if "some_coil" in details and COILS.intersection(self.facts.get("contraception", [])):
            self.facts["details"] = [detail for detail in details if detail != "some_coil"]

    def _consent(self) -> None:
        """Asked whether it was wanted, who tells of a blank after a drink could not agree (E13)."""
        drugged = "choked_or_drugged" in self.facts.get("details", [])
        if self.reading.asked == "consent" and drugged and self.facts.get("consent") != "wanted":
            self.facts["consent"] = "unwanted"

    def _pain(self) -> None:
        dangers = self.facts.get("danger_signs", [])
        if "severe_pain" in dangers:
            self.facts["pain"] = "severe"
        elif self.facts.get("pain") == "severe":
            self.facts["danger_signs"] = [*dangers, "severe_pain"]
        elif "one_sided_pain" in dangers and self.facts.get("pain") in (None, "none"):
            self.facts["pain"] = "pelvic_ongoing"
        if self.facts.get("pain") is None and self._denies_pain():
            self.facts["pain"] = "none"

    def _denies_pain(self) -> bool:
        denied = self.denied.get("pain", set()) - {"severe"}  # "not agony" still leaves some pain
        if len(denied) >= 2 or "pelvic_ongoing" in denied:
            return True
        message = self.reading.message
        entry = Entry("pain", "cramps", None)
        mentions = [
            span
            for span in message.find(message.lexicon.signs["any_pain"])
            if not _OF_ONE_KIND.search(message.words[: span.start])
            and not _AT_THE_TOILET.match(message.words, span.end)
        ]
        if "shoulder_tip_pain" in self.facts.get("danger_signs", []):
            return False
        return bool(mentions) and all(
            message.is_denied(entry, span, message.sentence(span)) for span in mentions
        )

    def _blood(self) -> None:
        """Danger signs of heavy bleeding and the amount say the same."""
        order = self.reading.vocabulary["bleeding_amount"].values.index
        dangers = self.facts.get("danger_signs", [])
        amount = self.facts.get("bleeding_amount")
        if "soaking_pads" in dangers:
            self.facts["bleeding_amount"] = "very_heavy"
        elif "large_clots" in dangers and amount and order(amount) < order("heavy"):
            self.facts["bleeding_amount"] = "heavy"
        if amount == "very_heavy" and "soaking_pads" not in dangers:
            self.facts["danger_signs"] = ["soaking_pads", *dangers]

    def _apply_answer(self, asked: str) -> None:
        """Give a bare yes, no or "none of those" its meaning for the question asked."""
        if (
            asked == "pregnancy_weeks"
            and self.answer in ("yes", "no")
            and "pregnancy_showing" not in self.facts
        ):
            self.facts["pregnancy_showing"] = self.answer
            return
        meaning = meaning_of(self.answer, asked) if self.answer else None
        if meaning is None and asked in LISTS and self.answer != "yes" and self._leaves_nothing(asked):
            meaning = ["none"]
        if asked == "danger_signs" and meaning == ["none"] and self._says_more():
            return
        if meaning is not None:
            self.facts[asked] = meaning

    def _says_more(self) -> bool:
        """A "no, but ..." of which nothing could be read: it may hold a danger sign, so it is asked again."""
        more = re.search(
            r"(?<!\S)(?:but|except|apart from|although|only that) (?:[^\s]+ ){3}", self.reading.words
        )
        return more is not None and not set(self.facts) - {"person", "circumstances", "age", "age_group"}

    def _leaves_nothing(self, asked: str) -> bool:
        """Whether the answer denies something of the list asked about, or says that there is nothing else."""
        needs_none = asked == "contraception" and self.facts.get("pregnancy") == "yes"
        return bool(self.denied.get(asked)) or needs_none or self.reading.message.has_sign("nothing_else")


_MEANING: Mapping[tuple[str, str], str] = {
    ("pregnancy", "yes"): "yes",
    ("pregnancy", "no"): "no",
    ("pain", "no"): "none",
    ("consent", "yes"): "wanted",
    ("consent", "no"): "unwanted",
    ("bleeding_status", "no"): "stopped",
    ("bleeding_status", "yes"): "ongoing_under_24h",
    ("periods", "no"): "menstruating",  # "Have your periods stopped for good?"
    ("episode_count", "no"): "first_time",  # "Has this happened before?"
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


@lru_cache(maxsize=1)
def default_reader() -> Reader:
    """The reader of the shipped knowledge."""
    return Reader()
