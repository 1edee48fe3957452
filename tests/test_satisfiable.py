"""Conditions that can never hold are found, and no others."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotwise.conditions import Slot, Vocabulary, parse
from spotwise.satisfiable import impossible_parts, satisfiable

VOCABULARY = Vocabulary.of(
    [
        Slot("amount", "scalar", ("light", "heavy"), ordered=True),
        Slot("signs", "list", ("fever", "pain")),
        Slot("age", "number", minimum=1, maximum=120),
    ]
)
ALL_FACTS = [
    {"amount": amount, "signs": signs, "age": age}
    for amount, signs, age in product(
        (None, "light", "heavy"), ([], ["fever"], ["pain"], ["fever", "pain"]), (None, 1, 25, 50, 75, 120)
    )
]
ATOMS = (
    "amount is light",
    "amount in (light, heavy)",
    "amount above light",
    "amount known",
    "signs has fever",
    "signs has any (fever, pain)",
    "signs unknown",
    "age < 50",
    "age >= 50",
    "age > 75",
    "age known",
)


@pytest.mark.parametrize(
    "text",
    [
        "amount is light and amount is heavy",
        "amount is light and amount unknown",
        "amount known and not amount in (light, heavy)",
        "amount above light and not amount is heavy",
        "signs has fever and signs unknown",
        "signs known and not signs has any (fever, pain)",
        "age < 50 and age >= 50",
        "age > 120",
        "age < 1",
        "age known and not age >= 1",
        "not (amount is light or not amount is light)",
        "(age > 60 or amount is heavy) and age < 50 and amount is light",
    ],
)
def test_impossible(text: str) -> None:
    assert not satisfiable([parse(text, VOCABULARY, {})], VOCABULARY)


@pytest.mark.parametrize(
    "text", ["signs has fever and signs has pain", "age > 50 and age < 51", "age >= 120"]
)
def test_possible(text: str) -> None:
    assert satisfiable([parse(text, VOCABULARY, {})], VOCABULARY)


def test_what_is_refused_counts() -> None:
    young, minor = parse("age < 30", VOCABULARY, {}), parse("age < 18", VOCABULARY, {})
    assert satisfiable([young], VOCABULARY, refused=[minor])
    assert not satisfiable([minor], VOCABULARY, refused=[young])


def test_impossible_parts_are_named() -> None:
    condition = parse(
        "signs has pain and (signs has fever or amount is light and amount is heavy)", VOCABULARY, {}
    )
    assert [part.text for part in impossible_parts(condition, VOCABULARY)] == [
        "amount is light and amount is heavy"
    ]


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(inner, st.sampled_from((" and ", " or ")), inner).map(
        lambda parts: f"({''.join(parts)})"
    )
    return pairs | inner.map("not {}".format)


@given(st.recursive(st.sampled_from(ATOMS), _grow, max_leaves=10))
def test_the_search_agrees_with_trying_everything(text: str) -> None:
    condition = parse(text, VOCABULARY, {})
    tried = any(condition.holds(facts) for facts in ALL_FACTS)
    assert satisfiable([condition], VOCABULARY) == tried
