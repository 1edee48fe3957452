"""The evaluation's own arithmetic, its list of known misses, and that no set fares worse than it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from assistant.fact_classifier import examples_in, labelled
from evaluation import figures, known, report, sets
from evaluation.compare import pipelines
from evaluation.measure import FactsResult, Measured, RedFlagResult, caught, measured, raised
from evaluation.scores import (
    FactResult,
    Pair,
    asking,
    calibration,
    calibration_error,
    fact_score,
    macro_f1,
    scores,
    share,
)
from evaluation.understanding import Answer, Assistant
from spotwise.knowledge import DEFAULT_FOLDER, load_knowledge

SETS = [*sets.intent_sets(), *sets.red_flag_sets(), *sets.fact_sets()]
ONE_VALUE = {"pain", "pregnancy"}


@pytest.fixture(scope="session")
def everything() -> Measured:
    """What the trained model makes of every set."""
    return measured(Assistant.trained())


# --- Nothing new goes wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", SETS)
def test_every_miss_is_listed_and_every_listed_one_is_still_a_miss(name: str, everything: Measured) -> None:
    found, listed = {name: everything.misses()[name]}, {name: known.known_misses().get(name, {})}
    assert known.not_listed(found, listed) == {}, "goes wrong and is not on the list of known misses"
    assert known.not_listed(listed, found) == {}, "goes right by now; take it off: make misses"


def test_the_known_misses_are_of_messages_that_exist() -> None:
    assert set(known.known_misses()) <= set(SETS)


# --- The list -------------------------------------------------------------------------------------------


@pytest.fixture
def listed(tmp_path: Path) -> Iterator[Path]:
    """A list with two messages, of which one goes wrong in two ways."""
    file = tmp_path / "known_misses.yml"
    file.write_text("set: {a: [missed x.y, wrong z.y], b: [greet]}", encoding="utf-8")
    yield file


def test_the_list_only_shrinks(listed: Path) -> None:
    assert known.rewrite({"set": {"a": ["wrong z.y"], "new": ["deny"]}}, add=False, file=listed) == (2, 0)
    assert known.known_misses(listed) == {"set": {"a": ["wrong z.y"]}}


def test_new_misses_are_put_on_only_where_that_is_asked_for(listed: Path) -> None:
    found = {"set": {"a": ["wrong z.y"], 'new: "yes", said 😭': ["deny"]}}
    assert known.rewrite(found, add=True, file=listed) == (2, 1)
    assert known.known_misses(listed) == found


def test_an_empty_list_can_be_read_again(listed: Path) -> None:
    assert known.rewrite({"set": {}}, add=False, file=listed) == (3, 0)
    assert known.known_misses(listed) == {}
    assert known.known_misses(listed.with_name("none.yml")) == {}


# --- Intents ---------------------------------------------------------------------------------------------

PAIRS = [Pair("a", "a"), Pair("a", "b"), Pair("b", "b"), Pair("c", "nlu_fallback")]


def test_precision_recall_and_f1_of_intents() -> None:
    by_intent = scores(PAIRS)
    assert list(by_intent) == ["a", "b", "c"], "the fallback is no intent of its own"
    assert (by_intent["a"].precision, by_intent["a"].recall, by_intent["a"].count) == (1, 0.5, 2)
    assert (by_intent["b"].precision, by_intent["b"].recall) == (0.5, 1)
    assert (by_intent["c"].precision, by_intent["c"].recall, by_intent["c"].f1) == (0, 0, 0)
    assert macro_f1(PAIRS) == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert share(pair.right for pair in PAIRS) == 0.5
    assert macro_f1([]) == share([]) == 0


def test_confidence_beside_accuracy() -> None:
    bins = calibration([(0.1, False), (0.3, True), (0.9, True), (1.0, False)], (0, 0.25, 0.5, 0.75, 1.01))
    assert [(one.least, one.count, one.confidence, one.accuracy) for one in bins] == [
        (0, 1, 0.1, 0),
        (0.25, 1, 0.3, 1),
        (0.75, 2, 0.95, 0.5),
    ]
    assert calibration_error(bins) == pytest.approx((0.1 + 0.7 + 2 * 0.45) / 4)
    assert calibration_error([]) == 0


def test_asking_back() -> None:
    predictions = [(0.9, 0.05, True), (0.5, 0.48, False), (0.2, 0.1, False), (0.8, 0.1, False)]
    asked = asking(predictions, threshold=0.25, ambiguity=0.05)
    assert asked.asked_back == 0.5, "one below the threshold, one near tie"
    assert asked.right == 0.5
    assert asked.wrong_stopped == pytest.approx(2 / 3)


# --- Facts -----------------------------------------------------------------------------------------------


def compared(got: str, stated: str, may: str = "") -> FactResult:
    """The comparison of facts, each a string of "slot.value" with spaces between."""
    return FactResult.of(frozenset(got.split()), frozenset(stated.split()), frozenset(may.split()), ONE_VALUE)


@pytest.mark.parametrize(
    ("got", "stated", "may", "found", "missed", "wrong"),
    [
        ("pain.none", "pain.none", "", "pain.none", "", ""),
        ("", "pain.none", "", "", "pain.none", ""),
        ("pain.severe", "pain.none", "", "", "pain.none", "pain.severe"),
        ("symptoms.lump symptoms.itch", "symptoms.lump", "", "symptoms.lump", "", "symptoms.itch"),
        ("symptoms.lump symptoms.itch", "symptoms.lump", "symptoms.itch", "symptoms.lump", "", ""),
        ("symptoms.lump", "symptoms.lump", "symptoms.itch", "symptoms.lump", "", ""),
        ("symptoms.itch", "symptoms.lump", "symptoms.itch", "", "symptoms.lump", ""),
        ("pregnancy.unsure", "pregnancy.possible", "pregnancy.unsure", "", "", ""),
        ("pregnancy.possible", "pregnancy.possible", "pregnancy.unsure", "pregnancy.possible", "", ""),
        ("", "pregnancy.possible", "pregnancy.unsure", "", "pregnancy.possible", ""),
        (
            "pregnancy.yes",
            "pregnancy.possible",
            "pregnancy.unsure",
            "",
            "pregnancy.possible",
            "pregnancy.yes",
        ),
    ],
)
def test_what_may_be_read_is_right_with_and_without(
    got: str, stated: str, may: str, found: str, missed: str, wrong: str
) -> None:
    result = compared(got, stated, may)
    assert (result.found, result.missed, result.wrong) == tuple(
        frozenset(some.split()) for some in (found, missed, wrong)
    )


def test_precision_and_recall_of_facts() -> None:
    score = fact_score(
        [
            compared("pain.none symptoms.itch", "pain.none symptoms.lump"),
            compared("symptoms.itch", "", "symptoms.itch"),
            compared("", ""),
        ]
    )
    assert (score.messages, score.stated) == (3, 2)
    assert (score.precision, score.recall) == (0.5, 0.5)
    assert score.with_wrong == pytest.approx(1 / 3)
    nothing = fact_score([compared("", "")])
    assert (nothing.precision, nothing.recall, nothing.with_wrong) == (1, 1, 0)


def test_facts_one_by_one() -> None:
    facts = {"symptoms": ["lump", "dryness"], "pregnancy_weeks": 7.0, "age": 30, "pain": None}
    assert sets.items(facts) == {"symptoms.lump", "symptoms.dryness", "pregnancy_weeks.7"}


# --- Red flags -------------------------------------------------------------------------------------------


def judged(expect: str, words: str = "", level: str = "routine") -> RedFlagResult:
    """A message that needs `expect`, and what it got."""
    return RedFlagResult(sets.RedFlagMessage("text", expect, "sign"), Answer(frozenset(words.split()), level))


def test_caught_raised_and_mixed_up() -> None:
    red_flags = [
        judged("emergency", "emergency", "emergency"),
        judged("emergency", level="same_day"),
        judged("same_day", level="same_day"),
        judged("same_day", "emergency", "emergency"),
        judged("assault", "emergency assault"),
        judged("self_harm", "emergency"),
    ]
    assert [result.missed for result in red_flags] == [False, True, False, False, False, False]
    assert [result.mixed_up for result in red_flags] == [False, False, False, False, False, True]
    look_alikes = [judged("none", "assault"), judged("none", level="same_day"), judged("none")]
    assert [result.raised for result in look_alikes] == [True, False, False]
    assert [result.noted for result in look_alikes] == [False, True, False]
    assert caught([*red_flags, *look_alikes]) == pytest.approx(5 / 6)
    assert raised([*red_flags, *look_alikes]) == pytest.approx(1 / 3)


def test_misses_are_what_goes_wrong() -> None:
    message = sets.FactMessage("no", "pain", {"pain": "none"})
    found = Measured(
        red_flags={"flags": [judged("emergency"), judged("none")]},
        facts={
            "facts": [
                FactsResult(message, frozenset({"pain.severe"})),
                FactsResult(message, frozenset({"pain.none"})),
            ]
        },
    )
    assert found.misses()["flags"] == {"text": ["emergency"]}
    found.facts["facts"].pop()
    assert found.misses()["facts"] == {"no [pain]": ["missed pain.none", "wrong pain.severe"]}


# --- The sets ---------------------------------------------------------------------------------------------


def test_the_sets_are_large_enough_and_cover_every_intent() -> None:
    messages = [message for some in sets.intent_sets().values() for message in some]
    intents = yaml.safe_load((figures.ROOT / "domain.yml").read_text(encoding="utf-8"))["intents"]
    names = {name for entry in intents for name in (entry if isinstance(entry, dict) else [entry])}
    assert len(messages) >= 400
    assert {message.intent for message in messages} == names
    assert sum(len(some) for some in sets.red_flag_sets().values()) >= 150
    facts = [message for some in sets.fact_sets().values() for message in some]
    assert len(facts) >= 200
    kinds = [message.kind in (*figures.NOT_TOLD, "uncertain") for message in sets.fact_sets()["facts"]]
    assert share(kinds) >= 1 / 3


@pytest.mark.parametrize("name", sets.fact_sets())
def test_every_label_is_a_value_of_its_slot(name: str) -> None:
    vocabulary = load_knowledge().vocabulary
    for message in sets.fact_sets()[name]:
        for item in sets.items(message.facts) | sets.items(message.may) | message.absent:
            slot, _, value = item.partition(".")
            assert value in vocabulary[slot].values or vocabulary[slot].type == "number", message.text


BOTH_KNOWN = {
    "beats me", "your guess is as good as mine", "Paragard",
    "it was against my will", "popped my cherry", "dunno tbh", "none of your business",
}  # fmt: skip
"""Short messages that stand in a set and among the examples of the facts, too. None may be added."""


def test_no_message_of_a_set_is_an_example_of_the_facts() -> None:
    def bare(text: str) -> str:
        return re.sub(r"[^\w ]", "", text.lower()).strip() or text

    examples, _ = labelled(examples_in(DEFAULT_FOLDER))
    learnt = {bare(text) for text in examples}
    every = [sets.intent_sets(), sets.red_flag_sets(), sets.fact_sets()]
    texts = {message.text for some in every for messages in some.values() for message in messages}
    assert {text for text in texts if bare(text) in learnt} <= BOTH_KNOWN


def test_names_of_messages_are_unique_in_their_set() -> None:
    for name, messages in sets.fact_sets().items():
        names = [message.name for message in messages]
        assert sorted(names) == sorted(set(names)), name
    for flags in sets.red_flag_sets().values():
        assert len({message.text for message in flags}) == len(flags)


# --- The document ------------------------------------------------------------------------------------------


def test_tables_go_between_their_marks_and_nowhere_else(tmp_path: Path) -> None:
    document = tmp_path / "evaluation.md"
    document.write_text("one\n<!-- a -->\nold\n<!-- /a -->\ntwo\n<!-- b -->\n<!-- /b -->\n")
    report.write({"a": r"new \1 \g<0>", "b": "also new"}, document)
    report.write({"a": r"newer \1"}, document)
    assert document.read_text() == (
        "one\n<!-- a -->\nnewer \\1\n<!-- /a -->\ntwo\n<!-- b -->\nalso new\n<!-- /b -->\n"
    )
    with pytest.raises(KeyError, match="no marks for c"):
        report.write({"c": ""}, document)


def test_the_comparison_is_with_the_pipeline_of_rasa_init() -> None:
    default = [component["name"] for component in pipelines()["default"]]
    assert default == [
        "WhitespaceTokenizer",
        "RegexFeaturizer",
        "LexicalSyntacticFeaturizer",
        "CountVectorsFeaturizer",
        "CountVectorsFeaturizer",
        "DIETClassifier",
        "EntitySynonymMapper",
        "ResponseSelector",
        "FallbackClassifier",
    ]
