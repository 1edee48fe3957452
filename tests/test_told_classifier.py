"""What a message tells of this person, by its meaning. How well it does on many messages: evaluation/."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from assistant.encoder_graph import SIZE
from assistant.fact_classifier import MEANINGS
from assistant.sentence_encoder import SentenceEncoder, sentence_model
from assistant.told_classifier import TOLD, ToldClassifier, heads, learnt_weighing, pieces_of
from assistant.told_words import ToldWords, learnt_words
from assistant.weighing import Candidate, Weighing
from evaluation import sets
from spotwise import dialogue
from spotwise.knowledge import DEFAULT_FOLDER, load_knowledge
from spotwise.lexicon import Span
from spotwise.reading import default_reader

CONTEXT: Any = SimpleNamespace(node_name="SentenceEncoder")
NOTHING: Any = None


@cache
def words() -> ToldWords:
    """What the words of the messages tell."""
    return learnt_words()


@cache
def classifier() -> ToldClassifier:
    """One that has learnt."""
    made = ToldClassifier.create(ToldClassifier.get_default_config(), NOTHING, NOTHING, CONTEXT)
    made.words = words()
    made.weighing = learnt_weighing(made.words)
    return made


def told(text: str, **meanings: float) -> dict[str, list[list[str]]]:
    message = Message({TEXT: text})
    message.set(MEANINGS, meanings)
    encoder = SentenceEncoder("SentenceEncoder", {**SentenceEncoder.get_default_config(), "alias": "meaning"})
    encoder.process([message])
    classifier().process([message])
    found: dict[str, list[list[str]]] = message.get(TOLD)
    return found


@pytest.mark.parametrize(
    ("fact", "told_of_me", "not_told"),
    [
        (
            ["circumstances", "rough_sex"],
            "the sex was quite rough, and I bled after",
            "the rough sea made everyone on the ferry sick, then I bled after sex",
        ),
        (
            ["circumstances", "toy_or_object"],
            "we used a toy last night",
            "my toddler has left a toy on every stair again",
        ),
    ],
)
def test_a_word_counts_where_it_is_told_of_this_person(
    fact: list[str], told_of_me: str, not_told: str
) -> None:
    assert fact not in told(told_of_me)["unlikely"]
    assert fact in told(not_told)["unlikely"]


@pytest.mark.parametrize(
    ("seen", "another_is_told", "least", "least_of_grave"),
    [
        (0.005, False, "unlikely", "unlikely_grave"),
        (0.3, False, "unlikely_danger", "unlikely_grave"),
        (0.97, True, "unlikely_danger", "unlikely_signed"),
        (0.97, False, "unlikely_alone", "unlikely_signed"),
    ],
)
def test_the_more_else_speaks_for_a_sign_the_less_its_phrase_has_to(
    seen: float, another_is_told: bool, least: str, least_of_grave: str
) -> None:
    enough = ToldClassifier.get_default_config()
    made = ToldClassifier(enough, None, None)
    for fact in (("danger_signs", "fainting"), ("consent", "unwanted")):
        assert made._least(fact, seen, another_is_told) == enough[least]
    assert made._least(("symptoms", "dryness"), seen, another_is_told) == enough["unlikely"]
    assert made._least(("pregnancy", "yes"), seen, another_is_told) == enough[least_of_grave]
    falling = ("unlikely", "unlikely_grave", "unlikely_signed", "unlikely_danger", "unlikely_alone")
    assert [*map(enough.get, falling)] == sorted(map(enough.__getitem__, falling), reverse=True)


def test_a_button_and_an_empty_message_tell_nothing_here() -> None:
    assert told("/affirm") is None
    assert told("  ") is None


def test_unwanted_sex_is_never_added_here_and_weighty_facts_only_where_nearly_sure() -> None:
    enough = ToldClassifier.get_default_config()
    classifier = ToldClassifier(enough, None, None)
    assert classifier._enough(("consent", "unwanted")) > 1
    for fact in (("danger_signs", "fever"), ("pregnancy", "yes"), ("age_group", "16_17")):
        assert classifier._enough(fact) == enough["nearly_sure"] > enough["likely"]
    added = {
        tuple(fact)
        for m in sets.facts(DEFAULT_FOLDER / "messages.yml")[:300]
        for fact in told(m.text)["likely"]
    }
    assert added and ("consent", "unwanted") not in added


def test_any_message_gets_an_answer() -> None:
    for text in ("🩸", "?", "a " * 5000, "\u202e\u0000", "x" * 9000):
        assert set(told(text)) == {"likely", "unlikely"}


def test_each_item_is_a_fact_of_the_contract() -> None:
    vocabulary = load_knowledge().vocabulary
    for slot, value in heads().items:
        assert value in vocabulary[slot].values
    likely = heads().facts(np.zeros((3, SIZE), np.float32))
    assert len(likely) == len(heads().items)
    assert all(0 <= share <= 1 for share in likely)


@pytest.mark.parametrize(
    ("text", "phrase", "typed"),
    [
        ("I have a fever", "fever", ["fever"]),
        ("now preg and bleeding", "pregnant", ["pregnant"]),
        ("I can't feel the strings", "can not", ["can", "'", "t"]),
        ("two pads gone", "2 pads", ["two", "pads"]),
        ("hello", "nothing like it", []),
    ],
)
def test_a_stretch_of_words_is_found_in_what_was_typed(text: str, phrase: str, typed: list[str]) -> None:
    pieces = sentence_model().states(text)[1].pieces
    words = default_reader().words_of(text)
    start = words.find(phrase)
    span = Span(start, start + len(phrase)) if start >= 0 else Span(len(words) + 5, len(words) + 9)
    (found,) = pieces_of([span], words, pieces)
    got = list(dict.fromkeys(pieces.words[pieces.whose[piece]] for piece in found if piece))
    assert got == typed


# --- what follows from it ---


def heard(
    text: str, slots: dict[str, Any] | None = None, likely: Any = (), unlikely: Any = ()
) -> dict[str, Any]:
    message = dialogue.Message(
        text, "describe_spotting", 0.9, likely=frozenset(likely), unlikely=frozenset(unlikely)
    )
    in_form = bool(slots and slots.get("requested_slot"))
    turn = dialogue.hear(slots or {}, message, in_form, default_reader(), load_knowledge())
    return dict(turn.slots)


def test_what_is_unlikely_is_not_noted() -> None:
    text = "bled a bit after sex. the implant is on every poster here"
    assert heard(text)["contraception"] == ["implant"]
    assert not heard(text, unlikely=[("contraception", "implant")]).get("contraception")


@pytest.mark.parametrize(
    ("told", "feared", "sign"),
    [
        ("I soak a pad every hour", "what if I soak a pad every hour?", "soaking_pads"),
        ("passing clots of 5 cm", "what if I pass clots of 5 cm?", "large_clots"),
        ("temperature 38.6, bled after sex", "what if my temperature is 38.6?", "fever"),
        ("the pain is 9 out of 10", "what if the pain is 9 out of 10?", "severe_pain"),
    ],
)
def test_what_a_number_tells_is_noted_whatever_the_meaning_says(told: str, feared: str, sign: str) -> None:
    unlikely = [("danger_signs", sign)]
    assert sign in heard(told, unlikely=unlikely)["danger_signs"]
    assert sign not in (heard(feared, unlikely=unlikely).get("danger_signs") or [])


def test_the_answer_to_the_question_itself_counts_whatever_the_meaning_says() -> None:
    slots = {"requested_slot": "contraception", "bleeding_amount": "light"}
    assert heard("the implant", slots, unlikely=[("contraception", "implant")])["contraception"] == [
        "implant"
    ]


def test_what_is_likely_is_noted_unless_the_words_deny_it() -> None:
    likely = [("symptoms", "dryness"), ("age_group", "25_39")]
    found = heard("I bled a bit after sex", likely=likely)
    assert found["symptoms"] == ["dryness"]
    assert found["age_group"] == "25_39"
    assert ["symptoms", "dryness"] not in told("I bled a bit after sex, no dryness")["likely"]


@pytest.mark.parametrize(
    ("slots", "text"), [({"requested_slot": "pain"}, "hard to say, it all is"), ({}, "I don't know")]
)
def test_an_answer_is_about_the_question_that_is_open(slots: dict[str, Any], text: str) -> None:
    slots = {"bleeding_amount": "light", **slots}
    assert not heard(text, slots, likely=[("periods", "unsure"), ("symptoms", "none")]).keys() & {
        "periods",
        "symptoms",
    }


def test_what_words_say_comes_before_what_is_likely() -> None:
    assert heard("I'm 43 and bled a bit", likely=[("age_group", "25_39")])["age_group"] == "40_54"


def test_what_is_known_is_not_taken_back_by_a_meaning() -> None:
    known = {"age_group": "16_17"}
    assert "age_group" not in heard("how old did I say I am?", known, likely=[("age_group", "undisclosed")])
    told = heard("let us leave my years out of all this", likely=[("age_group", "undisclosed")])
    assert told["age_group"] == "undisclosed"


# --- what it learnt from ---


@pytest.mark.parametrize("name", ["messages", "weighing"])
def test_messages_name_facts_of_the_contract_and_stand_in_no_test_set(name: str) -> None:
    vocabulary = load_knowledge().vocabulary
    messages = sets.facts(DEFAULT_FOLDER / f"{name}.yml")
    for message in messages:
        for item in sets.items(message.facts) | sets.items(message.may):
            slot, _, value = item.partition(".")
            assert slot == "pregnancy_weeks" or value in vocabulary[slot].values, (message.text, item)
    tested = {message.text for some in sets.fact_sets().values() for message in some}
    tested |= {message.text for some in sets.red_flag_sets().values() for message in some}
    assert not tested & {message.text for message in messages}


def test_what_is_weighed_stands_in_nothing_that_was_learnt_from() -> None:
    weighed, learnt = (
        {message.text for message in sets.facts(DEFAULT_FOLDER / f"{name}.yml")}
        for name in ("weighing", "messages")
    )
    assert len(weighed) > 1000 and not weighed & learnt


# --- by the words ---


@pytest.mark.parametrize(
    ("text", "fact", "told"),
    [
        ("I'm on Yasmin and bled a bit after sex", ("contraception", "combined_pill"), True),
        ("my sister takes Yasmin, I bled a bit after sex", ("contraception", "injection"), False),
        ("his swab came back with chlamydia", ("circumstances", "partner_sti"), True),
        ("we talked about his new car all evening", ("circumstances", "partner_sti"), False),
    ],
)
def test_words_tell_facts(text: str, fact: tuple[str, str], told: bool) -> None:
    (found,) = words().tell([text])
    assert (found[fact] > 0) == told


def test_what_the_words_tell_is_kept(tmp_path: Path) -> None:
    words().save(tmp_path)
    again = ToldWords.load(tmp_path)
    texts = ["I'm 31 and on the pill", "🩸", "", "bled after sex, no pain at all, stopped now"]
    assert again.facts == words().facts
    for ours, kept in zip(words().tell(texts), again.tell(texts), strict=True):
        assert kept == pytest.approx(ours, abs=0.02)  # in 16 bits


def test_a_fact_that_few_messages_tell_is_not_learnt_and_an_unclear_one_is_left_out() -> None:
    told = {"text": "it itches and burns", "facts": {"symptoms": ["itch_or_burning"]}}
    rare = {"text": "a rare lump", "facts": {"symptoms": ["lump"]}}
    nothing = {"text": "we went to the sea", "facts": {}}
    answer = {"text": "no period since", "asked": "periods", "facts": {"periods": "postmenopausal"}}
    unclear = {"text": "the sea itches", "facts": {}, "may": {"symptoms": ["itch_or_burning"]}}
    learnt = ToldWords.learnt([*[told, nothing, answer] * 20, rare, *[unclear] * 60])
    assert learnt.facts == (("symptoms", "itch_or_burning"),)
    itch, sea, both = (
        found["symptoms", "itch_or_burning"]
        for found in learnt.tell(["it itches", "we went to the sea", "the sea itches"])
    )
    assert itch > 0 > sea and both > sea


# --- how it is weighed ---


def candidate(slot: str = "symptoms", value: str = "dryness", **known: Any) -> Candidate:
    """A fact of which little is known."""
    nothing = {"mention": None, "meaning": 0.5, "read": False, "not_meant": False, "denied": False}
    nothing |= {"worded": None, "plain": False, "words": 12}
    return Candidate(slot, value, **{**nothing, **known})


def test_what_more_speaks_for_is_likelier() -> None:
    weighing = classifier().weighing
    assert weighing is not None
    read = candidate(read=True, mention=0.9, plain=True, meaning=0.9, worded=1.0)
    doubtful = candidate(read=True, mention=0.1, plain=True, meaning=0.1, worded=-1.0)
    unread, nothing = candidate(meaning=0.97, worded=0.5), candidate(meaning=0.05, worded=-1.5)
    likely = weighing.likely([read, doubtful, unread, nothing])
    assert likely[0] > 0.9 > 0.6 > likely[1] and likely[2] > 0.5 > 0.2 > likely[3]
    assert weighing.likely([]) == []


def test_another_value_of_the_same_slot_makes_one_less_likely() -> None:
    weighing = classifier().weighing
    assert weighing is not None
    doubted = candidate("bleeding_amount", "light", meaning=0.6, worded=0.2)
    told = candidate(
        "bleeding_amount", "heavy", read=True, mention=0.95, plain=True, meaning=0.97, worded=1.5
    )
    beside = candidate("symptoms", "itch_or_burning", read=True, mention=0.95, plain=True, meaning=0.97)
    (alone,) = weighing.likely([doubted])
    assert weighing.likely([doubted, told])[0] < alone == weighing.likely([doubted, beside])[0]


def test_the_weights_are_learnt_and_kept() -> None:
    some = [candidate(read=place % 2 == 0, meaning=place / 40) for place in range(40)]
    unclear = candidate(meaning=0.9)
    learnt = Weighing.learnt([([one, unclear], [one.read, None]) for one in some])
    assert learnt.likely(some[:2])[0] > 0.8 > 0.2 > learnt.likely(some[:2])[1]
    assert Weighing.from_json(learnt.as_json()).likely(some) == learnt.likely(some)


def test_a_number_that_the_meaning_speaks_against_is_not_noted_either() -> None:
    text = "bled a bit after sex, 44 here"
    assert heard(text)["age_group"] == "40_54"
    unlikely = heard(text, unlikely=[("age_group", "40_54")])
    assert not unlikely.get("age_group") and not unlikely.get("age")
