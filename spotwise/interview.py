"""Which question comes next: danger first, nothing that was told, nothing that does not fit.

The questions and their order are data (`knowledge/questions.yml`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from spotwise.facts import EMPTY
from spotwise.knowledge import Knowledge
from spotwise.reading import COILS
from spotwise.triage import triage

# Told in passing, one of these is rarely the whole answer: the question is still asked once.
_ASKED_ONCE = frozenset({"danger_signs", "symptoms", "medical_history", "circumstances"})
_ABOUT_A_METHOD = frozenset({"new_in_3_months", "missed_doses", "coil_threads_changed"})
_WITHOUT_DOSES = frozenset({"none", "condoms"})


def next_question(facts: Mapping[str, Any], closed: Collection[str], knowledge: Knowledge) -> str | None:
    """The slot to ask for next, or None where nothing is left or an emergency ends the questions (CR10).

    `closed` are the slots whose question has been asked and answered.
    """
    if triage(facts, knowledge).level == "emergency":
        return None
    for question in knowledge.questions:
        if question.is_asked(facts) and not is_answered(question.slot, facts, closed):
            return question.slot
    return None


def is_answered(slot: str, facts: Mapping[str, Any], closed: Collection[str]) -> bool:
    """Whether the question of a slot needs no asking."""
    if slot in closed:
        return True
    value = facts.get(slot)
    if isinstance(value, list) and value:
        if slot in _ASKED_ONCE:
            return bool(EMPTY & set(value))
        of_what = bool(set(value) - _ABOUT_A_METHOD - _WITHOUT_DOSES)
        known = of_what or _ABOUT_A_METHOD.isdisjoint(value)
        return known and not _asks_of_coil(slot, value)
    return value is not None


def style(slot: str | None, facts: Mapping[str, Any]) -> str:
    """How a question is first put (the slot `question_style`): "coil" where it asks for a coil's threads."""
    return "coil" if _asks_of_coil(slot, facts.get(slot or "") or ()) else "first"


def _asks_of_coil(slot: str | None, told: Collection[str]) -> bool:
    """Whether a coil is told, and nothing of its threads: they may be gone, or hard plastic felt (D10)."""
    return slot == "contraception" and bool(COILS & set(told)) and "coil_threads_changed" not in told


def progress(facts: Mapping[str, Any], closed: Collection[str], knowledge: Knowledge) -> tuple[int, int]:
    """(questions answered, questions in all) for this person so far."""
    asked = [question for question in knowledge.questions if question.is_asked(facts)]
    return sum(is_answered(question.slot, facts, closed) for question in asked), len(asked)


def closes(asked: str, stated: Mapping[str, Any]) -> bool:
    """Whether a message that states these facts, none of them for `asked`, still answers the question.

    Finer facts answer the question that leads to them; what it was like can be told in any words.
    """
    if asked == "danger_signs":
        return "bleeding_amount" in stated or bool(set(stated.get("details", ())) - {"worried", "afraid"})
    if asked == "circumstances":
        return any(isinstance(value, list) for value in stated.values())
    if asked in ("symptoms", "medical_history"):
        return bool(set(stated.get("details", ())) - {"worried", "afraid"})
    return asked == "pregnancy_weeks" and "pregnancy_showing" in stated
