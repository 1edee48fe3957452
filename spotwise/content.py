"""What the files in `knowledge/` hold, as plain frozen records.

`spotwise.knowledge.load_knowledge` reads and checks the files and makes one `Knowledge` of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeVar

from spotwise.conditions import Condition, Facts, Vocabulary

Level = Literal["emergency", "same_day", "soon", "routine", "self_care"]
Variant = Literal["ambulance", "go_now"]
Reading = Literal["full", "excerpt", "no"]

LEVELS: tuple[Level, ...] = ("emergency", "same_day", "soon", "routine", "self_care")
"""How soon to get care, most urgent first."""


def most_urgent(levels: Iterable[Level]) -> Level:
    """The most urgent of some levels; self_care when there are none."""
    return min(levels, key=LEVELS.index, default="self_care")


@dataclass(frozen=True, kw_only=True)
class Source:
    """Something the content rests on. `read` says how much of it was read for it."""

    id: str
    title: str
    publisher: str
    year: str
    link: str | None
    read: Reading


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One fact a person may be told, with the ids of its sources and cautions."""

    id: str
    topic: str
    text: str
    sources: tuple[str, ...]
    cautions: tuple[str, ...]
    reviewed: date


@dataclass(frozen=True, kw_only=True)
class Caution:
    """What has to be said with the facts it is about."""

    id: str
    about: tuple[str, ...]
    text: str
    sources: tuple[str, ...]
    reviewed: date


@dataclass(frozen=True, kw_only=True)
class Feature:
    """Something that makes a cause likelier (`+`) or less likely (`-`): S strong, M moderate, W weak."""

    when: Condition
    weight: str
    because: str


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One of several forms a cause can take, with what points to it and how soon it needs care."""

    id: str
    name: str
    what: str
    clues: str
    level: Level
    sources: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Cause:
    """A possible cause of the bleeding, in words for a person."""

    id: str
    name: str
    medical_name: str
    also_called: tuple[str, ...]
    what: str
    why_it_bleeds: str
    who: str
    starting: Mapping[str, int]
    only_if: Condition | None
    serious: bool
    open_while: Condition | None
    features: tuple[Feature, ...]
    kinds: tuple[Kind, ...]
    next_steps: str
    treatment: str
    self_care: str
    typical_urgency: str
    sources: tuple[str, ...]
    reviewed: date


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """What every entry of rules.yml has: its plain wording, the reason shown, and where it is from."""

    id: str
    criterion: str
    because: str = ""
    why: str = ""
    sources: tuple[str, ...]
    reviewed: date


@dataclass(frozen=True, kw_only=True)
class Stronger:
    """A more urgent level that a rule gives when more is true."""

    level: Level
    when: Condition


@dataclass(frozen=True, kw_only=True)
class Rule(Criterion):
    """An urgency rule: `level` when `when` holds, unless `unless` does."""

    level: Level
    when: Condition
    unless: Condition | None = None
    stronger: Stronger | None = None
    variant: Variant | None = None
    ambulance_when: Condition | None = None
    offer_only: bool = False
    enabled: bool = True

    def applies(self, facts: Facts) -> bool:
        """Whether the rule is switched on and met."""
        if not self.enabled or not self.when.holds(facts):
            return False
        return self.unless is None or not self.unless.holds(facts)

    def level_for(self, facts: Facts) -> Level:
        """The level it gives these facts, if it applies to them."""
        if self.stronger is not None and self.stronger.when.holds(facts):
            return self.stronger.level
        return self.level

    def variant_for(self, facts: Facts) -> Variant | None:
        """How to go, if it applies and the level is an emergency: with an ambulance, or going now."""
        if self.level_for(facts) != "emergency":
            return None
        if self.ambulance_when is not None and self.ambulance_when.holds(facts):
            return "ambulance"
        return self.variant or "go_now"

    def conditions(self) -> list[Condition]:
        """Every condition of the rule."""
        stronger = self.stronger.when if self.stronger else None
        found = (self.when, self.unless, self.ambulance_when, stronger)
        return [condition for condition in found if condition is not None]

    def slots(self) -> frozenset[str]:
        """Every slot the rule reads."""
        return frozenset().union(*(condition.slots() for condition in self.conditions()))


@dataclass(frozen=True, kw_only=True)
class GateItem(Criterion):
    """One item of the gate to self_care. All have to hold."""

    when: Condition


@dataclass(frozen=True, kw_only=True)
class CombiningRule(Criterion):
    """A rule about rules: carried out by a named part of the program, or by a `rule` of its own."""

    carried_out_by: str | None = None
    rule: Rule | None = None


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question, when it is asked, and what is noted where no answer comes."""

    slot: str
    ids: tuple[str, ...]
    ask_when: Condition | None
    skip_when: Condition | None
    never_skipped: bool
    unanswered: str | None
    declined: str | None
    why: str
    sources: tuple[str, ...]
    reviewed: date

    def is_asked(self, facts: Facts) -> bool:
        """Whether the question makes sense for these facts. It does not look at whether it is answered."""
        if self.ask_when is not None and not self.ask_when.holds(facts):
            return False
        return self.skip_when is None or not self.skip_when.holds(facts)


Entry = TypeVar("Entry", Source, Fact, Caution, Cause, Criterion)


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """Everything in the folder `knowledge/`, checked."""

    vocabulary: Vocabulary
    conditions: Mapping[str, Condition]
    sources: tuple[Source, ...]
    facts: tuple[Fact, ...]
    cautions: tuple[Caution, ...]
    causes: tuple[Cause, ...]
    rules: tuple[Rule, ...]
    gate: tuple[GateItem, ...]
    combining: tuple[CombiningRule, ...]
    questions: tuple[Question, ...]

    @property
    def deciding(self) -> tuple[Rule, ...]:
        """Every rule with a level and a condition, those among the combining rules included."""
        return (*self.rules, *(item.rule for item in self.combining if item.rule is not None))

    def source(self, id: str) -> Source:
        """The source of this id, else KeyError."""
        return _find(self.sources, id)

    def fact(self, id: str) -> Fact:
        """The fact of this id, else KeyError."""
        return _find(self.facts, id)

    def caution(self, id: str) -> Caution:
        """The caution of this id, else KeyError."""
        return _find(self.cautions, id)

    def cause(self, id: str) -> Cause:
        """The cause of this id, else KeyError."""
        return _find(self.causes, id)

    def rule(self, id: str) -> Criterion:
        """The entry of rules.yml of this id, else KeyError: a Rule, a GateItem or a CombiningRule."""
        entries: tuple[Criterion, ...] = (*self.deciding, *self.gate, *self.combining)
        return _find(entries, id)

    def question(self, slot: str) -> Question:
        """The question that asks for a slot, else KeyError."""
        for question in self.questions:
            if question.slot == slot:
                return question
        raise KeyError(slot)


def _find(entries: Iterable[Entry], id: str) -> Entry:
    """The first entry of this id."""
    for entry in entries:
        if entry.id == id:
            return entry
    raise KeyError(id)
