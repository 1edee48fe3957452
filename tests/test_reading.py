"""What is read from a message: facts, denials and answers; and how well, on the labelled messages."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import sets
from spotwise.knowledge import DEFAULT_FOLDER
from spotwise.reading import LISTS, Reading, default_reader
from spotwise.words import found_in, phrase_pattern

READER = default_reader()
NOW = datetime(2026, 11, 22, 12)
"""A Sunday."""
HERE = Path(__file__).parent / "reading"
LEXICON = yaml.safe_load((DEFAULT_FOLDER / "lexicon.yml").read_text(encoding="utf-8"))
RED_FLAGS = yaml.safe_load((HERE / "red_flags.yml").read_text(encoding="utf-8"))


def read(text: str, asked: str | None = None) -> Reading:
    """What a message says on that Sunday."""
    return READER.read(text, asked, "self", NOW)


def says(reading: Reading, key: str) -> bool:
    """Whether the reading states `slot.value`."""
    slot, value = key.split(".")
    told = reading.facts.get(slot)
    return value in told if isinstance(told, list) else told == value


# --- The lexicon ----------------------------------------------------------------------------------


def test_every_value_of_the_lexicon_is_one_of_the_slots() -> None:
    for slot, values in LEXICON["facts"].items():
        assert set(values) <= set(READER.vocabulary[slot].values), slot


def test_every_phrase_of_the_lexicon_can_be_read() -> None:
    groups = [
        how if isinstance(how, list) else [phrase for key in how if key != "counts" for phrase in how[key]]
        for values in LEXICON["facts"].values()
        for how in values.values()
    ]
    for section in ("cues", "events", "answers", "signs"):
        groups += LEXICON[section].values()
    for phrase in (phrase for group in groups for phrase in group):
        phrase_pattern([str(phrase)])


# --- Times ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "asked", "key"),
    [
        ("still bleeding since Friday", None, "bleeding_status.over_24h"),
        ("since Tuesday", "bleeding_status", "bleeding_status.over_24h"),
        ("2 days", "bleeding_status", "bleeding_status.over_24h"),
        ("3 hours", "bleeding_status", "bleeding_status.ongoing_under_24h"),
        ("my last period was 14 months ago", None, "periods.postmenopausal"),
        ("my last period was 5 months ago", None, "periods.stopped_under_12m"),
        ("my last period was 2 weeks ago", None, "periods.menstruating"),
        ("my last period was 7 weeks ago", None, "symptoms.missed_or_late_period"),
        ("I gave birth 5 weeks ago", None, "medical_history.recent_birth"),
        ("I had a hysterectomy 6 weeks ago", None, "details.hysterectomy_recent"),
        ("I started the pill 3 weeks ago", None, "contraception.new_in_3_months"),
        ("temperature of 38.0", None, "danger_signs.fever"),
        ("a fever of a hundred and two", None, "danger_signs.fever"),
        ("thirty eight point five on the thermometer", None, "danger_signs.fever"),
        ("running 101.5 since this afternoon", None, "danger_signs.fever"),
        ("it was 37.3 at noon but it's 38.6 now", None, "danger_signs.fever"),
        ("just over forty degrees", None, "danger_signs.fever"),
        ("it's 14 months since my last period", None, "periods.postmenopausal"),
        ("thirteen months clear of periods", None, "periods.postmenopausal"),
        ("I turn 13 in three months", None, "age_group.under_13"),
        ("born in 1951", None, "age_group.55_plus"),
        ("week 26 of my pregnancy", None, "pregnancy.yes"),
        ("a pad every 30 minutes for 2 hours", None, "danger_signs.soaking_pads"),
        ("a pad every hour for the last 3 hours", None, "danger_signs.soaking_pads"),
        ("every hour I change a full pad and it's been 3 hours", None, "danger_signs.soaking_pads"),
        ("pads only last an hour, and I've had 3", None, "danger_signs.soaking_pads"),
        ("changing my pad hourly", None, "danger_signs.soaking_pads"),
        ("soaking a pad a hour", None, "danger_signs.soaking_pads"),
        ("soaking a pad every hour or two", None, "bleeding_amount.heavy"),
        ("a soaked pad every couple of hours", None, "bleeding_amount.heavy"),
        ("half a pad every hour", None, "bleeding_amount.heavy"),
        ("20 minutes per pad at this point", None, "danger_signs.soaking_pads"),
        ("half a dozen pads in 3 hours", None, "danger_signs.soaking_pads"),
        ("a pad every 4 hours, then suddenly it was pouring down my legs", None, "danger_signs.soaking_pads"),
        ("a 1 cm clot, then huge clots", None, "danger_signs.large_clots"),
        ("pain 3 out of 10 earlier, now it's agony", None, "danger_signs.severe_pain"),
        ("12 outta 10 pain", None, "danger_signs.severe_pain"),
        ("a pain of 9 on my right side", None, "danger_signs.severe_pain"),
        ("pressed on it for 15 minutes, no let up", None, "danger_signs.not_slowing_with_pressure"),
        ("by 11pm it was a pad every 2 hours", None, "bleeding_amount.heavy"),
        ("I'm 32 weeks and there was blood", None, "pregnancy.yes"),
        ("a clot of 4 cm", None, "danger_signs.large_clots"),
        ("the pain is 8 out of 10", None, "pain.severe"),
        ("pain 0/10, honestly", None, "pain.none"),
        ("a full pad every hour an a half", None, "bleeding_amount.heavy"),
        ("I'm 63, no period since 50", None, "periods.postmenopausal"),
        ("not had a monthly for 3 years", None, "periods.postmenopausal"),
        ("bled after sex x3 this month", None, "episode_count.three_or_more"),
        ("it's the second bleed since Easter", None, "episode_count.second"),
        ("bled after sex 6 times out of 6", None, "episode_count.every_time"),
    ],
)
def test_a_number_or_time_states_a_fact(text: str, asked: str | None, key: str) -> None:
    assert says(read(text, asked), key)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("I gave birth 5 months ago", "medical_history.recent_birth"),
        ("I had a hysterectomy 10 years ago", "details.hysterectomy_recent"),
        ("temperature of 37.9", "danger_signs.fever"),
        ("a clot of 1 cm", "danger_signs.large_clots"),
        ("the pain is 3 out of 10", "pain.severe"),
        ("my last period was 5 months ago", "periods.postmenopausal"),
        ("on the jab, so no monthlies for 3 years", "periods.postmenopausal"),
        ("a full pad every hour an a half", "danger_signs.soaking_pads"),
        ("soaking a pad every hour or two", "danger_signs.soaking_pads"),
        ("I check my pad every hour and it's clean", "danger_signs.soaking_pads"),
        ("by 11pm it was a pad every 2 hours", "danger_signs.soaking_pads"),
        ("his fever is 39, mine is normal", "danger_signs.fever"),
        ("if my temperature goes over 38 should I ring", "danger_signs.fever"),
        ("my BMI is 38.2", "danger_signs.fever"),
        ("I weigh 98.5 kg", "danger_signs.fever"),
        ("it was 40 degrees outside", "danger_signs.fever"),
        ("I held a pad on it for 15 minutes", "danger_signs.soaking_pads"),
        ("a 2 cm mark on my pad, and it stopped after 1 hour", "danger_signs.soaking_pads"),
        ("never said 2 pads an hour", "danger_signs.soaking_pads"),
        ("last year I was soaking a pad an hour", "danger_signs.soaking_pads"),
        ("say someone is 30 weeks pregnant and bleeds", "pregnancy.yes"),
        ("it hasn't been 12 months without a period", "periods.postmenopausal"),
        ("two pads, it's nearly 6 in the evening", "age_group.under_13"),
        ("my lad had 38.5, mine is 36.8", "danger_signs.fever"),
        ("she's told to ring if her temperature goes over 38", "danger_signs.fever"),
        ("I'm 6 weeks post partum and bleeding", "pregnancy.yes"),
        ("the 2nd time having sex with him", "episode_count.second"),
        ("pain ten out of ten", "episode_count.every_time"),
        ("0 condoms", "contraception.condoms"),
    ],
)
def test_a_number_or_time_on_the_other_side_does_not(text: str, key: str) -> None:
    assert not says(read(text), key)


def test_a_low_rate_of_pads_rules_out_what_it_cannot_be() -> None:
    assert read("2 pads in 3 hours").ruled_out == {"soaking_pads", "very_heavy"}
    assert not read("2 pads in 1 hour").ruled_out


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("one clot about the size of a 10p", "large_clots"),
        ("my son has 38.9 and I am fine", "fever"),
        ("38.5 with the flu last winter", "fever"),
        ("my period finished a week ago", "period_just_ended"),
    ],
)
def test_what_a_number_of_another_size_time_or_person_seems_to_tell_is_ruled_out(
    text: str, value: str
) -> None:
    assert value in read(text).ruled_out


@pytest.mark.parametrize("asked", ["consent", "circumstances", "periods"])
def test_a_full_score_is_praise_where_nothing_was_asked_of_pain(asked: str) -> None:
    assert "pain" not in read("10 out of 10, would do it again", asked).facts
    assert read("the pain is 10 out of 10", asked).facts["pain"] == "severe"
    assert read("10 out of 10", "pain").facts["pain"] == "severe"


def test_an_amount_that_grew_is_not_known() -> None:
    assert "bleeding_amount" not in read("it was pretty light overnight, it picked up since breakfast").facts
    assert read("it picked up a bit, it is like a period").facts["bleeding_amount"] == "like_period"


def test_once_outweighs_what_else_was_counted() -> None:
    said = read("spotted twice this month, no hang on, one was my period, so just the once")
    assert said.facts["episode_count"] == "first_time"
    assert read("it happened just once before").facts["episode_count"] == "second"


def test_a_message_that_is_read_again_is_read_in_its_own_light() -> None:
    """The cues of the latest message are kept; who bleeds and what was asked may be others by then."""
    text = "my mum has thrush, my wife is 30"
    own, other = read(text), default_reader().read(text, person="other")
    assert (read(text), default_reader().read(text, person="other")) == (own, other)
    assert own != other
    assert read("3 days", "bleeding_status") != read("3 days") == read("3 days")


# --- What a mention means -----------------------------------------------------------------------------


def test_a_no_reaches_over_a_list_and_ends_at_but() -> None:
    reading = read("no fever, chills or dizziness")
    assert "danger_signs" not in reading.facts
    assert {"fever", "fainting"} <= reading.denied["danger_signs"]
    reading = read("I do not have a fever but I feel faint")
    assert reading.facts["danger_signs"] == ["fainting"]
    assert "fever" in reading.denied["danger_signs"]


@pytest.mark.parametrize(
    "text",
    [
        "I used to take warfarin",
        "my sister takes warfarin",
        "should I take warfarin?",
        "I am not on warfarin",
    ],
)
def test_the_past_other_people_and_questions_state_nothing(text: str) -> None:
    assert says(read("I take warfarin"), "medical_history.blood_thinner")
    assert not says(read(text), "medical_history.blood_thinner")


def test_doubt_about_a_pregnancy_leaves_it_possible() -> None:
    assert read("maybe I'm pregnant").facts["pregnancy"] == "possible"
    assert read("I'm not pregnant").facts["pregnancy"] == "no"


def test_somebody_else_who_bleeds() -> None:
    assert read("my daughter is bleeding").facts["person"] == "other"
    told = read("my gf says she's passing lumps of blood as big as a mandarin").facts
    assert told["person"] == "other" and "large_clots" in told["danger_signs"]
    assert "person" not in read("my gf says it is normal to bleed a bit").facts


@pytest.mark.parametrize(
    "text",
    [
        "my sister is bleeding after sex, she has soaked 3 pads in an hour and she fainted",
        "my friend bled after sex, she's been through four pads in two hours and she passed out",
        "asking for my mum, she bled after sex, she is on warfarin and she fainted",
        "my mate had sex and now she's bleeding loads, she fainted in the bathroom",
        "please help my sister she is bleeding and she collapsed",
        "my flatmate is bleeding, she can't stand up and she's white as a sheet",
    ],
)
def test_who_bleeds_is_no_other_woman(text: str) -> None:
    assert "fainting" in read(text).facts["danger_signs"]


@pytest.mark.parametrize(
    ("asked", "text", "value"),
    [
        ("pain", "she says none", "none"),
        ("danger_signs", "she says no to all of them", ["none"]),
        ("bleeding_status", "my wife says it has stopped", "stopped"),
        ("pain", "he reckons no", "none"),
    ],
)
def test_an_answer_that_is_handed_on(asked: str, text: str, value: Any) -> None:
    assert read(text, asked).facts[asked] == value


@pytest.mark.parametrize("no", ["nah", "nope", "nup", "yeah nah"])
def test_some_words_for_no_deny_nothing_after_them(no: str) -> None:
    assert read(f"{no} period came on time", "pregnancy").facts["pregnancy"] == "no"
    assert "missed_or_late_period" not in read(f"{no} period came on time").facts.get("symptoms", ())


def test_only_an_answer() -> None:
    assert read("she says no to all of them", "danger_signs").is_only_answer
    assert not read("no, he forced me", "danger_signs").is_only_answer


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("I take Lutera", "contraception.combined_pill"),
        ("on Nikki for two years", "contraception.combined_pill"),
        ("I use estrogen cream", "contraception.hrt"),
        ("on Stelara for Crohn's", "medical_history.weak_immune_system"),
        ("my IUD is non-hormonal", "contraception.copper_coil"),
    ],
)
def test_names_of_medicines(text: str, key: str) -> None:
    assert says(read(text), key)


def test_a_friend_called_like_a_pill() -> None:
    assert "contraception" not in read("Nikki told me to write").facts


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("colposcopy two weeks ago, never had sex since until now", True),
        ("there was a letter about a colposcopy but I moved house and never went", False),
        ("they invited me for a colposcopy and I did not go", False),
    ],
)
def test_a_procedure_counts_where_it_was_done(text: str, told: bool) -> None:
    facts = default_reader().read(text, asked="medical_history").facts
    assert ("recent_procedure" in facts.get("medical_history", ())) is told


@pytest.mark.parametrize(
    "text", ["i dinnae have a fever", "i wernt feverish, no fever", "nae fever", "b4 it i had nae fever"]
)
def test_a_no_of_dialect_or_typed_amiss_is_a_no(text: str) -> None:
    assert not says(read(text), "danger_signs.fever")


def test_corrections_and_going_back() -> None:
    assert read("actually it was heavy").correction
    assert read("go back").back
    assert not read("it was heavy").correction


# --- Answers ------------------------------------------------------------------------------------------

NOT_SAID = {slot: ["unsure"] for slot in ("danger_signs", "symptoms", "contraception", "medical_history")} | {
    "circumstances": ["undisclosed"],
    "consent": "undisclosed",
    "age_group": "undisclosed",
    **dict.fromkeys(
        ("pregnancy", "bleeding_amount", "bleeding_status", "pain", "periods", "episode_count"), "unsure"
    ),
}
NO: dict[str, Any] = {
    **{
        slot: ["none"]
        for slot in ("danger_signs", "symptoms", "contraception", "medical_history", "circumstances")
    },
    "pregnancy": "no",
    "bleeding_status": "stopped",
    "pain": "none",
    "consent": "unwanted",
    "periods": "menstruating",
    "episode_count": "first_time",
    "bleeding_amount": None,
    "age_group": None,
}
YES: dict[str, Any] = {
    **dict.fromkeys(NO),
    "pregnancy": "yes",
    "bleeding_status": "ongoing_under_24h",
    "consent": "wanted",
}


@pytest.mark.parametrize("slot", NO)
@pytest.mark.parametrize(
    ("text", "answer", "meanings"),
    [
        ("yes", "yes", YES),
        ("no", "no", NO),
        ("none of those", "no", NO),
        ("not sure", "unsure", NOT_SAID),
        ("I'd rather not say", "decline", NOT_SAID),
    ],
)
def test_a_bare_answer(slot: str, text: str, answer: str, meanings: dict[str, Any]) -> None:
    reading = read(text, slot)
    assert reading.answer == answer
    assert reading.facts.get(slot) == meanings[slot]


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_bare_answer_to_the_weeks_tells_whether_it_shows(answer: str) -> None:
    assert read(answer, "pregnancy_weeks").facts == {"pregnancy_showing": answer}


# --- Any text -----------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(st.text(), st.sampled_from([None, *NO, "pregnancy_weeks"]))
def test_any_text_is_read_into_values_of_the_slots(text: str, asked: str | None) -> None:
    for slot, value in read(text, asked).facts.items():
        if not isinstance(value, (int, float)):
            told = value if isinstance(value, list) else [value]
            assert told and set(told) <= set(READER.vocabulary[slot].values)


@pytest.mark.parametrize("asked", [None, "danger_signs", "age_group"])
@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n",
        "😭🩸😭",
        "\x00\x1b\x7f",
        "\u202e\u200b\ufeff",
        "أنزف بعد الجماع",
        "性交后出血",
        "१२ ५",
        "?!?!",
        "<b>",
        "½¼³",
    ],
)
def test_text_without_words_states_nothing(text: str, asked: str | None) -> None:
    reading = read(text, asked)
    assert not says(reading, "consent.unwanted")
    assert "pain" not in reading.facts


@pytest.mark.parametrize(
    "piece",
    ["a", "no ", "blood ", "12 ", "pads every ", "not, ", "1 pad in ", "(", "since friday ", "\n", "😭"],
)
def test_a_very_long_text_is_read_in_time(piece: str) -> None:
    text = (piece * 20_000)[:20_000]
    start = time.perf_counter()
    read(text)
    assert time.perf_counter() - start < 2


# --- Harmless sentences ---------------------------------------------------------------------------------

HARMLESS = """
It has been raining all week
The sun is finally out today
It was freezing on the way to work
There is a storm coming on Thursday
The wind blew our fence down
I love it when it snows
It is too hot to sleep at night
What is the weather like where you are?
The garden needs some rain
It was foggy this morning
I need to buy milk and bread
The shop was out of eggs again
I bought two lemons and an orange
Do you know if the market is open on Sunday?
These shoes were half price
My parcel still has not arrived
I queued for an hour at the post office
The new supermarket is huge
I forgot my bag at the till
I bought a red dress for the party
Hello there
Good morning, how are you?
Thanks, that is kind of you
Have a lovely day
How does this work?
Are you a real person?
What can you help me with?
Who made you?
Sorry, I was making a cup of tea
One moment please, the phone is ringing
I work in a bank
I am a teacher and I love my job
My train was late again
We are going to Spain in July
The kids are back at school
My daughter plays football on Saturdays
We watched a film last night
The film was about a detective
I am reading a good book
The cat is asleep on my lap
My dog loves the park
We had pasta for dinner
I made a cake for my nan
I am learning to play the piano
The bus stop is on the corner
Can you tell me the time?
I have a meeting at three
My phone battery is at ten percent
The wifi keeps dropping
I painted the kitchen yellow
It is my birthday next month
We are moving house in spring
I like your name
Is this service free?
I live by the sea
My brother got a new car
The neighbours had a barbecue
I went for a walk by the river
See you tomorrow
Goodbye and thank you
""".strip().splitlines()


def test_there_are_sixty_harmless_sentences() -> None:
    assert len(set(HARMLESS)) == 60


@pytest.mark.parametrize("text", HARMLESS)
def test_a_harmless_sentence_raises_no_alarm(text: str) -> None:
    reading = read(text)
    assert "danger_signs" not in reading.facts
    assert reading.facts.get("consent") != "unwanted"
    assert "self_harm" not in reading.facts.get("details", [])


# --- Red flags --------------------------------------------------------------------------------------------


def test_there_are_enough_red_flags() -> None:
    every = [*RED_FLAGS["red_flags"], *RED_FLAGS["look_alikes"]]
    assert sum("says" in case for case in every) >= 40
    assert sum("not" in case for case in every) >= 25
    assert len({case["text"] for case in every}) == len(every)
    for case in every:
        slot, value = (case.get("says") or case["not"]).split(".")
        assert value in READER.vocabulary[slot].values


@pytest.mark.parametrize("case", RED_FLAGS["red_flags"], ids=lambda case: case["text"])
def test_a_red_flag_is_seen(case: dict[str, str]) -> None:
    assert says(read(case["text"]), case["says"])


@pytest.mark.parametrize("case", RED_FLAGS["look_alikes"], ids=lambda case: case["text"])
def test_a_look_alike_is_not_taken_for_one(case: dict[str, str]) -> None:
    assert not says(read(case["text"]), case["not"])


# --- Labelled messages ------------------------------------------------------------------------------------

Items = set[tuple[str, Any]]
FOLLOWS = {"person", "hours_since_sex"}
"""Read from the way a message is put; not labelled throughout."""


def items(facts: dict[str, Any]) -> Items:
    """Facts one by one, as (slot, value)."""
    return {
        (slot, one)
        for slot, value in facts.items()
        for one in (value if isinstance(value, list) else [value])
    }


def wrongly_read(got: Items, wanted: dict[str, Any]) -> Items:
    """What was read and is not labelled. A detail too many is harmless; the labels do not list them all."""
    return {
        (slot, value)
        for slot, value in got - items(wanted)
        if (slot != "details" if slot in LISTS else slot not in FOLLOWS or slot in wanted)
    }


@pytest.mark.parametrize(
    ("name", "least_found", "least_precision"), [("messages", 0.950, 0.914), ("varied", 0.973, 0.855)]
)
def test_the_share_of_stated_facts_that_is_read(
    name: str, least_found: float, least_precision: float
) -> None:
    """Floors two points under what was reached; raise them with the reader."""
    stated = found = wrong = 0
    for message in yaml.safe_load((HERE / f"{name}.yml").read_text(encoding="utf-8"))["messages"]:
        got, wanted = (
            items(dict(read(message["text"], message.get("asked")).facts)),
            items(message["facts"]),
        )
        stated += len(wanted)
        found += len(wanted & got)
        wrong += len(wrongly_read(got, message["facts"]))
    assert found / stated >= least_found
    assert found / (found + wrong) >= least_precision


@pytest.mark.parametrize(
    "text", ["no, on the pill, never missed one", "no, 2 kids is enough", "No way, I've got 3 already"]
)
def test_a_number_beside_a_no_is_no_week_of_pregnancy(text: str) -> None:
    facts = default_reader().read(text, asked="pregnancy").facts
    assert facts["pregnancy"] == "no"
    assert "pregnancy_weeks" not in facts


def test_a_first_no_denies_nothing_that_follows_it() -> None:
    facts = default_reader().read("no, on the pill, never missed one", asked="pregnancy").facts
    assert facts["contraception"] == ["combined_pill"]


@pytest.mark.parametrize(("first", "precision", "recall"), [(1700, 0.88, 0.92), (5670, 0.72, 0.74)])
def test_messages_are_read_no_worse_than_before(first: int, precision: float, recall: float) -> None:
    """By the lexicon alone, worked on with the first of them: raise the shares when it has learnt more."""
    right = wrong = missed = 0
    for message in sets.facts(DEFAULT_FOLDER / "messages.yml")[:first]:
        got, stated = sets.items(read(message.text, message.asked).facts), sets.items(message.facts)
        right += len(got & stated)
        wrong += len(got - stated - sets.items(message.may))
        missed += len(stated - got)
    assert right / (right + wrong) >= precision
    assert right / (right + missed) >= recall


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("danger_signs.fainting", "I can't stand up straight without fainting"),
        ("danger_signs.fainting", "I fainted when I saw the blood"),
        ("danger_signs.fainting", "he strangled me till I passed out"),
        ("danger_signs.one_sided_pain", "pain down one side and in my shoulder"),
        ("danger_signs.soaking_pads", "soaking pads all the morning"),
        ("danger_signs.fever", "my baby is fine but I have a fever"),
        ("consent.unwanted", "I was raped two hours ago I never wanted it"),
        ("consent.unwanted", "my ex raped me two hours ago"),
        ("consent.unwanted", "I always say no but he forced me"),
        ("pregnancy.yes", "bleeding while pregnant"),
    ],
)
def test_a_look_alike_hides_nothing_that_is_told_beside_it(key: str, text: str) -> None:
    assert says(read(text), key)


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        ("I was sexually assaulted two days ago, do I need checks?", True),
        ("my boyfriend has raped me", True),
        ("I was raped years ago", False),
        ("I was assaulted in college, twenty years ago", False),
        ("my sister was raped", False),
        ("what if I was raped and don't know it", False),
        ("I was not raped", False),
        ("he hurt me", False),
    ],
)
def test_words_that_mean_nothing_else_are_sure(text: str, sure: bool) -> None:
    assert (("consent", "unwanted") in read(text).sure) is sure


def test_no_look_alike_speaks_against_words_that_mean_nothing_else() -> None:
    assert says(read("it's like a heavy period"), "bleeding_amount.heavy")
    assert not says(read("I have heavy periods"), "bleeding_amount.heavy")


def test_entries_that_are_not_looked_for_would_not_be_found() -> None:
    lexicon = default_reader().lexicon
    for message in sets.facts(sets.READING / "facts.yml"):
        words = lexicon.words_of(message.text)
        possible = lexicon.possible(words)
        entries = lexicon.entries_with(possible)
        assert len(entries) < len(lexicon.entries) / 2, message.text
        for entry in lexicon.entries:
            for kind in [*entry.phrases(), *filter(None, [entry.only_with])]:
                found = found_in(words, kind.patterns)
                assert found_in(words, possible.get(kind, [])) == found, (message.text, kind.phrases)
                assert not found or entry in entries or kind is entry.only_with, message.text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("would antibiotics harm my Rigevidon?", ["combined_pill"]),
        ("does Rigevidon make you bleed?", None),
        ("I switched from Slynd to Yaz a month ago", ["combined_pill", "new_in_3_months"]),
        ("I went from the pill to nothing", None),
    ],
)
def test_a_method_is_told_where_it_is_ones_own_and_not_given_up(text, told):
    assert read(text).facts.get("contraception") == told


def test_wee_is_small_before_what_is_small():
    assert read("a wee bit of blood after sex").facts["bleeding_amount"] == "spotting"
    assert read("it stings when I wee").facts["symptoms"] == ["stings_to_pee"]


def test_an_old_smear_that_was_followed_by_normal_ones_is_no_open_one():
    told = "borderline smear in 2014, they followed it up and the three since were normal"
    assert "medical_history" not in read(told).facts
    treated = "abnormal smear in 2014, I had the loop, and the three since were normal"
    assert "abnormal_screening" in read(treated).facts["medical_history"]


@pytest.mark.parametrize(
    ("text", "slot", "told"),
    [
        ("no we used a condom and my period was last week", "contraception", ["condoms"]),
        ("no we used a condom and my period was last week", "circumstances", None),
        ("no we never used a condom", "circumstances", ["no_condom"]),
        ("we weren't wet enough", "circumstances", ["little_lubrication"]),
        ("bleedingfor two hours, itstopped, nofever", "bleeding_status", "stopped"),
        ("it was bleeding earlier, not anymore", "bleeding_status", "stopped"),
        ("it was gone and hasn't come back, still a bit tender", "bleeding_status", "stopped"),
        ("it was gone and hasn't come back, still a bit tender", "periods", None),
        ("the first two days it was like a period, now it's just spotting", "bleeding_status", "over_24h"),
        ("3 times in the past 10 weeks, each time only 2 or 3 spots", "episode_count", "three_or_more"),
        ("had the rod put in my arm a few weeks back", "contraception", ["implant", "new_in_3_months"]),
        ("only the pill. Before that we used condoms", "contraception", ["combined_pill"]),
        ("I feel like a fish in water", "details", None),
        ("it smells like a fish market", "details", ["discharge_fishy"]),
        ("a glass dildo, it came out whole", "circumstances", ["toy_or_object"]),
        ("the glass dildo broke", "circumstances", ["toy_or_object", "sharp_object"]),
        ("46 here, sorry, I mean 36, fat fingers", "age", 36),
        ("46 here, sorry, I mean 36, fat fingers", "circumstances", None),
        ("a woman wrote that she got a fever of 40", "danger_signs", None),
        ("menopause at 49? I haven't had a period for seven months", "symptoms", None),
        ("I'm 22. I haven't had a period for three months", "symptoms", ["missed_or_late_period"]),
        ("22 weeks + 3 days, bled after sex", "pregnancy_weeks", 22),
        ("Not 20 weeks pregnant, 20 weeks since I came off the pill", "pregnancy", None),
        ("one clot, as big as a coin of ten pence", "bleeding_amount", "heavy"),
        ("a clot as big as a plum", "bleeding_amount", None),  # a danger sign, which says enough
        ("could be pregnant, the condom broke two weeks ago", "pregnancy_weeks", None),
        ("I feel as if I will pass out when I stand up", "danger_signs", ["fainting"]),
        ("I'm 10 weeks again now", "pregnancy_weeks", 10),
        ("by my dates it'd be about five weeks", "pregnancy_weeks", 5),
        ("the pain was awful during but it's completely gone now", "pain", "none"),
        ("soaking a night towel about every ninety minutes", "bleeding_amount", "heavy"),
        ("it's coming from my back passage", "symptoms", ["blood_from_back_passage"]),
        ("it's heavier than that, more like a proper period", "bleeding_amount", "like_period"),
        ("I'd lose my visa if I don't sleep with him, so I did", "consent", "unwanted"),
        ("been so dry inside for a long time", "circumstances", None),
        ("I've bled since Friday", "bleeding_status", "over_24h"),
        ("I have not bled since Friday", "bleeding_status", "stopped"),
        ("bled since this morning", "bleeding_status", "ongoing_under_24h"),
        ("sex was saturday 9pm. its monday night. still red", "bleeding_status", "over_24h"),
        ("we're expecting in nine weeks and there is blood", "pregnancy_weeks", 31),
        ("it doesn't hurt when I pee", "pain", None),
        ("no cramps", "pain", None),  # another pain may be there
        ("no pain, no cramps", "pain", "none"),
        ("had my Mirena put in six weeks ago", "contraception", ["hormonal_coil", "new_in_3_months"]),
        ("Mirena put in six weeks ago, no wait, four months", "contraception", ["hormonal_coil"]),
        ("we used a condom and it stayed on", "circumstances", None),
        ("the glass toy. a bit is snapped off the end", "circumstances", ["toy_or_object", "sharp_object"]),
        ("a letter from spring, it said to book a colposcopy", "medical_history", None),
        ("came off the rag yesterday", "circumstances", ["period_just_ended"]),
        ("last natural bleed was six years ago", "periods", "postmenopausal"),
    ],
)
def test_what_is_told_besides_what_it_sounds_like(text, slot, told):
    assert read(text).facts.get(slot) == told


def test_last_autumn_is_a_year_ago_in_november():
    november = datetime(2026, 11, 29, 12)
    told = default_reader().read("colposcopy last autumn", now=november).facts
    assert "procedure_in_12_weeks" not in told.get("details", []) and "medical_history" not in told
