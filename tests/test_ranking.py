"""Which causes fit: ranking by the person's own facts, never touching the level."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_facts import some_facts

from spotwise.knowledge import load_knowledge
from spotwise.ranking import SHOWN, WEIGHTS, life_stage, rank, shown

KNOWLEDGE = load_knowledge()


def ids(facts: dict[str, Any]) -> list[str]:
    return [found.cause.id for found in rank(facts, KNOWLEDGE)]


@given(some_facts())
def test_any_facts_give_a_ranking(facts):
    ranked = rank(facts, KNOWLEDGE)
    assert ranked, "something can always be named"
    assert len({found.cause.id for found in ranked}) == len(ranked)
    scores = [found.score for found in ranked]
    assert scores == sorted(scores, reverse=True)


@given(some_facts(), st.randoms(use_true_random=False))
def test_the_order_of_facts_does_not_matter(facts, random):
    names = list(facts)
    random.shuffle(names)
    shuffled = {}
    for name in names:
        value = facts[name]
        shuffled[name] = random.sample(value, len(value)) if isinstance(value, list) else value
    assert rank(shuffled, KNOWLEDGE) == rank(facts, KNOWLEDGE)


@given(some_facts())
def test_every_reason_is_a_feature_that_holds(facts):
    for found in rank(facts, KNOWLEDGE):
        held = [feature for feature in found.cause.features if feature.when.holds(facts)]
        assert set(found.for_) == {feature.because for feature in held if feature.weight[0] == "+"}
        assert set(found.against) == {feature.because for feature in held if feature.weight[0] == "-"}


@given(some_facts())
def test_what_is_shown_starts_with_the_best_and_keeps_serious_ones_that_are_open(facts):
    ranked = rank(facts, KNOWLEDGE)
    told = shown(ranked)
    assert told[:SHOWN] == ranked[:SHOWN]
    assert all(found in told for found in ranked if found.open_serious)
    assert all(found.open_serious for found in told[SHOWN:])


@given(some_facts())
def test_a_cause_that_cannot_be_is_not_named(facts):
    for found in rank(facts, KNOWLEDGE):
        assert found.cause.only_if is None or found.cause.only_if.holds(facts)


def test_weights_are_symmetric():
    assert all(WEIGHTS["+" + size] == -WEIGHTS["-" + size] for size in "SMW")
    assert WEIGHTS["+S"] > WEIGHTS["+M"] > WEIGHTS["+W"] > 0


@pytest.mark.parametrize(
    ("facts", "stage"),
    [
        ({"pregnancy": "yes", "age_group": "40_54"}, "pregnant"),
        ({"periods": "postmenopausal", "age_group": "40_54"}, "menopausal"),
        ({"age_group": "55_plus"}, "menopausal"),
        ({"age_group": "16_17"}, "under_25"),
        ({"age_group": "18_24"}, "under_25"),
        ({"age_group": "25_39"}, "25_39"),
        ({"age_group": "40_54"}, "40_54"),
        ({}, "25_39"),
    ],
)
def test_life_stage(facts, stage):
    assert life_stage(facts, KNOWLEDGE) == stage


MENOPAUSE = {"periods": "postmenopausal", "age_group": "55_plus", "symptoms": ["dryness"]}


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        (MENOPAUSE, "vaginal_atrophy"),
        (
            {"circumstances": ["rough_sex"], "details": ["bright_red"], "pain": "entrance_sore"},
            "vaginal_tear",
        ),
        ({"symptoms": ["itch_or_burning", "unusual_discharge"], "age_group": "25_39"}, "vaginitis"),
        ({"age_group": "18_24", "contraception": ["combined_pill"], "pain": "none"}, "cervical_ectropion"),
        ({"medical_history": ["known_polyp"], "age_group": "40_54"}, "cervical_polyp"),
        ({"pregnancy": "yes"}, "pregnancy_related"),
        ({"danger_signs": ["fever"], "pain": "pelvic_ongoing", "symptoms": ["unusual_discharge"]}, "pid"),
        ({"circumstances": ["partner_sti", "no_condom"], "age_group": "18_24"}, "cervicitis_sti"),
        ({"medical_history": ["recent_procedure"]}, "recent_procedure_or_childbirth"),
        ({"circumstances": ["object_left_inside"], "symptoms": ["bad_smell"]}, "foreign_body"),
        ({"medical_history": ["blood_thinner"]}, "bleeding_disorder_or_anticoagulant"),
        ({"circumstances": ["first_intercourse"], "age_group": "18_24"}, "first_intercourse"),
        ({"circumstances": ["period_due"], "bleeding_amount": "spotting"}, "menstrual_timing"),
        ({"symptoms": ["skin_patches"], "details": ["long_standing_itch"]}, "skin_condition"),
        ({"contraception": ["copper_coil", "coil_threads_changed"]}, "iud"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_the_clear_picture_of_a_cause_puts_it_in_the_top_three(facts, cause):
    assert cause in ids(facts)[:3]


def test_after_the_menopause_the_womb_lining_is_among_the_first_and_a_period_is_out():
    assert "endometrial_cause" in ids(MENOPAUSE)[:3]
    assert "menstrual_timing" not in ids(MENOPAUSE)


def test_a_serious_cause_stays_on_the_list_while_it_is_open():
    facts = {"episode_count": "three_or_more", "age_group": "25_39", "circumstances": ["rough_sex"]}
    told = [found.cause.id for found in shown(rank(facts, KNOWLEDGE))]
    assert "cervical_dysplasia_or_cancer" in told
