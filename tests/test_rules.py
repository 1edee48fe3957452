"""Every urgency rule: what switches it on, and what just misses it (the cases are in rules.yml)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from spotwise.facts import unanswered
from spotwise.knowledge import LEVELS, GateItem, Rule, load_knowledge
from spotwise.triage import GATE, triage

KNOWLEDGE = load_knowledge()
DATA = yaml.safe_load((Path(__file__).parent / "rules.yml").read_text(encoding="utf-8"))
CASES: dict[str, dict[str, Any]] = DATA["rules"]
RULES = {rule.id: rule for rule in KNOWLEDGE.deciding}
GATE_ITEMS = {item.id: item for item in KNOWLEDGE.gate}


def cases(kind: str) -> list[Any]:
    """The cases of one kind, each named after its rule."""
    return [
        pytest.param(id, facts, id=f"{id}-{number}")
        for id, case in CASES.items()
        for number, facts in enumerate(case.get(kind) or (), start=1)
    ]


def entry(id: str) -> Rule | GateItem:
    """The rule or gate item that a case is about."""
    id = CASES.get(id, {}).get("seen_in", id)
    return RULES[id] if id in RULES else GATE_ITEMS[id]


def holds(id: str, facts: dict[str, Any]) -> bool:
    counted = {**facts, "unanswered": unanswered(facts)}
    found = entry(id)
    return found.applies(counted) if isinstance(found, Rule) else found.when.holds(counted)


def level_of(id: str, facts: dict[str, Any]) -> str:
    found = entry(id)
    assert isinstance(found, Rule)
    return found.level_for({**facts, "unanswered": unanswered(facts)})


def test_no_rule_is_left_out():
    expected = {*RULES, *GATE_ITEMS, "CR05"}
    assert set(CASES) == expected
    lists = [f"E{n:02}" for n in range(1, 21)] + [f"D{n:02}" for n in range(1, 25)]
    lists += [f"S{n:02}" for n in range(1, 23)] + [f"R{n:02}" for n in range(1, 9)]
    lists += [f"W{n:02}" for n in range(1, 11)] + ["CR03", "CR04", "CR05", "CR09", "CR14"]
    assert sorted(expected) == sorted(lists)


@pytest.mark.parametrize("id", CASES)
def test_each_rule_is_switched_on_and_just_missed(id):
    assert CASES[id]["met"] and CASES[id]["missed"]


@pytest.mark.parametrize("id", CASES)
def test_cases_hold_only_values_that_exist(id):
    stronger = [case["facts"] for case in CASES[id].get("stronger", ())]
    for facts in (*CASES[id]["met"], *CASES[id]["missed"], *stronger):
        for slot, value in facts.items():
            known = KNOWLEDGE.vocabulary[slot]
            if known.type == "number":
                assert isinstance(value, (int, float)), (slot, value)
            else:
                assert isinstance(value, list) == (known.type == "list"), (slot, value)
                assert set(value if isinstance(value, list) else [value]) <= set(known.values), (slot, value)


@pytest.mark.parametrize(("id", "facts"), cases("met"))
def test_the_rule_applies(id, facts):
    assert holds(id, facts)
    if isinstance(entry(id), Rule):
        level = CASES[id].get("level", "soon")
        assert level_of(id, facts) == level
        if id != "R06":  # an offer, never a level of its own
            assert LEVELS.index(triage(facts, KNOWLEDGE).level) <= LEVELS.index(level)


@pytest.mark.parametrize(("id", "facts"), cases("missed"))
def test_the_rule_is_just_missed(id, facts):
    assert not holds(id, facts)
    assert id not in triage(facts, KNOWLEDGE).reasons or id.startswith("W")


@pytest.mark.parametrize(("id", "case"), cases("stronger"))
def test_the_rule_is_stronger_where_more_is_true(id, case):
    assert holds(id, case["facts"])
    assert level_of(id, case["facts"]) == case["level"]
    assert id in triage(case["facts"], KNOWLEDGE).reasons


@pytest.mark.parametrize("id", [id for id in CASES if id in RULES])
def test_the_level_in_the_rules_is_the_one_expected(id):
    assert RULES[id].level == CASES[id]["level"]
    letter = {"E": "emergency", "D": "same_day", "S": "soon", "R": "routine"}.get(id[0])
    assert letter is None or RULES[id].level == letter


@pytest.mark.parametrize("id", [id for id in CASES if id in RULES and id != "R06"])
def test_a_rule_that_decides_is_named_as_a_reason(id):
    for facts in CASES[id]["met"]:
        result = triage(facts, KNOWLEDGE)
        if result.level == CASES[id]["level"]:
            assert id in result.reasons
        assert result.because and result.reasons != (GATE,)


AMBULANCE = [
    {"danger_signs": ["soaking_pads"]},
    {"danger_signs": ["fainting"]},
    {"danger_signs": ["shoulder_tip_pain"]},
    {"pregnancy": "possible", "danger_signs": ["one_sided_pain"]},
    {"danger_signs": ["fever", "fainting"]},
    {"consent": "unwanted", "details": ["in_danger"]},
    {"pregnancy": "yes", "pregnancy_weeks": 30, "details": ["waters_or_movements"]},
]
GO_NOW = [
    {"danger_signs": ["large_clots"]},
    {"pain": "severe"},
    {"danger_signs": ["gaping_cut_or_swelling"]},
    {"circumstances": ["sharp_object"]},
    {"pregnancy": "yes", "pregnancy_weeks": 30, "bleeding_amount": "spotting", "pain": "none"},
    {"consent": "unwanted", "details": ["injured"]},
    {"age_group": "under_13", "bleeding_status": "ongoing_under_24h"},
]


@pytest.mark.parametrize("facts", AMBULANCE, ids=str)
def test_an_ambulance_where_the_way_there_is_not_safe(facts):
    assert triage(facts, KNOWLEDGE).variant == "ambulance"


@pytest.mark.parametrize("facts", GO_NOW, ids=str)
def test_go_now_where_somebody_can_take_them(facts):
    assert triage(facts, KNOWLEDGE).variant == "go_now"
