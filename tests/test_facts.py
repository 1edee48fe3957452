"""What messages come to: facts are added, and taken back only by a correction (CR06, CR07)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_facts import EMPTY, VOCABULARY, plausible_facts

from spotwise import facts
from spotwise.knowledge import LEVELS, load_knowledge
from spotwise.reading import Reading
from spotwise.triage import triage

KNOWLEDGE = load_knowledge()
# Facts that explain something, and may rightly leave a rule out; all others can only add urgency.
EXPLAINING = {
    "symptoms": {"dryness"},
    "contraception": set(VOCABULARY["contraception"].values) - {"missed_doses", "coil_threads_changed"},
    "medical_history": {"seen_and_unchanged"},
    "details": {"cancer_elsewhere", "long_standing_itch"},
    "circumstances": {
        "first_intercourse",
        "rough_sex",
        "little_lubrication",
        "toy_or_object",
        "period_due",
        "period_just_ended",
    },
}


def after(
    known: dict[str, Any], said: dict[str, Any], denied: dict[str, set[str]] | None = None, **how: Any
) -> dict[str, Any]:
    """What is known once the message has been heard."""
    reading = Reading(facts=said, denied={slot: frozenset(gone) for slot, gone in (denied or {}).items()})
    changes = facts.add(known, reading, KNOWLEDGE, **how)
    return {slot: value for slot, value in {**known, **changes}.items() if value is not None}


def urgency(known: dict[str, Any]) -> int:
    return -LEVELS.index(triage(known, KNOWLEDGE).level)


# --- What is kept of the slots of a conversation ---


def test_only_known_slots_and_values_are_facts():
    slots = {
        "pain": "none",
        "bleeding_amount": "buckets",
        "symptoms": ["dryness", "nonsense", None],
        "pregnancy_weeks": 12,
        "temperature": 99.0,
        "age": True,
        "requested_slot": "pain",
        "urgency": "soon",
        "danger_signs": "none",
        "contraception": [],
        "pregnancy": None,
    }
    assert facts.facts_of(slots) == {"pain": "none", "symptoms": ["dryness"], "pregnancy_weeks": 12}


@given(
    st.dictionaries(
        st.text(max_size=8) | st.sampled_from(sorted(VOCABULARY.slots)),
        st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.text(max_size=8)),
    )
)
def test_whatever_the_slots_hold_no_strange_value_comes_through(slots):
    for slot, value in facts.facts_of(slots).items():
        known = VOCABULARY[slot]
        if known.type == "number":
            assert known.minimum <= value <= known.maximum
        else:
            assert set(value if isinstance(value, list) else [value]) <= set(known.values)


# --- Adding ---


def test_lists_grow():
    assert after({"symptoms": ["dryness"]}, {"symptoms": ["lump"]})["symptoms"] == ["dryness", "lump"]
    assert after({"symptoms": ["dryness"]}, {"symptoms": ["dryness"]})["symptoms"] == ["dryness"]


@pytest.mark.parametrize("empty", ["none", "unsure"])
def test_something_told_takes_the_place_of_none_and_not_sure(empty):
    assert after({"symptoms": [empty]}, {"symptoms": ["lump"]})["symptoms"] == ["lump"]


@pytest.mark.parametrize("empty", ["none", "unsure"])
def test_none_and_not_sure_take_nothing_back(empty):
    assert after({"symptoms": ["lump"]}, {"symptoms": [empty]})["symptoms"] == ["lump"]


def test_none_answers_what_was_not_sure():
    assert after({"danger_signs": ["unsure"]}, {"danger_signs": ["none"]})["danger_signs"] == ["none"]


def test_the_more_urgent_value_is_kept_in_either_order():
    assert after({"bleeding_amount": "heavy"}, {"bleeding_amount": "spotting"})["bleeding_amount"] == "heavy"
    assert after({"bleeding_amount": "spotting"}, {"bleeding_amount": "heavy"})["bleeding_amount"] == "heavy"
    assert after({"consent": "unwanted"}, {"consent": "wanted"})["consent"] == "unwanted"
    assert after({"pregnancy": "no"}, {"pregnancy": "possible"})["pregnancy"] == "possible"


def test_not_sure_does_not_take_back_what_was_told():
    assert after({"pain": "cramps"}, {"pain": "unsure"})["pain"] == "cramps"
    assert after({"age_group": "25_39"}, {"age_group": "undisclosed"})["age_group"] == "25_39"


def test_an_answer_to_the_question_itself_counts():
    assert (
        after({"bleeding_amount": "unsure"}, {"bleeding_amount": "spotting"}, asked="bleeding_amount")[
            "bleeding_amount"
        ]
        == "spotting"
    )
    assert after({"pain": "cramps"}, {"pain": "none"}, asked="pain")["pain"] == "none"
    assert after({"pain": "cramps"}, {"pain": "none"}, asked="consent")["pain"] == "cramps"


def test_what_changes_nothing_is_no_change():
    reading = Reading(facts={"pain": "cramps", "symptoms": ["lump"]})
    assert facts.add({"pain": "severe", "symptoms": ["lump"]}, reading, KNOWLEDGE) == {}


@given(plausible_facts())
def test_saying_the_same_again_changes_nothing(known):
    assert facts.add(known, Reading(facts=known), KNOWLEDGE) == {}


@given(plausible_facts(), plausible_facts())
def test_what_was_told_is_never_lost_without_a_correction(known, said):
    merged = after(known, said)
    for slot, value in known.items():
        if isinstance(value, list):
            assert {item for item in value if item not in EMPTY} <= set(merged[slot])
        elif VOCABULARY[slot].type == "scalar" and VOCABULARY[slot].ordered and value not in EMPTY:
            order = VOCABULARY[slot].values.index
            assert order(merged[slot]) >= order(value)
        else:
            assert slot in merged


@given(plausible_facts(), plausible_facts())
def test_later_messages_never_lower_an_urgent_level(known, said):
    known = {
        slot: value
        for slot, value in known.items()
        if value not in ("unsure", ["unsure"], "undisclosed", ["undisclosed"])
    }
    said = {
        slot: [item for item in value if item not in EXPLAINING.get(slot, ())]
        if isinstance(value, list)
        else value
        for slot, value in said.items()
        if VOCABULARY[slot].type != "scalar" or VOCABULARY[slot].ordered
    }
    said = {slot: value for slot, value in said.items() if value != [] and VOCABULARY[slot].type != "number"}
    if urgency(known) > -LEVELS.index("routine"):
        assert urgency(after(known, said)) >= urgency(known)


@given(
    plausible_facts(),
    st.sampled_from([sign for sign in VOCABULARY["danger_signs"].values if sign not in EMPTY]),
)
def test_a_danger_sign_told_later_never_lowers_the_level(known, sign):
    if known.get("danger_signs") == ["unsure"] and "unsure" in (
        known.get("pain"),
        known.get("bleeding_amount"),
    ):
        return  # see the open case below
    assert urgency(after(known, {"danger_signs": [sign]})) >= urgency(known)


def test_a_danger_sign_told_beside_two_doubts_stays_an_emergency():
    known = {"danger_signs": ["unsure"], "bleeding_amount": "unsure"}
    assert urgency(after(known, {"danger_signs": ["fever"]})) >= urgency(known)


@pytest.mark.parametrize(
    ("slot", "first", "then"), [("temperature", 37.2, 39.0), ("pregnancy_weeks", 18, 22)]
)
def test_a_higher_number_counts(slot, first, then):
    assert after({slot: first}, {slot: then})[slot] == then


def test_the_menopause_told_later_counts():
    assert after({"periods": "menstruating"}, {"periods": "postmenopausal"})["periods"] == "postmenopausal"


# --- Correcting ---


def test_a_correction_takes_back():
    assert (
        after({"bleeding_amount": "heavy"}, {"bleeding_amount": "spotting"}, correcting=True)[
            "bleeding_amount"
        ]
        == "spotting"
    )
    assert after({"consent": "unwanted"}, {"consent": "wanted"}, correcting=True)["consent"] == "wanted"
    assert after({"age_group": "25_39"}, {"age_group": "40_54"}, correcting=True)["age_group"] == "40_54"


def test_a_corrected_list_loses_what_is_denied_and_keeps_the_rest():
    known = {"symptoms": ["lump", "dryness"]}
    assert after(known, {}, {"symptoms": {"lump"}}, correcting=True)["symptoms"] == ["dryness"]
    assert after(known, {}, {"symptoms": {"lump", "dryness"}}, correcting=True)["symptoms"] == ["none"]
    assert after(known, {"symptoms": ["none"]}, correcting=True)["symptoms"] == ["none"]
    assert after(known, {"symptoms": ["bad_smell"]}, {"symptoms": {"lump"}}, correcting=True)["symptoms"] == [
        "dryness",
        "bad_smell",
    ]


def test_a_denial_alone_takes_nothing_back():
    known = {"danger_signs": ["fainting"], "pain": "severe"}
    assert after(known, {}, {"danger_signs": {"fainting"}, "pain": {"severe"}}) == known


def test_what_follows_from_a_corrected_fact_goes_with_it():
    flood = {"bleeding_amount": "very_heavy", "danger_signs": ["soaking_pads", "fever"]}
    assert after(flood, {"bleeding_amount": "spotting"}, correcting=True)["danger_signs"] == ["fever"]
    hurt = {"pain": "severe", "danger_signs": ["severe_pain"]}
    assert after(hurt, {"pain": "entrance_sore"}, correcting=True)["danger_signs"] == ["none"]
    pregnant = {"pregnancy": "yes", "pregnancy_weeks": 22, "details": ["test_positive", "smoker"]}
    corrected = after(pregnant, {"pregnancy": "no"}, correcting=True)
    assert corrected["details"] == ["smoker"] and "pregnancy_weeks" not in corrected
    hot = {"danger_signs": ["fever"], "temperature": 38.5}
    assert "temperature" not in after(hot, {}, {"danger_signs": {"fever"}}, correcting=True)


def test_a_correction_upwards_takes_nothing_else_along():
    known = {"bleeding_amount": "heavy", "danger_signs": ["large_clots"]}
    assert after(known, {"bleeding_amount": "very_heavy"}, correcting=True)["danger_signs"] == ["large_clots"]


@given(plausible_facts(), plausible_facts(), st.booleans())
def test_merging_never_makes_a_value_that_is_no_fact(known, said, correcting):
    merged = after(known, said, correcting=correcting)
    assert facts.facts_of(merged) == merged


# --- Answers that were none (R08) ---


def test_unanswered_questions_are_counted():
    assert facts.unanswered({}) == 0
    assert facts.unanswered({"pain": "none", "symptoms": ["none"]}) == 0
    assert facts.unanswered({"consent": "undisclosed", "symptoms": ["unsure"], "periods": "unsure"}) == 3
    assert facts.unanswered({"symptoms": ["lump", "unsure"]}) == 0
