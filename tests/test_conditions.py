"""The condition language: what it means, and what it says of mistakes."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotwise.conditions import (
    Condition,
    ConditionError,
    Facts,
    Slot,
    Vocabulary,
    parse,
    parse_names,
    told_in,
)

VOCABULARY = Vocabulary.of(
    [
        Slot("signs", "list", ("fever", "fainting", "none", "unsure")),
        Slot("amount", "scalar", ("unsure", "spotting", "light", "heavy"), ordered=True),
        Slot("pregnancy", "scalar", ("no", "possible", "yes"), ordered=True),
        Slot("age_group", "scalar", ("under_13", "13_15", "55_plus", "undisclosed")),
        Slot("age", "number", minimum=1, maximum=120),
        Slot("temperature", "number", minimum=30, maximum=45),
    ]
)
NAMES = parse_names(
    {
        "feverish": "signs has fever or temperature >= 38",
        "bleeding_a_lot": "amount above spotting",
        "ill": "feverish and bleeding_a_lot",
    },
    VOCABULARY,
)


def read(text: str) -> Condition:
    return parse(text, VOCABULARY, NAMES)


@pytest.mark.parametrize(
    ("text", "facts", "expected"),
    [
        ("pregnancy is no", {"pregnancy": "no"}, True),
        ("pregnancy is no", {"pregnancy": "yes"}, False),
        ("pregnancy is no", {}, False),
        ("pregnancy is no", {"pregnancy": None}, False),
        ("not pregnancy is no", {}, True),
        ("age_group in (under_13, 13_15)", {"age_group": "13_15"}, True),
        ("age_group in (under_13,13_15)", {"age_group": "55_plus"}, False),
        ("age_group in (under_13)", {}, False),
        ("age_group is 55_plus", {"age_group": "55_plus"}, True),
        ("signs has fever", {"signs": ["fainting", "fever"]}, True),
        ("signs has fever", {"signs": ("fever",)}, True),
        ("signs has fever", {"signs": "fever"}, True),
        ("signs has fever", {"signs": ["fainting"]}, False),
        ("signs has fever", {"signs": []}, False),
        ("signs has none", {"signs": ["none"]}, True),
        ("signs has any (fever, fainting)", {"signs": ["unsure", "fainting"]}, True),
        ("signs has any (fever, fainting)", {"signs": ["unsure"]}, False),
        ("amount above spotting", {"amount": "light"}, True),
        ("amount above spotting", {"amount": "spotting"}, False),
        ("amount above spotting", {"amount": "unsure"}, False),
        ("amount above spotting", {}, False),
        ("amount above spotting", {"amount": "a value from elsewhere"}, False),
        ("age >= 50", {"age": 50}, True),
        ("age >= 50", {"age": 49.9}, False),
        ("age <= 50", {"age": 50}, True),
        ("age < 50", {"age": 50}, False),
        ("age > 50", {"age": 51}, True),
        ("age < 50", {}, False),
        ("age < 50", {"age": None}, False),
        ("age < 50", {"age": "20"}, False),
        ("age < 50", {"age": True}, False),
        ("age < 50", {"age": float("nan")}, False),
        ("temperature >= 37.8", {"temperature": 37.8}, True),
        ("age known", {"age": 50}, True),
        ("age known", {"age": 0}, True),
        ("age unknown", {}, True),
        ("signs known", {"signs": ["unsure"]}, True),
        ("signs known", {"signs": []}, False),
        ("signs unknown", {"signs": []}, True),
        ("pregnancy known", {"pregnancy": ""}, False),
        ("feverish", {"temperature": 38}, True),
        ("ill", {"signs": ["fever"], "amount": "heavy"}, True),
        ("ill", {"signs": ["fever"]}, False),
        ("not not signs has fever", {"signs": ["fever"]}, True),
    ],
)
def test_meaning(text: str, facts: Facts, expected: bool) -> None:
    assert read(text).holds(facts) is expected


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("A or B and C", "A or (B and C)"),
        ("not A and B", "(not A) and B"),
        ("not A or B", "(not A) or B"),
        ("A and not B or C", "(A and (not B)) or C"),
        ("not (A or B)", "(not A) and (not B)"),
    ],
)
def test_precedence(text: str, means: str) -> None:
    atoms = {"A": "signs has fever", "B": "pregnancy is yes", "C": "age > 50"}

    def spelled(text: str) -> Condition:
        return read("".join(atoms.get(letter, letter) for letter in text))

    for a, b, c in ((a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1)):
        facts = {"signs": ["fever"] * a, "pregnancy": "yes" if b else None, "age": 60 if c else 20}
        assert spelled(text).holds(facts) == spelled(means).holds(facts)


@pytest.mark.parametrize(
    ("text", "atoms"),
    [
        ("feverish", [("signs", "fever"), ("temperature", 38.5)]),
        ("amount above spotting", [("amount", "heavy")]),
        ("age > 40 and amount is heavy", [("age", 60), ("amount", "heavy")]),
        ("amount is heavy and not pregnancy is yes", [("amount", "heavy")]),
        ("not not amount is heavy", []),
        ("amount is heavy or pregnancy is yes", [("amount", "heavy")]),
        ("(pregnancy is yes and age > 40) or amount is heavy", [("amount", "heavy")]),
        ("signs has any (fever, fainting, none)", [("signs", "fever"), ("signs", "fainting")]),
        ("signs known", [("signs", "fever"), ("signs", "fainting")]),
        ("age known and age > 40", [("age", 60)]),
        ("pregnancy unknown", []),
        ("pregnancy is yes", []),
        ("amount is heavy and pregnancy is yes", []),
    ],
)
def test_true_atoms(text: str, atoms: list[tuple[str, object]]) -> None:
    facts = {"signs": ["fever", "fainting"], "temperature": 38.5, "amount": "heavy", "age": 60}
    assert read(text).true_atoms(facts) == atoms


def test_slots_are_found_through_names() -> None:
    assert read("ill and not age > 3").slots() == {"signs", "temperature", "amount", "age"}


def test_a_condition_keeps_its_words_and_never_changes() -> None:
    condition = read("  amount is heavy\n   and feverish ")
    assert condition.text == "amount is heavy and feverish"
    assert condition == read(condition.text)
    with pytest.raises(dataclasses.FrozenInstanceError):
        condition.text = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the condition is empty"),
        ("amont is heavy", "unknown slot 'amont'; did you mean 'amount'?"),
        ("feverich", "unknown name 'feverich'; did you mean 'feverish'?"),
        ("amount is hevy", "'hevy' is not a value of 'amount'; did you mean 'heavy'?"),
        ("pregnancy is unsure", "it takes: no, possible, yes"),
        ("amount in (light, hevy)", "'hevy' is not a value"),
        ("signs has any (fever, chills)", "'chills' is not a value"),
        ("amount above hevy", "'hevy' is not a value"),
        ("amount has heavy", "'has' does not fit 'amount', a scalar slot: use 'is'"),
        ("age has fever", "'has' does not fit 'age', a number slot"),
        ("signs is fever", "'is' does not fit 'signs', a list slot: use 'has'"),
        ("signs in (fever)", "'in' does not fit 'signs'"),
        ("signs above fever", "'above' does not fit 'signs'"),
        ("age is 12", "'is' does not fit 'age', a number slot: use '>='"),
        ("age above 12", "'above' does not fit 'age'"),
        ("age_group above 13_15", "'above' needs an ordered slot"),
        ("amount above heavy", "nothing is above 'heavy'"),
        ("amount >= 3", "'>=' does not fit 'amount'"),
        ("age >= fifty", "expected a number after 'age >='"),
        ("age >=", "expected a number after 'age >=', found the end"),
        ("age >= 500", "'age' goes from 1 to 120"),
        ("age == 5", "cannot read '== 5'"),
        ("amount", "after the slot 'amount' expected 'is'"),
        ("amount is", "expected a value of 'amount', found the end"),
        ("amount is not heavy", "put 'not' before the slot"),
        ("amount in light", "expected '(', found 'light'"),
        ("amount in (light", "expected ')', found the end"),
        ("amount in ()", "expected a value of 'amount', found ')'"),
        ("(amount is heavy", "expected ')', found the end"),
        ("amount is heavy)", "did not expect ')'"),
        ("amount is heavy pregnancy is yes", "did not expect 'pregnancy'"),
        ("amount is heavy and", "expected a slot or the name of a condition, found the end"),
        ("and amount is heavy", "found 'and'"),
        ("feverish is yes", "'feverish' is a named condition, not a slot"),
    ],
)
def test_mistakes_are_explained(text: str, message: str) -> None:
    with pytest.raises(ConditionError) as error:
        read(text)
    assert message in str(error.value)


def test_a_name_may_use_earlier_names_only() -> None:
    with pytest.raises(ConditionError, match=r"unknown name 'second'.*only use the names before it"):
        parse_names({"first": "second", "second": "age > 3"}, VOCABULARY)
    with pytest.raises(ConditionError, match="unknown name 'itself'"):
        parse_names({"itself": "not itself"}, VOCABULARY)


@pytest.mark.parametrize(
    ("name", "message"), [("amount", "is a slot"), ("any", "a word of the"), ("12", "use")]
)
def test_a_name_may_not_be_taken_for_something_else(name: str, message: str) -> None:
    with pytest.raises(ConditionError, match=message):
        parse_names({name: "age > 3"}, VOCABULARY)
    with pytest.raises(ConditionError, match=message):
        parse("age > 3", VOCABULARY, {name: read("age > 3")})


# --- Properties -----------------------------------------------------------------------------------

POSITIVE_ATOMS = (
    "signs has fever",
    "signs has any (fever, fainting)",
    "signs known",
    "amount is heavy",
    "amount in (light, spotting)",
    "amount above spotting",
    "age >= 50",
    "age < 18",
    "ill",
)
FACTS = st.fixed_dictionaries(
    {},
    optional={
        "signs": st.lists(st.sampled_from(VOCABULARY["signs"].values), unique=True),
        "amount": st.sampled_from((None, *VOCABULARY["amount"].values)),
        "pregnancy": st.sampled_from((None, *VOCABULARY["pregnancy"].values)),
        "age": st.one_of(st.none(), st.integers(1, 120)),
        "temperature": st.one_of(st.none(), st.floats(30, 45)),
    },
)


def joined(atoms: st.SearchStrategy[str], negated: bool) -> st.SearchStrategy[str]:
    """Texts made of atoms with and, or, brackets, and not if `negated`."""

    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        pairs = st.tuples(inner, st.sampled_from((" and ", " or ")), inner).map("".join)
        bracketed = inner.map("({})".format)
        return st.one_of(pairs, bracketed, inner.map("not ({})".format)) if negated else pairs | bracketed

    return st.recursive(atoms, grow, max_leaves=8)


ATOMS = st.sampled_from((*POSITIVE_ATOMS, "amount unknown", "not pregnancy is yes"))


@given(text=joined(ATOMS, negated=True), facts=FACTS)
def test_and_or_not_bind_as_in_python(text: str, facts: Facts) -> None:
    truths = text
    for atom in sorted((*POSITIVE_ATOMS, "amount unknown", "pregnancy is yes"), key=len, reverse=True):
        truths = truths.replace(atom, str(read(atom).holds(facts)))
    assert read(text).holds(facts) == eval(truths)


@given(text=joined(ATOMS, negated=True), facts=FACTS)
def test_a_condition_or_its_opposite_holds(text: str, facts: Facts) -> None:
    assert read(text).holds(facts) != read(f"not ({text})").holds(facts)


@given(text=joined(ATOMS, negated=True), facts=FACTS)
def test_what_holds_may_hold(text: str, facts: Facts) -> None:
    assert read(text).may_hold(told_in(facts)) >= read(text).holds(facts)


def test_what_needs_something_else_may_not_hold() -> None:
    told = told_in({"amount": "heavy", "signs": ["fever"]})
    for text in ("amount is light", "age >= 50", "pregnancy known", "signs has fainting or age < 18"):
        assert not read(text).may_hold(told)


@given(text=joined(ATOMS, negated=True), facts=FACTS)
def test_true_atoms_are_the_persons_own(text: str, facts: Facts) -> None:
    atoms = read(text).true_atoms(facts)
    assert len(atoms) == len(set(atoms))
    for slot, value in atoms:
        told = facts[slot]
        assert value in told if isinstance(told, list) else value == told
        assert slot in read(text).slots()


@given(text=joined(st.sampled_from(POSITIVE_ATOMS), negated=False), facts=FACTS)
def test_without_not_the_true_atoms_are_enough(text: str, facts: Facts) -> None:
    condition = read(text)
    enough: dict[str, object] = {}
    for slot, value in condition.true_atoms(facts):
        told = enough.get(slot, [])
        enough[slot] = [*told, value] if slot == "signs" and isinstance(told, list) else value
    assert condition.holds(enough) == condition.holds(facts)


@given(text=st.text(alphabet="signs has any(fever,) andornot>=<5_\n\t'é", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read(text).holds({})
    except ConditionError as error:
        assert str(error)
