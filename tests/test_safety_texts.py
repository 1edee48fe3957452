"""What must be read, and what must not: the texts of tests/reading/safety.yml and the labelled messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from spotwise.reading import default_reader

FOLDER = Path(__file__).parent / "reading"
SAFETY = yaml.safe_load((FOLDER / "safety.yml").read_text(encoding="utf-8"))
SAFETY_SLOTS = ("danger_signs", "consent", "pregnancy")
NOW = datetime(2026, 11, 22, 12)


def read(text: str, asked: str | None = None) -> Mapping[str, Any]:
    return default_reader().read(text, asked, "self", NOW).facts


def says(facts: Mapping[str, Any], sign: str) -> bool:
    slot, value = sign.split(".", 1)
    told = facts.get(slot)
    return value in told if isinstance(told, list) else told == value


def texts(section: str) -> list[Any]:
    """The entries of a section; those on the open list have to fail."""
    return [
        pytest.param(
            entry["text"],
            entry["sign"],
            marks=[pytest.mark.xfail(strict=True, reason="open")] if entry["text"] in SAFETY["open"] else [],
            id=entry["text"][:50],
        )
        for entry in SAFETY[section]
    ]


@pytest.mark.parametrize(("text", "sign"), texts("red_flags"))
def test_a_red_flag_is_read(text: str, sign: str) -> None:
    assert says(read(text), sign)


@pytest.mark.parametrize(("text", "sign"), texts("look_alikes"))
def test_a_look_alike_is_not_read(text: str, sign: str) -> None:
    assert not says(read(text), sign)


@pytest.mark.parametrize("text", SAFETY["harmless"])
def test_harmless_talk_gives_no_alarm(text: str) -> None:
    facts = read(text)
    assert not set(facts.get("danger_signs", [])) - {"none", "unsure"}
    assert facts.get("consent") != "unwanted"
    assert "self_harm" not in facts.get("details", [])


@pytest.mark.parametrize("name", ["messages.yml", "varied.yml"])
def test_no_look_alike_of_a_safety_fact_is_read_but_those_known(name: str) -> None:
    wrong = {}
    for message in yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))["messages"]:
        facts = read(message["text"], message.get("asked"))
        signs = [
            sign
            for sign in message.get("absent", [])
            if (sign.split(".")[0] in SAFETY_SLOTS or sign == "details.self_harm") and says(facts, sign)
        ]
        if signs:
            wrong[message.get("id", message["text"])] = signs
    assert wrong == SAFETY["read_wrongly"].get(name, {}), "put right? take it off; new? put the reader right"
