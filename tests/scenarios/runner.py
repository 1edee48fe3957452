"""Plays conversations written in YAML against a running assistant, and checks every turn.

A scenario reads like the conversation:

    - scenario: says the emergency advice when the person faints in the middle of a question
      turns:
      - say: I bleed after sex
        asks: danger_signs
      - say: I just fainted
        says: [utter_emergency]
        slots: {urgency: emergency}

What a person does in a turn is one of
    say: words                   sent as they are (`times: 3000` repeats them within the message)
    press: Not sure              the button with this title, among those offered last
    answer: {pain: cramps}       presses on to the end: these answers, and harmless ones to the rest
    action_server: hung          no turn, but a change behind the scenes (scenarios with `faults: true`)
and what should follow, all of it optional:
    asks: pain | nothing         the question that is open afterwards, and it was put in this turn
    says, never_says             names of responses in domain.yml
    contains, lacks              plain words, in any case of letters; `says_any` needs one of them
    slots: {pain: none}          values afterwards; lists in any order
    holds, holds_not             {danger_signs: [fever]}: values among those of a list
Every turn must also bring words, within 5 seconds, keep only values that the contract knows, and
carry the lines that belong to every assessment where it brings one.

By hand:  python tests/scenarios/runner.py URL TOKEN [part of a file's or scenario's name]
prints each conversation as it goes.
"""

from __future__ import annotations

import re
import sys
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from running import Assistant

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TIME_LIMIT = 5.0
MOST_QUESTIONS = 20

HARMLESS = {
    "danger_signs": "none",
    "pregnancy": "no",
    "pregnancy_weeks": "skip",
    "bleeding_amount": "spotting",
    "bleeding_status": "stopped",
    "pain": "none",
    "consent": "wanted",
    "age_group": "25_39",
    "periods": "menstruating",
    "episode_count": "first_time",
    "symptoms": "none",
    "contraception": "condoms",
    "medical_history": "none",
    "circumstances": "none",
}
"""What `answer` presses where a scenario does not care."""

KEYS_DONE = {"say", "press", "answer", "action_server", "times"}
KEYS_EXPECTED = {"asks", "says", "never_says", "contains", "lacks", "says_any", "slots", "holds", "holds_not"}


class Domain:
    """The words of domain.yml, and the values that the contract and slots.yml know."""

    def __init__(self) -> None:
        """Read all three files."""
        self.responses = load(ROOT / "domain.yml")["responses"]
        contract = load(ROOT / "tests" / "contract.yml")
        known = load(ROOT / "knowledge" / "slots.yml")
        self.facts = {**known["slots"], **known["finer_slots"]}
        for name, slot in contract["slots"].items():
            if name in self.facts and isinstance(slot["values"], list):
                self.facts[name] = {**self.facts[name], "values": slot["values"]}
        self.levels = contract["levels"]
        self.causes = contract["causes"]

    def variations(self, response: str) -> list[str]:
        """All texts of a response."""
        return [variation["text"] for variation in self.responses[response]]

    def said_as(self, response: str, slots: Mapping[str, Any]) -> str:
        """The text of a response that fits these slots."""
        default = ""
        for variation in self.responses[response]:
            conditions = variation.get("condition")
            if not conditions:
                default = variation["text"]
            elif all(slots.get(one["name"]) == one["value"] for one in conditions):
                return str(variation["text"])
        return str(default)

    def unknown_values(self, slots: Mapping[str, Any]) -> list[str]:
        """The values in slots that the contract does not know."""
        wrong = [
            f"{name}: {value!r}"
            for name, slot in self.facts.items()
            for value in as_list(slots.get(name))
            if not self._is_known(slot, value)
        ]
        wrong += [f"{n}: not a list" for n, s in self.facts.items() if not fits_type(s["type"], slots.get(n))]
        for name, values in (
            ("urgency", self.levels),
            ("possible_causes", self.causes),
            ("cause", self.causes),
        ):
            wrong += [f"{name}: {value!r}" for value in as_list(slots.get(name)) if value not in values]
        wrong += [
            f"urgency_reasons: {value!r}"
            for value in as_list(slots.get("urgency_reasons"))
            if not re.fullmatch(r"(E|D|S|R|W|CR)\d\d|W01-W10", str(value))
        ]
        wrong += [f"asked: {value!r}" for value in as_list(slots.get("asked")) if value not in self.facts]
        return wrong

    @staticmethod
    def _is_known(slot: Mapping[str, Any], value: object) -> bool:
        if slot["type"] == "number":
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            return is_number and slot.get("minimum", 1) <= value <= slot.get("maximum", 45)
        return value in slot["values"]


def load(path: Path) -> Any:
    """Read a YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def as_list(value: Any) -> list[Any]:
    """The values of a slot."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def fits_type(kind: str, value: Any) -> bool:
    """Whether a slot holds a list exactly where it should."""
    return value is None or (kind == "list") == isinstance(value, list)


def is_said(text: str, answers: Iterable[str]) -> bool:
    """Whether a text of the domain is among the answers; its gaps can be anything."""
    pattern = re.compile(re.sub(r"\\\{\w+\\\}", "(?s:.+)", re.escape(text.strip())))
    return any(pattern.search(answer) for answer in answers)


@dataclass
class Heard:
    """One turn: what was sent and what came of it."""

    sent: str
    answers: list[dict[str, Any]]
    took: float
    before: Mapping[str, Any]
    slots: Mapping[str, Any]
    actions: list[str]

    @property
    def texts(self) -> list[str]:
        """The words of the answers."""
        return [answer["text"] for answer in self.answers if answer.get("text")]

    @property
    def text(self) -> str:
        """The words as one, with plain quotes and lower case, for looking things up."""
        return "\n".join(self.texts).lower()


@dataclass
class Conversation:
    """A conversation with a running assistant. Each turn is checked for what every turn must have."""

    assistant: Assistant
    domain: Domain
    sender: str = field(default_factory=lambda: f"scenario-{uuid.uuid4().hex}")
    transcript: list[str] = field(default_factory=list)
    buttons: list[dict[str, str]] = field(default_factory=list)
    slots: Mapping[str, Any] = field(default_factory=dict)

    def say(self, text: str) -> Heard:
        """Send a message and check what every turn must have."""
        answers, took = self.assistant.say(self.sender, text)
        tracker = self.assistant.tracker(self.sender)
        heard = Heard(text, answers, took, self.slots, tracker["slots"], actions_of(tracker))
        self.slots = heard.slots
        offered = [button for answer in answers for button in answer.get("buttons") or ()]
        self.buttons = offered or self.buttons
        shown = text if len(text) <= 200 else f"{text[:200]}… ({len(text)} characters)"
        self.transcript.append(f"> {shown}")
        self.transcript += [f"  {line}" for line in heard.texts]
        self.transcript.append(f"  [{took:.1f} s; asks {heard.slots.get('requested_slot')}]")
        faults = list(faults_of(heard, self.domain))
        assert not faults, self.report(faults)
        return heard

    def press(self, title: str) -> Heard:
        """Press a button by its title."""
        payloads = [button["payload"] for button in self.buttons if button["title"] == title]
        assert payloads, self.report([f"there is no button '{title}'"])
        return self.say(payloads[0])

    def answer(self, answers: Mapping[str, Any]) -> Heard:
        """Press on until nothing is asked."""
        heard: Heard | None = None
        for _ in range(MOST_QUESTIONS):
            asked = self.slots.get("requested_slot")
            if asked is None:
                break
            heard = self.say(payload(asked, answers.get(asked, HARMLESS[asked])))
        assert heard is not None and self.slots.get("requested_slot") is None, self.report(
            ["no end of questions"]
        )
        return heard

    def report(self, faults: list[str]) -> str:
        """The faults, and the conversation that led to them."""
        return "\n".join(["", *(f"FAULT: {fault}" for fault in faults), "", *self.transcript])


def payload(slot: str, value: Any) -> str:
    """What a button for this answer sends; words are sent as they are."""
    named = {"skip": "/skip_question", "unsure": "/dont_know"}
    if isinstance(value, str) and value in named:
        return named[value]
    if isinstance(value, str) and " " in value:
        return value
    return "/describe_spotting" + yaml_json({slot: value})


def yaml_json(values: Mapping[str, Any]) -> str:
    """Values as a button carries them."""
    import json

    return json.dumps(values, separators=(",", ":"))


def actions_of(tracker: Mapping[str, Any]) -> list[str]:
    """The actions that ran since the latest message."""
    names: list[str] = []
    for event in reversed(tracker.get("events") or []):
        if event["event"] == "user":
            break
        if event["event"] == "action":
            names.insert(0, event["name"])
    return names


def faults_of(heard: Heard, domain: Domain) -> Iterable[str]:
    """What is wrong with a turn whatever it is about."""
    if not any(text.strip() for text in heard.texts):
        yield "nothing was said"
    if heard.took > TIME_LIMIT:
        yield f"it took {heard.took:.1f} s"
    for text in heard.texts:
        if re.search(r"\{[a-z_]+\}|\bNone\b|\bnull\b|_tip_|ongoing_under", text):
            yield f"a gap or a raw value shows: {text[:200]!r}"
    if is_said(domain.variations("utter_safe_words")[0], heard.texts):
        yield "only the channel's last resort was said"
    yield from (f"unknown value in {wrong}" for wrong in domain.unknown_values(heard.slots))
    urgency = heard.slots.get("urgency")
    assessed = urgency is not None and urgency != heard.before.get("urgency")
    if assessed or "action_give_assessment" in heard.actions:
        yield from missing_always_lines(heard, domain)
    questions = [
        name
        for name in domain.responses
        if name.startswith("utter_ask_")
        and any(is_said(text, heard.texts) for text in domain.variations(name))
    ]
    if len(questions) > 1:
        yield f"more than one question at a time: {questions}"


def missing_always_lines(heard: Heard, domain: Domain) -> Iterable[str]:
    """Which of the contract's `always` lines an assessment lacks."""
    always = {
        "the calm line": ["utter_calm", "utter_calm_emergency"],
        "what to do": ["utter_what_to_do", "utter_emergency", "utter_self_harm", "utter_assault_danger"],
        "the doctor criteria": ["utter_criteria"],
        "that it is information": ["utter_limits"],
    }
    for line, responses in always.items():
        texts = (domain.said_as(response, heard.slots) for response in responses)
        if not any(is_said(text, heard.texts) for text in texts):
            yield f"the assessment lacks {line}"


def expected_faults(heard: Heard, expected: Mapping[str, Any], domain: Domain) -> Iterable[str]:
    """Where a turn is not what the scenario says."""
    unknown = set(expected) - KEYS_DONE - KEYS_EXPECTED
    assert not unknown, f"the runner does not know {unknown}"
    if "asks" in expected:
        asks = None if expected["asks"] == "nothing" else expected["asks"]
        asked = heard.slots.get("requested_slot")
        if asked != asks:
            yield f"asks {asked}, not {asks}"
        elif asks and not any(is_said(text, heard.texts) for text in domain.variations(f"utter_ask_{asks}")):
            yield f"the question about {asks} was not put"
    for response in expected.get("says", ()):
        if not is_said(domain.said_as(response, heard.slots), heard.texts):
            yield f"does not say {response}"
    for response in expected.get("never_says", ()):
        if any(is_said(text, heard.texts) for text in domain.variations(response)):
            yield f"says {response}"
    for words in as_list(expected.get("contains")):
        if words.lower() not in heard.text:
            yield f"lacks '{words}'"
    for words in as_list(expected.get("lacks")):
        if words.lower() in heard.text:
            yield f"says '{words}'"
    any_of = as_list(expected.get("says_any"))
    if any_of and not any(words.lower() in heard.text for words in any_of):
        yield f"says none of {any_of}"
    for name, value in (expected.get("slots") or {}).items():
        is_now = heard.slots.get(name)
        same = sorted(is_now or []) == sorted(value) if isinstance(value, list) else is_now == value
        if not same:
            yield f"{name} is {is_now!r}, not {value!r}"
    for name, values in (expected.get("holds") or {}).items():
        for value in as_list(values):
            if value not in as_list(heard.slots.get(name)):
                yield f"{name} is {heard.slots.get(name)!r}, without {value}"
    for name, values in (expected.get("holds_not") or {}).items():
        for value in as_list(values):
            if value in as_list(heard.slots.get(name)):
                yield f"{name} is {heard.slots.get(name)!r}, with {value}"


def play(scenario: Mapping[str, Any], assistant: Assistant, domain: Domain) -> Conversation:
    """Play a scenario; AssertionError with the conversation where a turn is not what it should be."""
    conversation = Conversation(assistant, domain)
    for turn in scenario["turns"]:
        if "action_server" in turn:
            assistant.action_server(str(turn["action_server"]))
            conversation.transcript.append(f"  [the action server is {turn['action_server']}]")
            continue
        if "say" in turn:
            heard = conversation.say(str(turn["say"]) * turn.get("times", 1))
        elif "press" in turn:
            heard = conversation.press(str(turn["press"]))
        else:
            heard = conversation.answer(turn["answer"] or {})
        faults = list(expected_faults(heard, turn, domain))
        assert not faults, conversation.report(faults)
    return conversation


def scenarios() -> Iterable[tuple[str, Mapping[str, Any]]]:
    """All scenarios, each with the name of its file, which is the behaviour it shows."""
    for path in sorted(HERE.glob("*.yml")):
        for scenario in load(path)["scenarios"]:
            yield path.stem, scenario


def main() -> None:
    """Play what was asked for and show it."""
    sys.path.insert(0, str(HERE.parent))
    from running import Assistant

    url, token, *parts = sys.argv[1:]
    part = parts[0] if parts else ""
    failed = 0
    for behaviour, scenario in scenarios():
        if part in f"{behaviour}: {scenario['scenario']}" and not scenario.get("faults"):
            print(f"\n=== {behaviour}: {scenario['scenario']}")
            try:
                print("\n".join(play(scenario, Assistant(url, token), Domain()).transcript))
            except AssertionError as error:
                failed += 1
                print(error)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
