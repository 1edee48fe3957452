"""What is said in the plainest words is noted by the whole pipeline, whatever the classifiers have learnt."""

from __future__ import annotations

from functools import lru_cache

import pytest
import yaml

from evaluation import sets
from evaluation.understanding import Assistant

PLAIN = yaml.safe_load((sets.READING / "plain_statements.yml").read_text(encoding="utf-8"))["statements"]
SAFETY = yaml.safe_load((sets.READING / "safety.yml").read_text(encoding="utf-8"))
MORE = yaml.safe_load((sets.READING / "red_flags.yml").read_text(encoding="utf-8"))["red_flags"]
RED_FLAGS = [(each["text"], each["sign"]) for each in SAFETY["red_flags"]]
RED_FLAGS += [(each["text"], each["says"]) for each in MORE]
WEIGHED = [(text, sign) for text, sign in RED_FLAGS if sign.split(".")[0] in sets.contract_slots()]
"""The others are details, of which only the lexicon knows."""


@lru_cache(maxsize=1)
def assistant() -> Assistant:
    """The trained one."""
    return Assistant.trained()


@pytest.mark.parametrize(("text", "says"), [(each["text"], each["says"]) for each in PLAIN])
def test_a_plain_statement_is_noted(text: str, says: str) -> None:
    assert says in assistant().facts(text, None)


@pytest.mark.parametrize(("text", "sign"), WEIGHED)
def test_a_red_flag_in_plain_words_is_noted_or_answered(text: str, sign: str) -> None:
    answer = assistant().answer(text)
    assert sign in assistant().facts(text, None) or answer.words or answer.level == "emergency"
