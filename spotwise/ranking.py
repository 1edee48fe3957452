"""Which causes fit the facts, best first, each with the person's own facts for and against it.

Starting weights by age and life stage, plus a weight for every feature that holds. The figures rank; they
are no probabilities. Ranking never touches the level (CR01).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spotwise.knowledge import Cause, Knowledge

WEIGHTS = {"+S": 4.0, "+M": 1.5, "+W": 0.5, "-W": -0.5, "-M": -1.5, "-S": -4.0}
"""Strong, moderate and weak, in steps of the starting weights (0 to 4): a strong sign outweighs any start."""
SHOWN = 5


@dataclass(frozen=True)
class RankedCause:
    """A cause, how well it fits, and why."""

    cause: Cause
    score: float
    for_: tuple[str, ...]
    """The person's own facts that speak for it, as clauses after "because"."""
    against: tuple[str, ...]
    open_serious: bool
    """A serious cause that the answers leave open: shown even where others fit better."""


def rank(facts: Mapping[str, Any], knowledge: Knowledge) -> list[RankedCause]:
    """Every cause that is possible with these facts, best fit first."""
    stage = life_stage(facts, knowledge)
    ranked = [found for cause in knowledge.causes if (found := _fit(cause, facts, stage)) is not None]
    return sorted(ranked, key=lambda found: -found.score)  # stable: equal scores keep the file's order


def shown(ranked: list[RankedCause]) -> list[RankedCause]:
    """The few causes worth telling: the best ones, and every serious one still open."""
    best = ranked[:SHOWN]
    return best + [found for found in ranked[SHOWN:] if found.open_serious]


def life_stage(facts: Mapping[str, Any], knowledge: Knowledge) -> str:
    """The column of the starting weights that fits the person."""
    for stage in ("pregnant", "menopausal", "under_25"):
        if knowledge.conditions[stage].holds(facts):
            return stage
    return "40_54" if knowledge.conditions["forty_or_over"].holds(facts) else "25_39"


def _fit(cause: Cause, facts: Mapping[str, Any], stage: str) -> RankedCause | None:
    if cause.only_if is not None and not cause.only_if.holds(facts):
        return None
    held = [feature for feature in cause.features if feature.when.holds(facts)]
    start = cause.starting[stage]
    if start == 0 and not any(feature.weight == "+S" for feature in held):
        return None
    score = start + sum(WEIGHTS[feature.weight] for feature in held)
    return RankedCause(
        cause=cause,
        score=score,
        for_=tuple(dict.fromkeys(feature.because for feature in held if feature.weight.startswith("+"))),
        against=tuple(dict.fromkeys(feature.because for feature in held if feature.weight.startswith("-"))),
        open_serious=cause.serious and (cause.open_while is None or cause.open_while.holds(facts)),
    )
