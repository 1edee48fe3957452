"""Finding causes by what people call them, facts by topic, and the words of the summary."""

from __future__ import annotations

import pytest

from spotwise.knowledge import load_knowledge
from spotwise.lookup import (
    FACTS_ON_CAUSE,
    CauseFinder,
    cited,
    facts_about,
    facts_on_cause,
    kind_named_in,
    last_checked,
    names_of,
    packed,
    plain,
)
from spotwise.summary import LEVELS_IN_WORDS, TITLES, VALUES, in_words, summarise, told

KNOWLEDGE = load_knowledge()
FINDER = CauseFinder(KNOWLEDGE.causes)
COUNTED_BY_THE_PROGRAM = {"unanswered"}


# --- causes by name ---


@pytest.mark.parametrize("cause", KNOWLEDGE.causes, ids=lambda cause: cause.id)
def test_every_name_of_a_cause_finds_it(cause):
    for name in (cause.id, cause.name, *cause.also_called):
        assert [found.id for found in FINDER.named_in(name)][:1] == [cause.id], name


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("What is GSM?", ["vaginal_atrophy"]),
        ("tell me about POLYPS, please", ["cervical_polyp"]),
        ("is thrush the reason or is it the coil", ["vaginitis", "iud"]),
        ("womb cancer", ["endometrial_cause"]),
        ('/ask_about_cause{"cause":"iud"}', ["iud"]),
        ("polypropylene", []),
        ("what about lupus", []),
        ("", []),
    ],
)
def test_causes_named_in_a_text(text, ids):
    assert [cause.id for cause in FINDER.named_in(text)] == ids


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("what is cervical ectroppion", "cervical_ectropion"),
        ("endimetriosis?", "endometriosis"),
        ("could it be fibriodds", "fibroids_or_endometrial_polyp"),
    ],
)
def test_a_mistyped_name_is_like_its_cause(text, id):
    assert FINDER.like(text)[0].id == id


@pytest.mark.parametrize(
    "text", ["what is the weather", "lupus", "tell me about it", "why me", "", "🙂", "a " * 5000]
)
def test_other_words_are_like_no_cause(text):
    assert FINDER.like(text) == ()


def test_at_most_three_causes_are_offered():
    assert (
        len(FINDER.like("cervical vaginal bleeding polipp infectionn dryness fibroidss coill pregnantt")) <= 3
    )


def test_a_finder_without_causes_finds_nothing():
    assert CauseFinder(()).named_in("polyp") == () == CauseFinder(()).like("polyp")


def test_names_are_plain_words():
    for cause in KNOWLEDGE.causes:
        assert all(name == plain(name) and name for name in names_of(cause))


def test_a_kind_of_a_cause_is_found_by_its_word():
    pregnancy = KNOWLEDGE.cause("pregnancy_related")
    named = kind_named_in(pregnancy, "Is it ECTOPIC?")
    assert named is not None and named.id == "ectopic"
    assert kind_named_in(pregnancy, "am I pregnant, is it the pregnancy") is None
    assert kind_named_in(KNOWLEDGE.cause("iud"), "ectopic") is None


# --- facts ---


def test_facts_come_topic_by_topic():
    facts = facts_about(KNOWLEDGE, "treatment", "prevention")
    assert [fact.id for fact in facts] == ["A41", "A42", *(f"A{number}" for number in range(27, 37))]
    assert facts_about(KNOWLEDGE, "no_such_topic") == ()


def test_facts_on_causes_exist():
    for cause, ids in FACTS_ON_CAUSE.items():
        assert KNOWLEDGE.cause(cause)
        assert [KNOWLEDGE.fact(id).id for id in ids] == list(ids)


def test_numbers_on_cancer_are_only_for_those_who_ask():
    lining = KNOWLEDGE.cause("endometrial_cause")
    assert facts_on_cause(KNOWLEDGE, lining, "the lining of the womb") == ()
    assert [fact.id for fact in facts_on_cause(KNOWLEDGE, lining, "Is it womb CANCER?")] == ["F9"]


@pytest.mark.parametrize(
    ("id", "words"),
    [
        ("A37", "only on the outside"),
        ("A39", "routine visit"),
        ("A38", "checked"),
        ("A42", "left over"),
        ("A30", "healed"),
        ("A36", "healed"),
        ("A32", "control"),
        ("A43", "do not wait"),
    ],
)
def test_facts_with_a_caution_carry_it(id, words):
    assert words in KNOWLEDGE.fact(id).text


def test_the_day_of_the_oldest_check():
    day, month, year = last_checked(KNOWLEDGE).split()
    assert (day.isdigit(), month.isalpha(), len(year)) == (True, True, 4)


def test_sources_are_named_with_their_publisher():
    assert cited(KNOWLEDGE.source("SEED")).startswith("Spotting After Sex: What Does It Mean? Women's")
    assert cited(KNOWLEDGE.source("N3")) == "Vaginal dryness. NHS."
    assert "none" not in cited(KNOWLEDGE.source("GMK"))


def test_texts_are_packed_into_short_messages():
    assert packed(["a b", "c", "d e f"], most_words=3) == ["a b\nc", "d e f"]
    assert packed(["one two three four"], most_words=3) == ["one two three four"]
    assert packed([]) == []


# --- the summary ---


def test_every_value_has_words():
    slots = {
        name: slot for name, slot in KNOWLEDGE.vocabulary.slots.items() if name not in COUNTED_BY_THE_PROGRAM
    }
    assert set(TITLES) == set(slots)
    for name, slot in slots.items():
        known = set(VALUES.get(name, {})) | {"none", "unsure", "undisclosed"}
        assert set(slot.values) <= known, name
        assert set(VALUES.get(name, {})) <= set(slot.values), name


def test_every_level_has_words():
    assert list(LEVELS_IN_WORDS) == ["emergency", "same_day", "soon", "routine", "self_care"]


def test_the_summary_tells_only_what_was_told():
    assert told({"bleeding_amount": "light", "age": 31.0, "symptoms": ["dryness", "lump"], "pain": None}) == [
        "Age in years: 31",
        "How much: light, a liner is enough",
        "Other signs: dryness, a lump",
    ]
    assert in_words({"danger_signs": ["none"]}, "danger_signs") == "none of those asked"


def test_the_summary_has_the_advice_and_the_reasons_in_words():
    advice = summarise({"pain": "none"}, "soon", ("S04", "W01"), KNOWLEDGE)[2]
    assert "be seen in the next few days" in advice
    assert KNOWLEDGE.rule("S04").because in advice
    assert "S04" not in advice


def test_there_is_no_summary_of_nothing():
    assert summarise({}, "soon", ("S04",), KNOWLEDGE) == []
    assert len(summarise({"pain": "none"}, None, (), KNOWLEDGE)) == 3
