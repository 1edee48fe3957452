"""How urgent it is: fixed rules over the facts, the highest level wins (CR01, CR02).

The rules themselves are data (`knowledge/rules.yml`); this module runs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spotwise.conditions import told_in
from spotwise.facts import unanswered
from spotwise.knowledge import LEVELS, Knowledge, Level, Rule, Variant

GATE = "W01-W10"
"""The reason given for self_care: every item of the gate holds."""
CALL_TOMORROW = frozenset({"S04", "S05", "S06", "S07", "S11", "S12", "S16"})
"""Two of these mean a call tomorrow for the earliest visit (CR08)."""
MOST_REASONS = 2


@dataclass(frozen=True)
class Triage:
    """How urgent it is, and why."""

    level: Level
    reasons: tuple[str, ...]
    """The ids of the rules that decided the level; R06 is added where worry was told."""
    because: str
    """The person's own facts that decided it, as words after "because"."""
    why: str
    """The medical reason, as a sentence."""
    variant: Variant | None = None
    """At emergency: "ambulance", or "go_now" where somebody else can safely take them."""
    call_tomorrow: bool = False


def triage(facts: Mapping[str, Any], knowledge: Knowledge) -> Triage:
    """Decide the level. The same facts in any order give the same answer."""
    counted = {**facts, "unanswered": unanswered(facts)}
    told = told_in(counted)
    met = [rule for rule in knowledge.deciding if rule.when.may_hold(told) and rule.applies(counted)]
    deciding = [rule for rule in met if not rule.offer_only]
    beyond_once = [rule for rule in deciding if rule.id != "R01"]
    if not beyond_once and all(item.when.holds(counted) for item in knowledge.gate):
        return _with_worry(
            Triage("self_care", (GATE,), "it was small, happened once and has a simple reason", ""), met
        )
    level = min((rule.level_for(counted) for rule in deciding), key=LEVELS.index, default=None)
    if level is None:
        missing = tuple(item.id for item in knowledge.gate if not item.when.holds(counted))
        return _with_worry(Triage("routine", missing, "bleeding after sex is worth a check", ""), met)
    top = [rule for rule in deciding if rule.level_for(counted) == level]
    result = Triage(
        level=level,
        reasons=tuple(rule.id for rule in top),
        because=_because(top),
        why=top[0].why,
        variant=_variant(top, counted) if level == "emergency" else None,
        call_tomorrow=level == "soon" and len(CALL_TOMORROW & {rule.id for rule in top}) >= 2,
    )
    return _with_worry(result, met)


def _because(rules: list[Rule]) -> str:
    """At most two reasons, each once."""
    clauses = list(dict.fromkeys(rule.because for rule in rules))[:MOST_REASONS]
    return ", and ".join(clauses)


def _variant(rules: list[Rule], facts: Mapping[str, Any]) -> Variant:
    variants = {rule.variant_for(facts) for rule in rules}
    return "ambulance" if "ambulance" in variants else "go_now"


def _with_worry(result: Triage, met: list[Rule]) -> Triage:
    """R06 never lifts the level; it adds the offer of a visit."""
    offers = tuple(rule.id for rule in met if rule.offer_only)
    if not offers or result.level not in ("routine", "self_care"):
        return result
    return Triage(
        result.level,
        result.reasons + offers,
        result.because,
        result.why,
        result.variant,
        result.call_tomorrow,
    )
