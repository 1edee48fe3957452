"""Which question comes next: danger first, nothing twice, nothing after an emergency, and an end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_facts import clean, plausible_facts, values

from spotwise.interview import closes, is_answered, next_question, progress, style
from spotwise.knowledge import load_knowledge
from spotwise.triage import triage

KNOWLEDGE = load_knowledge()
SLOTS = [question.slot for question in KNOWLEDGE.questions]
CALM: dict[str, Any] = {
    "danger_signs": ["none"],
    "pregnancy": "no",
    "bleeding_amount": "spotting",
    "bleeding_status": "stopped",
    "pain": "none",
    "consent": "wanted",
    "age_group": "25_39",
    "periods": "menstruating",
    "episode_count": "first_time",
    "symptoms": ["none"],
    "contraception": ["condoms"],
    "medical_history": ["none"],
    "circumstances": ["none"],
    "pregnancy_weeks": 8,
}


def ask_all(facts: dict[str, Any], answer: Any) -> list[str]:
    """Ask until nothing is left; `answer` gives the value for a slot. The questions asked, in order."""
    asked: list[str] = []
    while (slot := next_question(facts, asked, KNOWLEDGE)) is not None:
        assert slot not in asked, "asked twice"
        assert len(asked) < len(SLOTS), "no end"
        asked.append(slot)
        value = answer(slot)
        if value is not None:
            facts = clean({**facts, slot: value})
    return asked


def test_somebody_who_tells_nothing_is_asked_8_to_14_questions():
    asked = ask_all({}, CALM.get)
    assert asked[0] == "danger_signs"
    assert 8 <= len(asked) <= 14
    assert asked == [slot for slot in SLOTS if slot != "pregnancy_weeks"]


@pytest.mark.parametrize("answer", ["unsure", "undisclosed"])
def test_nor_more_where_no_answer_is_known(answer):
    def value(slot: str) -> Any:
        question = KNOWLEDGE.question(slot)
        said = question.unanswered if answer == "unsure" else question.declined
        return [said] if KNOWLEDGE.vocabulary[slot].type == "list" else said

    assert len(ask_all({}, value)) <= 14


@settings(max_examples=200)
@given(plausible_facts(), st.data())
def test_the_questions_end_whatever_is_known_and_answered(facts, data):
    def answer(slot: str) -> Any:
        return data.draw(values(KNOWLEDGE.vocabulary[slot]), label=slot)

    asked = ask_all(facts, answer)
    assert len([slot for slot in asked if slot != "pregnancy_weeks"]) <= 14


@settings(max_examples=200)
@given(plausible_facts())
def test_what_is_known_is_not_asked(facts):
    slot = next_question(facts, [], KNOWLEDGE)
    if slot is None:
        return
    known = facts.get(slot)
    if isinstance(known, list):  # told in passing, a list question is still asked once for the rest
        assert not {"none", "unsure", "undisclosed"} & set(known)
    else:
        assert known is None
    assert next_question(facts, [slot], KNOWLEDGE) != slot


@given(plausible_facts(), st.sets(st.sampled_from(SLOTS)))
def test_nothing_is_asked_after_an_emergency(facts, closed):
    if triage(facts, KNOWLEDGE).level == "emergency":
        assert next_question(facts, closed, KNOWLEDGE) is None


@given(plausible_facts())
def test_danger_comes_first(facts):
    if triage(facts, KNOWLEDGE).level != "emergency" and "danger_signs" not in facts:
        assert next_question(facts, [], KNOWLEDGE) == "danger_signs"


@given(plausible_facts(), st.sets(st.sampled_from(SLOTS)))
def test_progress_never_passes_its_end(facts, closed):
    done, total = progress(facts, closed, KNOWLEDGE)
    assert 0 <= done <= total <= len(SLOTS)


def test_a_list_told_in_passing_is_asked_once():
    assert not is_answered("symptoms", {"symptoms": ["dryness"]}, [])
    assert is_answered("symptoms", {"symptoms": ["dryness"]}, ["symptoms"])
    assert is_answered("symptoms", {"symptoms": ["none"]}, [])
    assert is_answered("danger_signs", {"danger_signs": ["none"]}, [])


def test_a_method_told_is_the_answer_and_a_missed_dose_is_not():
    assert is_answered("contraception", {"contraception": ["implant"]}, [])
    assert not is_answered("contraception", {"contraception": ["missed_doses"]}, [])


def test_a_missed_dose_beside_condoms_asks_of_what():
    assert is_answered("contraception", {"contraception": ["condoms"]}, [])
    assert not is_answered("contraception", {"contraception": ["condoms", "missed_doses"]}, [])


@pytest.mark.parametrize("coil", ["hormonal_coil", "copper_coil"])
def test_a_coil_told_in_passing_is_asked_about_its_threads(coil):
    assert not is_answered("contraception", {"contraception": [coil]}, [])
    assert is_answered("contraception", {"contraception": [coil]}, ["contraception"])
    assert is_answered("contraception", {"contraception": [coil, "coil_threads_changed"]}, [])
    assert style("contraception", {"contraception": [coil]}) == "coil"
    assert style("contraception", {}) == style("pain", {"contraception": [coil]}) == "first"
    assert style(None, {"contraception": [coil]}) == "first"


def left(**facts: Any) -> list[str]:
    """The questions asked of somebody with these facts."""
    return ask_all({**facts}, lambda slot: facts.get(slot, CALM[slot]))


def test_questions_that_do_not_fit_are_left_out():
    assert "pregnancy" not in left(medical_history=["hysterectomy"])
    assert "periods" not in left(medical_history=["hysterectomy"])
    assert "periods" not in left(medical_history=["ovaries_removed"])
    assert "pregnancy" not in left(age_group="55_plus", periods="postmenopausal")
    assert "periods" not in left(pregnancy="yes", pregnancy_weeks=8)
    assert "pregnancy_weeks" in ask_all({"pregnancy": "yes"}, CALM.get)
    assert "pregnancy_weeks" not in left(pregnancy="possible")


def test_a_child_is_not_asked_about_sex():
    asked = left(age_group="under_13")
    assert not set(asked) & {"consent", "pregnancy", "episode_count", "circumstances", "contraception"}


@pytest.mark.parametrize(
    ("asked", "stated", "closed"),
    [
        ("circumstances", {"symptoms": ["dryness"]}, True),
        ("circumstances", {"pain": "none"}, False),
        ("symptoms", {"details": ["bloating"]}, True),
        ("symptoms", {"details": ["worried"]}, False),
        ("medical_history", {"details": ["gynae_cancer"]}, True),
        ("pregnancy_weeks", {"pregnancy_showing": "yes"}, True),
        ("pain", {"details": ["back_pain"]}, False),
    ],
)
def test_finer_facts_answer_the_question_that_leads_to_them(asked, stated, closed):
    assert closes(asked, stated) == closed
