"""domain.yml and data/ against tests/contract.yml, knowledge/ and one another."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.shared.core.domain import Domain

ROOT = Path(__file__).parent.parent


def read(path: str | Path) -> dict[str, Any]:
    """One YAML file of the project."""
    content: dict[str, Any] = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
    return content


DOMAIN = read("domain.yml")
CONTRACT = read("tests/contract.yml")
SLOTS = read("knowledge/slots.yml")
QUESTIONS = [question["slot"] for question in read("knowledge/questions.yml")["questions"]]
TOLD = {**SLOTS["slots"], **SLOTS["finer_slots"]}
INTENTS = {next(iter(i)) if isinstance(i, dict) else i: i for i in DOMAIN["intents"]}
RULES = [rule for path in sorted((ROOT / "data/rules").glob("*.yml")) for rule in read(path)["rules"]]
SAYS = TemplatedNaturalLanguageGenerator(Domain.load(ROOT / "domain.yml").responses)
TYPES = {"list": "list", "number": "float", "scalar": "text"}

# Rasa's own rule answers it, in the interview and outside.
WITHOUT_A_RULE = {"restart"}


# ------------------------------------------------------------------ the contract
def test_every_intent_of_the_contract_and_no_other() -> None:
    assert set(INTENTS) == set(CONTRACT["intents"])


def test_entities_are_the_cause_and_one_for_each_fact() -> None:
    assert set(CONTRACT["entities"]) <= set(DOMAIN["entities"])
    assert set(DOMAIN["entities"]) == {"cause", *TOLD}


@pytest.mark.parametrize("name", CONTRACT["slots"])
def test_slot_of_the_contract(name: str) -> None:
    assert DOMAIN["slots"][name]["type"] == TYPES[CONTRACT["slots"][name]["type"]]


@pytest.mark.parametrize("name", [name for name in CONTRACT["slots"] if name in SLOTS["slots"]])
def test_values_of_the_contract_are_known(name: str) -> None:
    expected = CONTRACT["slots"][name]
    assert SLOTS["slots"][name]["type"] == expected["type"]
    if expected["type"] != "number":
        assert set(expected["values"]) <= set(SLOTS["slots"][name]["values"])


def test_causes_of_the_contract_are_known() -> None:
    assert set(CONTRACT["causes"]) <= {cause["id"] for cause in read("knowledge/causes.yml")["causes"]}


# ------------------------------------------------------------------ slots
@pytest.mark.parametrize("name", TOLD)
def test_every_fact_has_a_slot(name: str) -> None:
    assert DOMAIN["slots"][name]["type"] == TYPES[TOLD[name]["type"]]


@pytest.mark.parametrize("name", DOMAIN["slots"])
def test_slots_decide_no_rule_and_nothing_fills_them_unasked(name: str) -> None:
    slot = DOMAIN["slots"][name]
    assert slot["influence_conversation"] is False
    assert slot["mappings"] == [{"type": "custom"}]


@pytest.mark.parametrize("name", INTENTS)
def test_entities_decide_no_rule(name: str) -> None:
    assert INTENTS[name] == {name: {"use_entities": []}}


def test_a_session_ends_after_an_hour_and_forgets() -> None:
    assert DOMAIN["session_config"] == {
        "session_expiration_time": 60,
        "carry_over_slots_to_new_session": False,
    }


# ------------------------------------------------------------------ rules
def intents_of_rules(loop: str | None) -> set[str]:
    """Intents that a rule answers, straight after the person spoke, in a loop or outside."""
    return {
        rule["steps"][0]["intent"]
        for rule in RULES
        if "intent" in rule["steps"][0] and {"active_loop": loop} in rule["condition"]
    }


@pytest.mark.parametrize("loop", [None, "spotting_form"])
def test_every_intent_has_a_rule(loop: str | None) -> None:
    assert set(INTENTS) - WITHOUT_A_RULE | {"nlu_fallback"} == intents_of_rules(loop)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["rule"])
def test_a_digression_comes_back_to_the_question(rule: dict[str, Any]) -> None:
    steps = rule["steps"]
    waits = {"utter_confirm_delete", "utter_ask_correction"}
    if rule["condition"] != [{"active_loop": "spotting_form"}] or steps[-1].get("action") in waits:
        return
    ends = {"active_loop": None} in steps
    assert ends or steps[-2:] == [{"action": "spotting_form"}, {"active_loop": "spotting_form"}]


def said_after(intent: str, loop: str | None) -> list[str]:
    """The actions of an intent's rule."""
    (steps,) = (
        rule["steps"]
        for rule in RULES
        if rule["steps"][0].get("intent") == intent and {"active_loop": loop} in rule["condition"]
    )
    return [step["action"] for step in steps if "action" in step]


@pytest.mark.parametrize("loop", [None, "spotting_form"])
@pytest.mark.parametrize("intent", ["ask_normality", "ask_when_to_see_doctor", "ask_cancer"])
def test_the_always_lines_follow(intent: str, loop: str | None) -> None:
    said = said_after(intent, loop)
    assert said[1:4] == ["utter_what_to_do", "utter_criteria", "utter_limits"]
    assert "panic" in DOMAIN["responses"][said[0]][0]["text"]


@pytest.mark.parametrize("loop", [None, "spotting_form"])
@pytest.mark.parametrize("intent", ["report_emergency", "report_assault", "report_self_harm"])
def test_safety_texts_need_no_action_server(intent: str, loop: str | None) -> None:
    said = [name for name in said_after(intent, loop) if name != "spotting_form"]
    assert all(name in DOMAIN["responses"] for name in said)
    assert "utter_criteria" in said


def test_every_response_is_said_somewhere() -> None:
    """By a rule, by the form, by Rasa itself, or by name in the code."""
    stories = [read(path)["stories"] for path in sorted((ROOT / "data/stories").glob("*.yml"))]
    said = set(re.findall(r"utter_\w+", json.dumps([RULES, stories])))
    said |= {f"utter_ask_{slot}" for slot in QUESTIONS} | {"utter_restart", "utter_default"}
    for folder in ("actions", "assistant", "spotwise"):
        for path in (ROOT / folder).rglob("*.py"):
            said |= set(re.findall(r"utter_\w+", path.read_text(encoding="utf-8")))
    assert set(DOMAIN["responses"]) - said == set()


def test_every_response_that_is_named_exists() -> None:
    named = set(re.findall(r"utter_\w+", json.dumps(RULES)))
    assert named - set(DOMAIN["responses"]) == set()


# ------------------------------------------------------------------ questions
def test_the_form_knows_every_question() -> None:
    assert DOMAIN["forms"]["spotting_form"]["required_slots"] == QUESTIONS


def style_of(variation: dict[str, Any]) -> str:
    """first, again, simple or coil."""
    condition = variation.get("condition")
    if not condition:
        return "first"
    (only,) = condition
    assert only["name"] == "question_style"
    return str(only["value"])


@pytest.mark.parametrize("slot", QUESTIONS)
def test_a_question_has_three_styles_with_the_same_buttons(slot: str) -> None:
    variations = [v for v in DOMAIN["responses"][f"utter_ask_{slot}"] if style_of(v) != "coil"]
    assert sorted(map(style_of, variations)) == ["again", "first", "simple"]
    assert all(variation["buttons"] == variations[0]["buttons"] for variation in variations)


@pytest.mark.parametrize(
    ("slot", "style"),
    [
        *((slot, style) for slot in QUESTIONS for style in (None, "first", "again", "simple")),
        ("contraception", "coil"),
    ],
)
def test_rasa_says_the_style_asked_for_and_keeps_the_buttons_whole(slot: str, style: str | None) -> None:
    said = SAYS.generate_from_slots(f"utter_ask_{slot}", {"question_style": style}, "test")
    assert said is not None
    wanted = {style_of(v): v["text"] for v in DOMAIN["responses"][f"utter_ask_{slot}"]}
    assert said["text"] == wanted[style or "first"]
    payloads = [button["payload"] for button in said["buttons"]]
    for payload in payloads:
        intent, _, facts = payload.partition("{")
        assert intent.removeprefix("/") in INTENTS
        if facts:
            ((name, value),) = json.loads("{" + facts).items()
            assert value in TOLD[name]["values"]
            assert name == slot or (slot, name) == ("pregnancy_weeks", "pregnancy_showing")
