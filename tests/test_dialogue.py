"""What a message changes and what is said before anything else, in any state of the conversation."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_facts import plausible_facts

from spotwise import dialogue
from spotwise.dialogue import FORM, Message, Turn, hear
from spotwise.facts import facts_of
from spotwise.knowledge import LEVELS, load_knowledge
from spotwise.reading import LISTS, default_reader
from spotwise.triage import triage

KNOWLEDGE = load_knowledge()
READER = default_reader()
SLOTS = [question.slot for question in KNOWLEDGE.questions]
EMERGENCY = {
    "urgency": "emergency",
    "urgency_reasons": ["E01"],
    "bleeding_amount": "very_heavy",
    "danger_signs": ["soaking_pads"],
}
AT = datetime(2026, 11, 23, 12, 0)


def say(
    text: str,
    slots: dict[str, Any] | None = None,
    intent: str = "describe_spotting",
    confidence: float = 0.9,
    asked: str | None = None,
) -> Turn:
    """One message; `asked` is the question just asked, if the questions are going on."""
    state = {**(slots or {}), **({"requested_slot": asked} if asked else {})}
    return hear(state, Message(text, intent, confidence, at=AT), asked is not None, READER, KNOWLEDGE)


def press(slot: str, value: str, slots: dict[str, Any] | None = None, asked: str | None = None) -> Turn:
    """A button."""
    state = {**(slots or {}), **({"requested_slot": asked} if asked else {})}
    message = Message(
        f'/describe_spotting{{"{slot}":"{value}"}}', "describe_spotting", 1.0, {slot: [value]}, AT
    )
    return hear(state, message, asked is not None, READER, KNOWLEDGE)


# --- Emergencies, in any state ---


@pytest.mark.parametrize("asked", [None, *SLOTS])
@pytest.mark.parametrize(
    "text",
    [
        "I'm soaking a pad every hour",
        "I just passed out",
        "I have a terrible pain at the tip of my shoulder",
        "there is blood pouring down my legs",
    ],
)
def test_an_emergency_is_answered_at_once_whatever_was_asked(asked, text):
    turn = say(text, asked=asked)
    assert turn.plan[0] == "utter_emergency"
    assert turn.slots["urgency"] == "emergency"
    assert turn.slots["requested_slot"] is None
    assert turn.slots["urgency_reasons"] and turn.slots["emergency_variant"]
    assert {"utter_calm_emergency", "utter_criteria", "utter_limits"} <= set(turn.plan)
    assert FORM not in turn.plan and not turn.digression


@pytest.mark.parametrize(
    "intent", ["greet", "ask_cancer", "thank", "nlu_fallback", "deny", "out_of_scope", "goodbye", "insult"]
)
def test_whatever_the_classifier_makes_of_it(intent):
    assert say("thanks, but I fainted just now", intent=intent, asked="pain").plan[0] == "utter_emergency"


@pytest.mark.parametrize("asked", [None, *SLOTS])
def test_a_denied_sign_is_none(asked):
    turn = say("I did not faint and I am not soaking pads", asked=asked)
    assert "utter_emergency" not in turn.plan


@pytest.mark.parametrize("asked", [None, *SLOTS])
def test_thoughts_of_self_harm_get_help_first(asked):
    for turn in (
        say("I want to kill myself", asked=asked),
        say("no point any more", intent="report_self_harm", asked=asked),
    ):
        assert turn.plan[0] == "utter_self_harm"
        assert turn.slots["requested_slot"] is None
        assert FORM not in turn.plan


def test_self_harm_comes_before_bleeding_and_after_an_emergency_too():
    assert say("I am soaking a pad an hour and I want to kill myself").plan[0] == "utter_self_harm"
    assert say("I want to kill myself", EMERGENCY).plan[0] == "utter_self_harm"


@pytest.mark.parametrize("asked", [None, *SLOTS])
def test_unwanted_sex_gets_words_of_its_own_at_once(asked):
    turn = say("he raped me", asked=asked)
    assert turn.slots["consent"] == "unwanted"
    assert "utter_assault" in turn.plan
    assert turn.plan.index("utter_assault") <= 1


def test_unwanted_sex_told_to_the_classifier_only():
    turn = say("he would not listen", intent="report_assault", asked="bleeding_amount")
    assert turn.slots["consent"] == "unwanted" and "utter_assault" in turn.plan


def test_unwanted_sex_in_danger_is_an_emergency():
    turn = say("he forced me and he choked me")
    assert turn.plan[:2] == ("utter_emergency", "utter_assault_danger")


@pytest.mark.parametrize("asked", [None, *SLOTS])
def test_under_13_gets_words_of_its_own_at_once(asked):
    turn = say("I am 11 years old", asked=asked)
    assert turn.slots["age_group"] == "under_13"
    assert "utter_under_13" in turn.plan


def test_under_13_and_bleeding_is_an_emergency_with_both_words():
    turn = say("I'm 12 and it is still bleeding")
    assert turn.plan[:2] == ("utter_emergency", "utter_under_13")


@pytest.mark.parametrize(("text", "age_group"), [("I am 14", "13_15"), ("i'm 17", "16_17")])
def test_under_18_gets_words_of_its_own_once(text, age_group):
    turn = say(text, asked="age_group")
    assert turn.slots["age_group"] == age_group
    assert turn.plan == ("utter_under_18", FORM)
    again = say("yes I said, " + text, {**turn.slots, "danger_signs": ["none"]}, asked="consent")
    assert "utter_under_18" not in again.plan


def test_a_pregnancy_emergency_says_whom_to_phone():
    assert "utter_pregnancy_emergency" in say("I'm 30 weeks pregnant and bleeding").plan


# --- After an emergency ---


@pytest.mark.parametrize(
    "text", ["ok", "it is only a bit", "my friend says it is nothing", "I feel fine now", "zzz"]
)
def test_after_an_emergency_the_number_is_repeated_and_nothing_is_asked(text):
    turn = say(text, EMERGENCY)
    assert turn.plan == ("utter_emergency_again", "utter_criteria", "utter_limits")
    assert FORM not in turn.plan
    assert "urgency" not in turn.slots


@pytest.mark.parametrize("intent", ["ask_home_care", "ask_about_cause", "ask_cancer"])
def test_after_an_emergency_questions_are_answered(intent):
    assert say("what do I do while I wait?", EMERGENCY, intent=intent).plan == ()


def test_after_an_emergency_a_further_sign_is_said():
    assert say("and now I fainted", EMERGENCY).plan[0] == "utter_emergency"


def test_a_mistake_is_taken_back_only_by_saying_so():
    asks = say("that was a mistake", EMERGENCY, intent="correct_answer")
    assert asks.plan == ("utter_ask_correction",) and asks.slots["correcting"] is True
    corrected = say("only a few spots", {**EMERGENCY, **asks.slots})
    assert corrected.slots["level_before"] == "emergency" and corrected.slots["urgency"] is None
    assert corrected.plan[-1] == FORM
    assert triage(facts_of({**EMERGENCY, **corrected.slots}), KNOWLEDGE).level != "emergency"


@pytest.mark.parametrize(
    ("told", "corrected"),
    [
        ("I'm soaking a pad every hour", "I am not soaking pads"),
        ("I fainted", "I did not faint"),
        ("the pain is severe", "the pain is not severe"),
    ],
)
def test_an_emergency_told_by_mistake_can_be_denied_in_the_same_words(told, corrected):
    state = dict(say(told).slots)
    state.update(say("that was a mistake", state, intent="correct_answer").slots)
    turn = say(corrected, state)
    assert turn.plan[-1] == FORM and turn.slots["level_before"] == "emergency"


def test_a_button_pressed_later_lowers_nothing():
    turn = press("bleeding_amount", "spotting", EMERGENCY)
    assert turn.plan[0] == "utter_emergency_again" and "bleeding_amount" not in turn.slots


# --- Answers ---


@pytest.mark.parametrize(
    ("asked", "text", "value"),
    [
        ("danger_signs", "none of those", ["none"]),
        ("pregnancy", "no", "no"),
        ("bleeding_amount", "just a few spots", "spotting"),
        ("bleeding_status", "it has stopped", "stopped"),
        ("pain", "no", "none"),
        ("consent", "yes", "wanted"),
        ("age_group", "29", "25_39"),
        ("periods", "no", "menstruating"),
        ("episode_count", "no, first time", "first_time"),
        ("symptoms", "no", ["none"]),
        ("contraception", "the implant", ["implant"]),
        ("medical_history", "nothing", ["none"]),
        ("circumstances", "it was rough", ["rough_sex"]),
        ("pregnancy_weeks", "12 weeks", 12),
    ],
)
def test_an_answer_is_noted_and_the_questions_go_on(asked, text, value):
    known = (
        {"pregnancy": "yes"}
        if asked == "pregnancy_weeks"
        else {"danger_signs": ["none"]}
        if asked != "danger_signs"
        else {}
    )
    turn = say(text, known, asked=asked)
    assert turn.slots[asked] == value
    assert turn.plan == (FORM,)
    assert turn.slots["asked"] == [asked]
    assert turn.slots["question_style"] == "first"


def test_a_bare_number_of_weeks_is_no_age():
    turn = say("12", {"pregnancy": "yes"}, asked="pregnancy_weeks")
    assert turn.slots["pregnancy_weeks"] == 12
    assert "age_group" not in turn.slots and turn.plan == (FORM,)


@pytest.mark.parametrize("asked", SLOTS)
def test_not_sure_is_about_the_question_asked_and_nothing_else(asked):
    told = {slot for slot in READER.read("not sure", asked, now=AT).facts if slot != "pregnancy_showing"}
    assert told <= {asked}


@pytest.mark.parametrize(
    ("intent", "value"),
    [
        ("affirm", "wanted"),
        ("deny", "unwanted"),
        ("skip_question", "undisclosed"),
        ("dont_know", "undisclosed"),
    ],
)
def test_a_bare_answer_known_only_to_the_classifier_counts(intent, value):
    assert say("mhm-hm", intent=intent, asked="consent").slots["consent"] == value


def test_a_bare_answer_the_classifier_is_not_sure_of_does_not():
    assert "consent" not in say("mhm-hm", intent="deny", confidence=0.4, asked="consent").slots


def test_several_facts_in_one_answer_are_all_noted():
    turn = say("no pain, I'm 35 and it has stopped", {"danger_signs": ["none"]}, asked="pain")
    assert (turn.slots["pain"], turn.slots["age_group"], turn.slots["bleeding_status"]) == (
        "none",
        "25_39",
        "stopped",
    )


@pytest.mark.parametrize("asked", SLOTS)
def test_a_button_with_a_value_that_does_not_exist_sets_nothing(asked):
    assert asked not in press(asked, "buckets", asked=asked).slots
    assert "nonsense" not in press("nonsense", "yes", asked=asked).slots


@pytest.mark.parametrize("asked", [slot for slot in SLOTS if slot != "pregnancy_weeks"])
def test_every_value_can_be_pressed(asked):
    for value in KNOWLEDGE.vocabulary[asked].values:
        turn = press(asked, value, asked=asked)
        if asked in dialogue.SIGNS and value == "unsure":
            assert asked not in turn.slots
        else:
            assert turn.slots[asked] == ([value] if asked in LISTS else value)


# --- What only the meaning tells ---


def meant(
    text: str, asked: str | None, any_sign: float, intent: str = "describe_spotting", **signs: float
) -> Turn:
    """A message of which the words tell nothing, with what it may mean."""
    message = Message(text, intent, 0.7, at=AT, signs=signs, any_sign=any_sign)
    state = {"requested_slot": asked} if asked else {}
    return hear(state, message, asked is not None, READER, KNOWLEDGE)


OUT_OF_PLACE = ["pregnancy", "age_group", "periods", "episode_count", "contraception", "medical_history"]


@pytest.mark.parametrize("asked", [*OUT_OF_PLACE, "consent"])
def test_a_sign_out_of_place_has_to_be_near_certain(asked):
    text = "I chucked the last one on Sunday lunchtime"
    assert "danger_signs" not in meant(text, asked, 0.96, soaking_pads=0.64).slots
    assert "soaking_pads" in meant(text, asked, 0.99, soaking_pads=0.98).slots["danger_signs"]


@pytest.mark.parametrize("asked", [None, "danger_signs", "bleeding_amount", "pain", "symptoms"])
def test_a_sign_where_the_body_is_asked_about_need_not(asked):
    turn = meant("it is teeming out", asked, 0.96, soaking_pads=0.64)
    assert "soaking_pads" in turn.slots["danger_signs"]


def test_a_sign_in_place_counts_whatever_the_intent():
    said = "my teeth are playing castanets under two blankets"
    assert "fever" in meant(said, "symptoms", 0.99, "out_of_scope", fever=0.89).slots["danger_signs"]
    assert "danger_signs" not in meant(said + "?", "symptoms", 0.99, "out_of_scope", fever=0.89).slots


def test_unwanted_sex_by_the_meaning_alone_out_of_place():
    said = "it was there and then it was not"
    assert "consent" not in meant(said, "bleeding_status", 0.96, assault=0.95).slots
    assert meant(said, "consent", 0.96, assault=0.95).slots["consent"] == "unwanted"


def test_a_bare_answer_means_nothing_else():
    said = "she says no to all of them"
    turn = meant(said, "danger_signs", 0.99, "report_assault", assault=0.99)
    assert turn.slots["danger_signs"] == ["none"] and "consent" not in turn.slots


def test_who_tells_of_a_blank_after_a_drink_did_not_agree():
    turn = say("two drinks and then there's nothing till morning", asked="consent")
    assert turn.slots["consent"] == "unwanted" and "E13" in turn.slots["urgency_reasons"]


def test_a_cry_for_help_that_names_no_sign_gets_the_number_and_goes_on_in_the_end():
    slots: dict[str, Any] = {"danger_signs": ["none"]}
    for left in reversed(range(4)):
        turn = say("help help, something is terribly amiss", slots, "report_emergency", asked="age_group")
        assert turn.plan[: len(dialogue.HELP_NOW)] == dialogue.HELP_NOW
        if not left or "utter_go_on" in turn.plan:
            break
        assert turn.plan[-1] == "utter_ask_age_group"
        slots |= turn.slots
    assert "utter_go_on" in turn.plan


# --- Not sure, and answers that cannot be used ---


@pytest.mark.parametrize("asked", sorted(dialogue.SIGNS))
def test_not_sure_about_danger_is_asked_once_more_in_simpler_words(asked):
    first = say("not sure", asked=asked)
    assert first.plan == (f"utter_ask_{asked}",)
    assert first.slots["question_style"] == "simple" and asked not in first.slots
    second = say("not sure", {**first.slots}, asked=asked)
    assert second.plan == (FORM,)
    assert second.slots[asked] == (["unsure"] if asked in LISTS else "unsure")
    assert triage(facts_of(second.slots), KNOWLEDGE).level == "same_day"


@pytest.mark.parametrize("asked", [slot for slot in SLOTS if slot not in dialogue.SIGNS])
def test_not_sure_elsewhere_is_an_answer(asked):
    turn = say("not sure", {"pregnancy": "yes"} if asked == "pregnancy_weeks" else {}, asked=asked)
    assert turn.plan == (FORM,)
    assert turn.slots["asked"] == [asked]


@pytest.mark.parametrize("asked", SLOTS)
def test_rather_not_say_is_an_answer(asked):
    state: dict[str, Any] = {"pregnancy": "yes"} if asked == "pregnancy_weeks" else {}
    if asked in dialogue.SIGNS:
        state = {**state, **say("I'd rather not say", state, asked=asked).slots}
    turn = say("I'd rather not say", state, asked=asked)
    assert turn.plan == (FORM,) and asked in turn.slots["asked"]


@pytest.mark.parametrize("asked", SLOTS)
def test_answers_that_cannot_be_used_lead_to_simpler_words_and_then_on(asked):
    slots: dict[str, Any] = {"pregnancy": "yes"} if asked == "pregnancy_weeks" else {}
    styles = []
    for text in ("purple bananas", "the weather is grand", "lorem ipsum dolor"):
        turn = say(text, slots, intent="nlu_fallback", confidence=0.3, asked=asked)
        slots = {**slots, **turn.slots}
        styles.append(turn.slots["question_style"])
        assert turn.plan == (f"utter_ask_{asked}",)
    assert styles == ["again", "simple", "simple"]
    turn = say("a song of sixpence", slots, intent="nlu_fallback", confidence=0.3, asked=asked)
    assert turn.plan == ("utter_go_on", FORM)
    assert asked in turn.slots["asked"]
    assert turn.slots["unusable_answers"] is None
    filled = "pregnancy_showing" if asked == "pregnancy_weeks" else asked
    safe = KNOWLEDGE.question(asked).unanswered if asked != "pregnancy_weeks" else "unsure"
    assert turn.slots[filled] == ([safe] if filled in LISTS else safe)


def test_the_same_answer_again_counts_double():
    slots: dict[str, Any] = {}
    plans = []
    for _ in range(3):
        turn = say("Purple bananas ", slots, intent="nlu_fallback", confidence=0.3, asked="periods")
        slots = {**slots, **turn.slots}
        plans.append(turn.plan)
    assert plans == [("utter_ask_periods",), ("utter_ask_periods",), ("utter_go_on", FORM)]


def test_a_useful_fact_that_does_not_answer_is_noted_and_the_question_asked_again():
    turn = say("I'm 35", asked="bleeding_amount")
    assert turn.slots["age_group"] == "25_39"
    assert turn.plan == ("utter_noted", "utter_ask_bleeding_amount")
    assert turn.slots["question_style"] == "again"


def test_giving_up_never_takes_back_what_is_known():
    slots = {"symptoms": ["lump"], "unusable_answers": 3.0}
    turn = say("purple bananas", slots, intent="nlu_fallback", confidence=0.3, asked="symptoms")
    assert turn.plan == ("utter_go_on", FORM) and "symptoms" not in turn.slots


# --- Questions in between ---


@pytest.mark.parametrize("asked", SLOTS)
def test_a_question_in_between_is_left_to_the_rules(asked):
    turn = say("what treatment is there?", intent="ask_treatment", asked=asked)
    assert turn == Turn({"last_answer": "what treatment is there?"})


def test_the_same_words_again_are_an_answer_that_cannot_be_used():
    known = {"danger_signs": ["none"], "last_answer": "is that so"}
    turn = say("is that so", known, intent="ask_normality", asked="consent")
    assert turn.plan == ("utter_ask_consent",)
    assert turn.slots["question_style"] == "simple"


def test_an_answer_with_a_question_is_noted_and_the_question_answered_first():
    turn = say(
        "no pain at all. could it be cancer?", {"danger_signs": ["none"]}, intent="ask_cancer", asked="pain"
    )
    assert turn.digression and turn.plan == ()
    assert turn.slots["pain"] == "none" and turn.slots["asked"] == ["pain"]


def test_an_answer_with_a_question_mark_and_no_sure_question_is_an_answer():
    turn = say("no pain?", {"danger_signs": ["none"]}, intent="ask_cancer", confidence=0.3, asked="pain")
    assert not turn.digression and turn.plan == (FORM,)


# --- Going back, and putting right ---


def test_going_back_asks_the_last_question_again():
    slots = {"danger_signs": ["none"], "pregnancy": "no", "asked": ["danger_signs", "pregnancy"]}
    turn = say("go back", slots, asked="bleeding_amount")
    assert turn.plan == ("utter_ask_pregnancy",)
    assert turn.slots["pregnancy"] is None
    assert turn.slots["asked"] == ["danger_signs"]
    assert turn.slots["requested_slot"] == "pregnancy"


def test_there_is_nothing_before_the_first_question():
    assert say("go back", asked="danger_signs").plan == ("utter_ask_danger_signs",)


def test_a_correction_without_content_asks_what_was_wrong():
    turn = say(
        "that's wrong", {"pain": "none", "danger_signs": ["none"]}, intent="correct_answer", asked="consent"
    )
    assert turn.plan == ("utter_ask_correction",)
    assert turn.slots == {"correcting": True}


def test_a_correction_that_is_not_understood_is_asked_for_once():
    """Then the question goes on, for asking the same again and again leads nowhere."""
    known = {"pain": "none", "danger_signs": ["none"], "correcting": True}
    turn = say("that's still not what I said", known, intent="correct_answer", asked="consent")
    assert turn.plan == ("utter_ask_consent",)
    assert turn.slots["correcting"] is None and turn.slots["question_style"] == "again"


def test_a_temperature_is_taken_back():
    known = {"danger_signs": ["fever"], "temperature": 38.6}
    text = "None. And cancel the 38.6, it's 36.8, I don't have a fever"
    turn = say(text, known, intent="correct_answer", asked="danger_signs")
    assert turn.slots["danger_signs"] == ["none"]


def test_what_is_put_right_is_said_back():
    known = {"pregnancy": "no", "danger_signs": ["none"]}
    turn = say("actually I'm pregnant", known, intent="correct_answer", asked="consent")
    assert turn.slots["pregnancy"] == "yes"
    assert turn.plan == ("utter_noted", FORM)
    assert turn.slots["noted"] and turn.slots["correcting"] is None
    assert "consent" not in (turn.slots.get("asked") or [])


def test_a_button_of_an_answered_question_corrects_it():
    known = {
        "bleeding_amount": "heavy",
        "danger_signs": ["none"],
        "asked": ["danger_signs", "bleeding_amount"],
    }
    turn = press("bleeding_amount", "spotting", known, asked="pain")
    assert turn.slots["bleeding_amount"] == "spotting"
    assert turn.plan == ("utter_noted", FORM)
    assert turn.slots.get("requested_slot", "pain") == "pain" and "asked" not in turn.slots
    assert press("bleeding_amount", "heavy", known, asked="pain").slots.get("bleeding_amount") is None


def test_a_second_button_of_a_list_names_one_more():
    known = {"symptoms": ["dryness"], "asked": ["symptoms"]}
    assert press("symptoms", "lump", known, asked="contraception").slots["symptoms"] == ["dryness", "lump"]


@pytest.mark.parametrize(
    ("before", "chosen", "after"),
    [
        (["dryness", "lump"], ["dryness"], ["dryness"]),
        (["dryness"], ["lump", "tiredness"], ["lump", "tiredness"]),
        (["dryness", "lump"], ["none"], ["none"]),
        (["none"], ["lump"], ["lump"]),
        (["unsure"], ["dryness"], ["dryness"]),
    ],
)
def test_a_button_that_corrects_a_list_names_all_that_holds(before, chosen, after):
    state = {"symptoms": before, "asked": ["symptoms"], "requested_slot": "contraception"}
    message = Message('/correct_answer{"symptoms":[]}', "correct_answer", 1.0, {"symptoms": chosen}, AT)
    turn = hear(state, message, True, READER, KNOWLEDGE)
    assert turn.slots["symptoms"] == after
    assert turn.plan == ("utter_noted", FORM)


def test_a_button_that_corrects_an_emergency_takes_it_back():
    known = {**EMERGENCY, "asked": ["danger_signs"], "danger_signs": ["fainting"], "bleeding_amount": None}
    message = Message("/correct_answer", "correct_answer", 1.0, {"danger_signs": ["none"]}, AT)
    turn = hear(known, message, False, READER, KNOWLEDGE)
    assert (turn.slots["danger_signs"], turn.slots["urgency"]) == (["none"], None)
    assert turn.plan[-1] == FORM


def test_a_correction_may_lower_and_a_milder_message_may_not():
    known = {
        "bleeding_amount": "heavy",
        "danger_signs": ["none"],
        "asked": ["danger_signs", "bleeding_amount"],
    }
    milder = say("it is only spotting, probably nothing", known, asked="pain")
    assert milder.slots.get("bleeding_amount") is None
    corrected = say("sorry, I meant only spotting", known, intent="correct_answer", asked="pain")
    assert corrected.slots["bleeding_amount"] == "spotting"


@pytest.mark.parametrize(
    "text",
    [
        "it's probably nothing",
        "my boyfriend says it's fine",
        "my friend told me to wait",
        "I don't want to make a fuss",
    ],
)
@given(plausible_facts())
@settings(max_examples=25)
def test_playing_it_down_lowers_nothing(text, known):
    turn = say(text, known)
    merged = {**known, **{slot: value for slot, value in turn.slots.items() if value is not None}}
    before, after = (triage(facts_of(slots), KNOWLEDGE).level for slots in (known, merged))
    assert LEVELS.index(after) <= LEVELS.index(before)


# --- Beginning ---


def test_what_is_told_first_begins_the_questions():
    turn = say("I'm bleeding a little after sex, I'm 30")
    assert turn.plan[0] == "utter_intro" and turn.plan[-1] == FORM
    assert turn.slots["age_group"] == "25_39" and turn.slots["noted"]


def test_somebody_else_is_spoken_for():
    turn = say("my girlfriend is bleeding a bit after sex")
    assert turn.slots["person"] == "other" and "utter_somebody_else" in turn.plan


@pytest.mark.parametrize("intent", ["greet", "ask_causes", "ask_privacy", "thank"])
def test_what_tells_nothing_is_left_to_the_rules(intent):
    assert say("hello there", intent=intent) == Turn({})


def test_leaving_begins_nothing():
    assert say("bye, I'm 30", intent="goodbye").plan == ()


def test_a_new_fact_after_the_assessment_assesses_anew():
    known = {
        "urgency": "routine",
        "urgency_reasons": ["R01"],
        "danger_signs": ["none"],
        "bleeding_amount": "spotting",
    }
    assert say("I am pregnant by the way", known).plan[-1] == FORM
    assert say("ok thanks", known, intent="thank") == Turn({})


def test_an_assessment_fills_the_slots_of_the_contract():
    found = dialogue.assess({"bleeding_amount": "heavy"}, "routine", KNOWLEDGE)
    assert (found["urgency"], found["urgency_reasons"], found["level_before"]) == (
        "same_day",
        ["D04"],
        "routine",
    )
    assert (
        set(found["possible_causes"]) <= {cause.id for cause in KNOWLEDGE.causes} and found["possible_causes"]
    )
    assert dialogue.assess({"bleeding_amount": "heavy"}, "same_day", KNOWLEDGE)["level_before"] is None


# --- Anything at all ---


JUNK = st.text(max_size=200) | st.sampled_from(
    [
        "",
        " ",
        "\x00\x07",
        "😀" * 50,
        "<script>alert(1)</script>",
        '{"pain": "none"}',
        "/describe_spotting{",
        "我流血了",
        "no " * 2000,
        "?" * 500,
        "-1",
        "١٢",
    ]
)
INTENTS = st.sampled_from(
    [
        "describe_spotting",
        "nlu_fallback",
        "deny",
        "affirm",
        "dont_know",
        "skip_question",
        "ask_cancer",
        "correct_answer",
        "goodbye",
        "report_emergency",
    ]
)


@settings(max_examples=150, deadline=None)
@given(JUNK, plausible_facts(), INTENTS, st.floats(0, 1), st.none() | st.sampled_from(SLOTS))
def test_nothing_crashes_and_only_facts_are_stored(text, known, intent, confidence, asked):
    turn = say(text, known, intent, confidence, asked)
    told = {
        slot: value
        for slot, value in turn.slots.items()
        if slot in KNOWLEDGE.vocabulary and value is not None
    }
    assert facts_of(told) == told
    assert all(action == FORM or action.startswith("utter_") for action in turn.plan)


@settings(max_examples=100, deadline=None)
@given(plausible_facts(), st.none() | st.sampled_from(SLOTS))
def test_an_emergency_is_never_overlooked(known, asked):
    turn = say("I am soaking a pad every hour", known, asked=asked)
    assert turn.plan[0] == "utter_emergency"


@settings(max_examples=60, deadline=None)
@given(plausible_facts(), st.lists(JUNK, max_size=6), st.sampled_from(SLOTS))
def test_a_level_is_never_lowered_by_junk(known, texts, asked):
    state = dict(known)
    before = triage(facts_of(state), KNOWLEDGE).level
    for text in texts:
        if READER.read(text, asked, now=AT).facts:
            return
        state.update(say(text, state, "nlu_fallback", 0.2, asked).slots)
    assert LEVELS.index(triage(facts_of(state), KNOWLEDGE).level) <= LEVELS.index(before)
