"""How urgent it is: the highest rule wins, nothing lowers it, and the gate to self_care is strict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from random_facts import EMPTY, VOCABULARY, plausible_facts, some_facts

from spotwise.facts import unanswered
from spotwise.knowledge import LEVELS, load_knowledge
from spotwise.triage import CALL_TOMORROW, GATE, triage

KNOWLEDGE = load_knowledge()
CASES = yaml.safe_load((Path(__file__).parent / "rules.yml").read_text(encoding="utf-8"))["rules"]
UNDER_18 = ["under_13", "13_15", "16_17"]
DANGERS = [sign for sign in VOCABULARY["danger_signs"].values if sign not in EMPTY]
ALARMING = {
    "symptoms": [value for value in VOCABULARY["symptoms"].values if value not in (*EMPTY, "dryness")],
    "medical_history": [
        "blood_thinner",
        "bleeding_disorder",
        "tamoxifen",
        "weak_immune_system",
        "recent_birth",
        "recent_procedure",
        "ovaries_removed",
        "abnormal_screening",
        "overdue_screening",
        "prolapse_or_pessary",
        "fgm",
    ],
    "circumstances": ["object_left_inside", "sharp_object", "partner_sti", "new_partner", "no_condom"],
    "contraception": ["missed_doses", "coil_threads_changed"],
    "details": [
        "very_unwell",
        "breathless",
        "head_injury",
        "bleeds_elsewhere",
        "cannot_pee",
        "hard_to_pee",
        "visible_cut",
        "heavy_from_back_passage",
        "more_than_streaks",
        "severe_pain_during_sex",
        "in_danger",
        "choked_or_drugged",
        "injured",
        "pressured",
        "afraid",
        "self_harm",
        "worried",
        "test_unclear",
        "no_test_today",
        "wants_emergency_contraception",
        "gynae_cancer",
        "hysterectomy_recent",
        "surgical_vagina",
        "not_examined",
        "treated_still_bleeding",
        "several_partners",
        "back_pain",
        "bloating",
        "swollen_leg",
    ],
}
"""List values that can only make it more urgent."""
STEPS = [
    (slot, lower, higher)
    for slot in ("pregnancy", "bleeding_amount", "bleeding_status", "pain", "consent", "episode_count")
    for at, lower in enumerate(VOCABULARY[slot].values)
    for higher in VOCABULARY[slot].values[at + 1 :]
    if "unsure" not in (lower, higher)
]
"""A milder and a more urgent value of one slot. "Not sure" stands for the risk it leaves open (CR03)."""
PASSES: dict[str, Any] = {
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
    "circumstances": ["rough_sex"],
}
"""A person who passes the gate."""


def urgency(facts: dict[str, Any]) -> int:
    """How urgent, as a number: higher is more."""
    return -LEVELS.index(triage(facts, KNOWLEDGE).level)


@given(some_facts())
def test_any_facts_give_a_whole_answer(facts):
    result = triage(facts, KNOWLEDGE)
    assert result.level in LEVELS
    assert result.reasons and result.because
    assert (result.variant is None) == (result.level != "emergency")
    assert result == triage(facts, KNOWLEDGE)


@given(some_facts())
def test_the_highest_rule_that_holds_decides(facts):
    counted = {**facts, "unanswered": unanswered(facts)}
    met = [rule for rule in KNOWLEDGE.deciding if rule.applies(counted) and not rule.offer_only]
    highest = min((LEVELS.index(rule.level_for(counted)) for rule in met), default=LEVELS.index("routine"))
    result = triage(facts, KNOWLEDGE)
    if result.level != "self_care":
        assert LEVELS.index(result.level) == highest
        deciding = {rule.id for rule in met if LEVELS.index(rule.level_for(counted)) == highest}
        assert not met or deciding == set(result.reasons) - {"R06"}
    else:
        assert {rule.id for rule in met} <= {"R01"}


@given(some_facts(), st.randoms(use_true_random=False))
def test_the_order_of_facts_does_not_matter(facts, random):
    names = list(facts)
    random.shuffle(names)
    shuffled = {}
    for name in names:
        value = facts[name]
        shuffled[name] = random.sample(value, len(value)) if isinstance(value, list) else value
    assert triage(shuffled, KNOWLEDGE) == triage(facts, KNOWLEDGE)


@given(some_facts())
def test_null_is_the_same_as_not_told(facts):
    told = {slot: value for slot, value in facts.items() if value is not None}
    assert triage(told, KNOWLEDGE) == triage(facts, KNOWLEDGE)


@given(some_facts(), st.sampled_from(DANGERS))
def test_a_danger_sign_never_lowers_the_level(facts, sign):
    signs = [value for value in facts.get("danger_signs") or [] if value != "none"]
    assert urgency({**facts, "danger_signs": [*signs, sign]}) >= urgency(facts)


@given(some_facts(), st.data())
def test_an_alarming_fact_never_lowers_the_level(facts, data):
    slot = data.draw(st.sampled_from(list(ALARMING)))
    value = data.draw(st.sampled_from(ALARMING[slot]))
    assume("unsure" not in (facts.get(slot) or ()))
    known = [item for item in facts.get(slot) or [] if item not in ("none", "undisclosed")]
    assert urgency({**facts, slot: [*known, value]}) >= urgency(facts) or facts.get(slot) == ["undisclosed"]


@given(some_facts(), st.sampled_from(STEPS))
def test_a_more_urgent_value_never_lowers_the_level(facts, step):
    slot, lower, higher = step
    assert urgency({**facts, slot: higher}) >= urgency({**facts, slot: lower})


@given(some_facts(), st.sampled_from(UNDER_18))
def test_under_18_never_ends_in_self_care(facts, age_group):
    least = {"under_13": "same_day", "13_15": "soon", "16_17": "routine"}[age_group]
    level = triage({**facts, "age_group": age_group}, KNOWLEDGE).level
    assert LEVELS.index(level) <= LEVELS.index(least)


@pytest.mark.parametrize("age_group", UNDER_18)
def test_not_even_where_all_else_passes_the_gate(age_group):
    assert triage({**PASSES, "age_group": age_group}, KNOWLEDGE).level != "self_care"


# --- The gate ---


def test_the_gate_opens_where_every_item_holds():
    assert triage(PASSES, KNOWLEDGE).level == "self_care"
    assert triage(PASSES, KNOWLEDGE).reasons == (GATE,)


@pytest.mark.parametrize("item", KNOWLEDGE.gate, ids=lambda item: item.id)
def test_each_item_alone_closes_the_gate(item):
    without = {slot: value for slot, value in PASSES.items() if slot not in item.when.slots()}
    for missed in CASES[item.id]["missed"]:
        facts = {**without, **missed}
        assert triage(facts, KNOWLEDGE).level != "self_care", missed


@pytest.mark.parametrize("slot", [slot for slot in PASSES if slot not in ("contraception", "circumstances")])
@pytest.mark.parametrize("value", [None, "unsure"])
def test_one_answer_that_is_missing_or_not_sure_closes_the_gate(slot, value):
    if value is not None and value not in VOCABULARY[slot].values:
        value = "undisclosed"
    answer = [value] if value and isinstance(PASSES[slot], list) else value
    assert triage({**PASSES, slot: answer}, KNOWLEDGE).level != "self_care"


@pytest.mark.parametrize("answer", [None, ["undisclosed"], ["none"]])
def test_no_simple_reason_closes_the_gate(answer):
    assert triage({**PASSES, "circumstances": answer}, KNOWLEDGE).level == "routine"


@given(some_facts())
def test_self_care_means_that_every_item_holds(facts):
    counted = {**facts, "unanswered": unanswered(facts)}
    if triage(facts, KNOWLEDGE).level == "self_care":
        assert all(item.when.holds(counted) for item in KNOWLEDGE.gate)


def near_the_gate() -> st.SearchStrategy[dict[str, Any]]:
    """Somebody who passes but for a few facts."""
    return plausible_facts().flatmap(
        lambda facts: (
            st.sets(st.sampled_from(sorted(facts)), max_size=3).map(
                lambda kept: {**PASSES, **{slot: facts[slot] for slot in kept}}
            )
            if facts
            else st.just(PASSES)
        )
    )


@given(near_the_gate())
def test_self_care_near_the_gate_too(facts):
    counted = {**facts, "unanswered": unanswered(facts)}
    met = {rule.id for rule in KNOWLEDGE.deciding if rule.applies(counted) and not rule.offer_only}
    passes = all(item.when.holds(counted) for item in KNOWLEDGE.gate) and met <= {"R01"}
    assert (triage(facts, KNOWLEDGE).level == "self_care") == passes


def test_a_settled_hormone_method_may_pass_and_a_new_one_may_not():
    assert triage({**PASSES, "contraception": ["combined_pill"]}, KNOWLEDGE).level == "self_care"
    new = triage({**PASSES, "contraception": ["combined_pill", "new_in_3_months"]}, KNOWLEDGE)
    assert (new.level, "R04" in new.reasons) == ("routine", True)


# --- Rules that touch each other ---


@given(some_facts())
def test_worry_adds_an_offer_and_changes_no_level(facts):
    calm = {**facts, "details": [value for value in facts.get("details") or () if value != "worried"]}
    worried = {**calm, "details": [*calm["details"], "worried"]}
    before, after = triage(calm, KNOWLEDGE), triage(worried, KNOWLEDGE)
    assert before.level == after.level
    assert ("R06" in after.reasons) == (after.level in ("routine", "self_care"))


def test_seen_and_unchanged_switches_off_the_repeat_rules_only():
    seen = {**PASSES, "medical_history": ["known_ectropion", "seen_and_unchanged"]}
    assert triage({**seen, "episode_count": "every_time"}, KNOWLEDGE).reasons == ("R02",)
    assert triage({**seen, "episode_count": "every_time", "symptoms": ["lump"]}, KNOWLEDGE).level == "soon"
    known = {**PASSES, "medical_history": ["known_ectropion"], "episode_count": "three_or_more"}
    assert "S04" in triage(known, KNOWLEDGE).reasons


def test_two_of_the_cervix_and_womb_rules_mean_a_call_tomorrow():
    one = {**PASSES, "episode_count": "three_or_more"}
    two = {**one, "medical_history": ["abnormal_screening"]}
    assert not triage(one, KNOWLEDGE).call_tomorrow
    assert triage(two, KNOWLEDGE).call_tomorrow
    assert triage(two, KNOWLEDGE).level == "soon"
    assert not triage({**two, "bleeding_amount": "heavy"}, KNOWLEDGE).call_tomorrow


@given(some_facts())
def test_a_call_tomorrow_is_only_said_at_soon(facts):
    result = triage(facts, KNOWLEDGE)
    wanted = result.level == "soon" and len(CALL_TOMORROW & set(result.reasons)) >= 2
    assert result.call_tomorrow == wanted


def test_not_sure_twice_about_danger_is_an_emergency():
    once = {**PASSES, "danger_signs": ["unsure"]}
    assert triage(once, KNOWLEDGE).level == "same_day"
    assert triage({**once, "pain": "unsure"}, KNOWLEDGE).level == "emergency"


@pytest.mark.parametrize("slot", ["consent", "age_group", "circumstances"])
def test_declining_alone_raises_no_level_above_routine(slot):
    value = ["undisclosed"] if slot == "circumstances" else "undisclosed"
    assert triage({**PASSES, slot: value}, KNOWLEDGE).level == "routine"


def test_nothing_told_is_routine_and_names_the_open_items():
    result = triage({}, KNOWLEDGE)
    assert result.level == "routine"
    assert set(result.reasons) <= {item.id for item in KNOWLEDGE.gate}


def test_at_most_two_reasons_are_told():
    facts = {"danger_signs": DANGERS, "pregnancy": "yes", "consent": "unwanted", "details": ["self_harm"]}
    assert triage(facts, KNOWLEDGE).because.count(", and ") <= 3
    assert triage(facts, KNOWLEDGE).variant == "ambulance"
