"""Every sentence that a person can read, held to the rules of tone: plain, calm, kind, short."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import textstat
import yaml

from actions import wording

ROOT = Path(__file__).parent.parent

HARDEST_GRADE = 8.0
"""Flesch-Kincaid grade; 8 is read at about 13. Most sentences are far easier."""
LONGEST_SENTENCE = 20
"""Words."""
SHORTEST_GRADED = 5
"""Words. The grade of a shorter fragment says nothing."""
LONGEST_MESSAGE = 450
"""Characters: about one screen of a phone."""
LONGEST_TITLE = 20
"""Characters of a button that fit side by side on a phone; Slack takes 75."""
LONGEST_PAYLOAD = 64
"""Bytes: Telegram's limit."""

# Sentences that stay harder than the rest, each with its reason.
HARDER: dict[str, str] = {}

# Messages that stay longer than one screen, each with its reason.
LONGER = {
    "utter_criteria": "the full list, always; one short line for each",
    "utter_safe_words": "the only message of its turn",
    "utter_assault": "help, time limits and numbers belong together",
    "utter_ask_danger_signs": "every danger sign, one short line for each",
    "utter_ask_medical_history": "every illness that decides a level, one short line for each",
}

FORBIDDEN = [
    r"\berosion\b",
    r"\bvirgin",
    r"\bpromiscuous\b",
    r"\bnormal (woman|women|man|person|people)\b",
    r"\bincompetent\b",
    r"\bfail(ed|ure|s)?\b",
    r"\byou must\b",
    r"\byou (should have|ought to)\b",
    r"\bwhy didn.t you\b",
    r"\b(don.t|do not) worry\b",
    r"(?<!told )\bit(.s| is) nothing\b(?! serious)",
    r"\byou.re fine\b",
    r"\byou are fine\b",
    r"\bno need to see\b",
    r"\bvictim\b",
    r"\bhysterical\b",
    r"\bladies\b|\bgirls?\b",
    r"(?<!if )(?<!when )(?<!that )\byou (likely |may )?have (cancer|an? (infection|polyp|tear|sti))\b",
    r"[£$€]|\b\d+ ?(mg|mcg|ml)\b",  # no prices, no doses
    r"\boestrogen\b|\bcolor\b|\bgynecolog|\bhemorrhag|\bpediatric",  # spelling
    r"[*_#<>`]|\]\(|https?://",  # plain text
    r"[\U0001F000-\U0001FAFF\u2600-\u27BF]",  # no emojis
]


def read(path: str) -> dict[str, Any]:
    """One YAML file of the project."""
    content: dict[str, Any] = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
    return content


DOMAIN = read("domain.yml")
SLOTS = read("knowledge/slots.yml")
VALUES = {**SLOTS["slots"], **SLOTS["finer_slots"]}
RESPONSES = {
    f"{name}[{number}]": variation
    for name, variations in DOMAIN["responses"].items()
    for number, variation in enumerate(variations)
}
FILLED = {"{because}": "the bleeding goes on past 24 hours", "{noted}": "light bleeding, no pain"}


class Text(NamedTuple):
    """A text and where it stands."""

    where: str
    text: str


def spoken(where: str, text: str) -> Text:
    """A text as it reads once its gaps are filled."""
    for gap, filling in FILLED.items():
        text = text.replace(gap, filling)
    return Text(where, re.sub(r"\{\w+\}", "a small graze", text))


def texts_of_responses() -> Iterator[Text]:
    for where, variation in RESPONSES.items():
        yield spoken(where, variation["text"])
        for button in variation.get("buttons", []):
            yield Text(f"{where} button", button["title"])


def texts_of_causes() -> Iterator[Text]:
    for cause in read("knowledge/causes.yml")["causes"]:
        for part in (cause, *cause.get("kinds", [])):
            for field in (
                "name",
                "what",
                "why_it_bleeds",
                "who",
                "clues",
                "next_steps",
                "treatment",
                "self_care",
                "typical_urgency",
            ):
                if field in part:
                    yield Text(f"{cause['id']}.{field}", part[field])
        for feature in cause["features"]:
            yield Text(f"{cause['id']} because", f"I list it because {feature['because']}.")


def texts_of_knowledge() -> Iterator[Text]:
    facts = read("knowledge/facts.yml")
    for entry in (*facts["facts"], *facts["cautions"]):
        yield Text(entry["id"], entry["text"])
    for rule in read("knowledge/rules.yml")["rules"]:
        yield Text(f"{rule['id']}.criterion", rule["criterion"])
        yield Text(f"{rule['id']}.why", rule["why"])
        yield Text(f"{rule['id']}.because", f"I say this because {rule['because']}.")
    for question in read("knowledge/questions.yml")["questions"]:
        yield Text(f"{question['slot']}.why", question["why"])


def texts_of_actions() -> Iterator[Text]:
    for name, text in vars(wording).items():
        if name.isupper() and isinstance(text, str):
            yield spoken(f"actions/wording.py {name}", text)


def texts_of_the_page() -> Iterator[Text]:
    for name, text in read("assistant/web/words.yml").items():
        yield spoken(f"assistant/web/words.yml {name}", text)


TEXTS = [
    *texts_of_responses(),
    *texts_of_causes(),
    *texts_of_knowledge(),
    *texts_of_actions(),
    *texts_of_the_page(),
]


def sentences(text: str) -> list[str]:
    """Each sentence, and each line of a list, on its own."""
    found = []
    for line in text.splitlines():
        line = line.strip().removeprefix("- ")
        found += re.split(r"(?<=[.?!])[\"')]?\s+(?=[\"'(A-Z0-9])", line)
    return [sentence for sentence in found if sentence]


SENTENCES = sorted({(sentence, where) for where, text in TEXTS for sentence in sentences(text)})


def test_sentences_are_easy_to_read() -> None:
    hard = {}
    for sentence, where in SENTENCES:
        if len(sentence.split()) >= SHORTEST_GRADED and sentence not in HARDER:
            grade = textstat.flesch_kincaid_grade(sentence)
            if grade > HARDEST_GRADE:
                hard[f"{where}: {sentence}"] = grade
    assert hard == {}


def test_sentences_are_short() -> None:
    long = {f"{where}: {s}": len(s.split()) for s, where in SENTENCES if len(s.split()) > LONGEST_SENTENCE}
    assert long == {}


def test_every_exception_is_still_needed() -> None:
    said = {sentence for sentence, _ in SENTENCES}
    assert set(HARDER) <= said
    assert all(textstat.flesch_kincaid_grade(sentence) > HARDEST_GRADE for sentence in HARDER)
    for name in LONGER:
        assert any(len(v["text"]) > LONGEST_MESSAGE for v in DOMAIN["responses"][name]), name


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_words_we_do_not_use(pattern: str) -> None:
    used = [f"{where}: {text}" for where, text in TEXTS if re.search(pattern, text, re.IGNORECASE)]
    assert used == []


def test_the_checks_can_catch() -> None:
    """The patterns and the grade do find what they are for."""
    assert (
        textstat.flesch_kincaid_grade("This is general information, not medical advice or a diagnosis.") > 8
    )
    assert sentences('Is it red? "It is 38.5 C (101.3 F)." Yes.\n- one\n- two') == [
        "Is it red?",
        '"It is 38.5 C (101.3 F).',
        "Yes.",
        "one",
        "two",
    ]
    for bad in ("You have an infection.", "Don't worry.", "You should have come.", "Take 400 mg.", "**Now**"):
        assert any(re.search(pattern, bad, re.IGNORECASE) for pattern in FORBIDDEN), bad
    for good in ("If you have a polyp, ask.", "Tell them that you have an infection."):
        assert not any(re.search(pattern, good, re.IGNORECASE) for pattern in FORBIDDEN), good


# ------------------------------------------------------------------ responses
@pytest.mark.parametrize("name", DOMAIN["responses"])
def test_what_is_said_is_never_left_to_chance(name: str) -> None:
    """At most one variation for each condition, and one without: Rasa picks at random among the fitting."""
    conditions = [json.dumps(v.get("condition")) for v in DOMAIN["responses"][name]]
    assert len(conditions) == len(set(conditions))
    assert conditions.count("null") == 1
    asked = {c["name"] for v in DOMAIN["responses"][name] for c in v.get("condition", [])}
    assert len(asked) <= 1
    assert all(len(v.get("condition", [0])) == 1 for v in DOMAIN["responses"][name])


@pytest.mark.parametrize("where", RESPONSES)
def test_a_message_fits_on_a_phone(where: str) -> None:
    text = RESPONSES[where]["text"]
    assert where.split("[")[0] in LONGER or len(text) <= LONGEST_MESSAGE
    assert "\n\n" not in text  # a channel would cut the message there


@pytest.mark.parametrize("where", RESPONSES)
def test_buttons_fit_and_carry_known_values(where: str) -> None:
    buttons = RESPONSES[where].get("buttons", [])
    assert len({button["title"] for button in buttons}) == len(buttons)
    assert len({button["payload"] for button in buttons}) == len(buttons)
    intents = {next(iter(intent)) for intent in DOMAIN["intents"]}
    for button in buttons:
        assert len(button["title"]) <= LONGEST_TITLE
        payload = button["payload"].replace("{{", "{").replace("}}", "}")
        assert len(payload.encode()) <= LONGEST_PAYLOAD
        intent, brace, facts = payload.removeprefix("/").partition("{")
        assert payload.startswith("/") and intent in intents
        for name, value in json.loads(brace + facts or "{}").items():
            assert value in VALUES[name]["values"], payload


@pytest.mark.parametrize(
    "where", [w for w in RESPONSES if w.startswith("utter_ask_") and "correction" not in w]
)
def test_every_question_can_be_left_open(where: str) -> None:
    buttons = [(button["title"], button["payload"]) for button in RESPONSES[where]["buttons"]]
    assert buttons[-2:] == [("Not sure", "/dont_know"), ("Rather not say", "/skip_question")]


# ------------------------------------------------------------------ what is always said
def said(name: str, condition: str | None = None) -> str:
    for variation in DOMAIN["responses"][name]:
        if condition in (None, variation.get("condition", [{}])[0].get("value")):
            return str(variation["text"])
    raise AssertionError(f"{name} says nothing for {condition}")


@pytest.mark.parametrize("level", ["emergency", "same_day", "soon", "routine", "self_care"])
def test_each_level_says_what_to_do_and_how_soon(level: str) -> None:
    words = {
        "emergency": "now",
        "same_day": "today",
        "soon": "2 weeks",
        "routine": "routine",
        "self_care": "24 hours",
    }
    assert words[level] in said("utter_what_to_do", level)


@pytest.mark.parametrize(
    "words", ["24 hours", "heavy", "doctor", "112, 911 or 999", "pregnant", "12 months", "not wanted"]
)
def test_the_criteria_are_whole(words: str) -> None:
    assert words in said("utter_criteria")


@pytest.mark.parametrize(
    "name",
    ["utter_emergency", "utter_emergency_again", "utter_assault_danger", "utter_assault", "utter_self_harm",
     "utter_under_13", "utter_greet", "utter_intro", "utter_restart", "utter_default", "utter_safe_words"],
)  # fmt: skip
def test_where_numbers_belong(name: str) -> None:
    for variation in DOMAIN["responses"][name]:
        assert re.search(r"112, 911 or 999", variation["text"])


def test_the_number_comes_first_in_an_emergency() -> None:
    for variation in DOMAIN["responses"]["utter_emergency"]:
        assert "emergency" in variation["text"].splitlines()[0]
        assert "112" in variation["text"].splitlines()[1]


def test_limits_and_calm() -> None:
    assert "not a doctor" in said("utter_limits") and "diagnose" in said("utter_limits")
    assert "not to panic" in said("utter_calm")
    assert "Numbers differ by country" in said("utter_emergency")
