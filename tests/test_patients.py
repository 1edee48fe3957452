"""Whole conversations with made-up patients, and what they have to come to.

python tests/patients/player.py            # those that go wrong, each in a line
python tests/patients/player.py PATIENT    # one conversation, message by message
"""

from __future__ import annotations

from collections import Counter

import pytest
from patients.player import ORDINARY, cases, known_misses, outcomes

from spotwise.knowledge import LEVELS, load_knowledge

KNOWLEDGE = load_knowledge()
MISSES = known_misses()
LEAST_RIGHT = 0.95
LEAST_CAUSE = 0.90
FEWEST = {"emergency": 20, "same_day": 20, "soon": 20, "routine": 15, "self_care": 10}
"""How many patients there are of each level at least."""
IDS = [case["id"] for case in cases()]


def share(good: int) -> float:
    return good / len(IDS)


@pytest.mark.parametrize("id", IDS)
def test_the_patient_is_understood(id):
    """Nothing goes wrong but what is listed; and what is listed still goes wrong (else take it off)."""
    outcome = outcomes()[id]
    found = set(outcome.misses())
    known = set(MISSES.get(id, []))
    assert not found - known, f"{outcome}\n" + "\n".join(outcome.log)
    assert not known - found, f"{id}: {sorted(known - found)} is put right; take it off known_misses.yml"


def test_the_list_of_known_misses_names_patients_that_exist():
    assert set(MISSES) <= set(IDS)
    assert all(set(what) <= {"under", "over", "cause", "told"} for what in MISSES.values())


def test_no_emergency_is_missed():
    missed = [str(o) for o in outcomes().values() if o.case["urgency"] == "emergency" and not o.right]
    assert [line for line in missed if line.split(":")[0] not in MISSES] == []


def test_nobody_is_told_that_it_is_less_urgent_than_it_is():
    under = [str(o) for o in outcomes().values() if o.under and "under" not in MISSES.get(o.id, [])]
    assert under == []


def test_levels_are_right_in_95_of_100():
    assert share(sum(outcome.right for outcome in outcomes().values())) >= LEAST_RIGHT


def test_a_cause_is_found_in_90_of_100():
    assert share(sum(outcome.cause_found for outcome in outcomes().values())) >= LEAST_CAUSE


def test_every_conversation_ends_and_no_question_comes_a_fourth_time():
    for outcome in outcomes().values():
        assert outcome.level is not None, outcome
        assert max(Counter(outcome.asked).values(), default=0) <= 3, outcome
        assert len(set(outcome.asked)) <= 14, outcome


def test_everything_known_is_a_value_of_the_vocabulary():
    assert all(set(outcome.facts) <= set(KNOWLEDGE.vocabulary.slots) for outcome in outcomes().values())


# --- The files themselves ---


def test_ids_are_unique_and_openings_differ():
    assert len(set(IDS)) == len(IDS)
    assert len({case["opening"] for case in cases()}) == len(IDS)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["id"])
def test_a_patient_is_written_in_the_words_of_the_knowledge(case):
    rules = {rule.id for rule in KNOWLEDGE.deciding} | {item.id for item in KNOWLEDGE.gate}
    rules |= {item.id for item in KNOWLEDGE.combining} | {"W01-W10"}
    slots = {question.slot for question in KNOWLEDGE.questions}
    assert case["urgency"] in LEVELS and set(case.get("also_accept", [])) <= set(LEVELS)
    assert set(case["rules"]) <= rules
    assert set(case.get("causes", [])) <= {cause.id for cause in KNOWLEDGE.causes}
    assert set(case.get("told", [])) <= slots
    assert set(case.get("answers", {})) <= slots
    assert case["note"]


def test_every_level_and_every_question_is_covered():
    levels = Counter(case["urgency"] for case in cases())
    assert all(levels[level] >= fewest for level, fewest in FEWEST.items()), levels
    answered = {slot for case in cases() for slot in case.get("answers", {})}
    assert set(ORDINARY) <= answered
