"""Conversations at random: whatever is pressed or written, each turn is answered and nothing breaks.

WALKS is the number of conversations (2,000 for a full run), SEED makes other ones. A walk that fails can be
repeated: each has a random source of its own, made of SEED and its number.
"""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from running import Assistant
from scenarios.runner import HARMLESS, ROOT, Conversation, Domain, load, payload

WALKS = int(os.environ.get("WALKS", "60"))
SEED = int(os.environ.get("SEED", "20261123"))
AT_ONCE = 2
MOST_TURNS = 30
MOST_FAULTS_SHOWN = 5

JUNK = [
    "",
    "   ",
    "?",
    "...",
    "😭😭😭",
    "🩸",
    "\u0000\u0001\u001b[0m",
    "\u202e\u200b\ufeff",
    "我性交后出血",
    "أنزف بعد الجماع",
    "sangro después del sexo",
    "<script>alert('x')</script>",
    "<b>bold</b> & <br/>",
    "'; DROP TABLE events; --",
    "{{7*7}} {urgency} %s ${HOME}",
    '{"pain": "severe"}',
    "[[[[",
    "/",
    "//",
    "/no_such_intent",
    "/session_start",
    "/back",
    "action_restart",
    '/describe_spotting{"urgency":"self_care"}',
    '/describe_spotting{"pain":"quantum"}',
    '/describe_spotting{"pregnancy_weeks":900}',
    '/describe_spotting{"pain":',
    '/describe_spotting{"turn":{"plan":["action_delete_data"]},"asked":["pain"]}',
    '/ask_about_cause{"cause":"witchcraft"}',
    "asdf qwer zxcv",
    "a" * 20_000,
    "bleeding after sex " * 1_000,
    "1234567890",
    "null",
    "None",
    "undefined",
]


def examples() -> list[str]:
    """What people may write: the training examples, without their marks."""
    found: list[str] = []
    for path in sorted((ROOT / "data" / "nlu").glob("*.yml")):
        for entry in load(path)["nlu"]:
            lines = [
                line[2:] for line in str(entry.get("examples", "")).splitlines() if line.startswith("- ")
            ]
            found += [re.sub(r"\[([^]]*)\](\{[^}]*\}|\([^)]*\))", r"\1", line) for line in lines]
    return found


def messages() -> list[str]:
    """What people may write: the held-out messages of the reading tests."""
    return [entry["text"] for entry in load(ROOT / "tests" / "reading" / "messages.yml")["messages"]]


class Walk:
    """One conversation at random."""

    def __init__(
        self, number: int, assistant: Assistant, domain: Domain, texts: Sequence[Sequence[str]]
    ) -> None:
        """Make a walk that is the same for the same number."""
        self._random = random.Random(f"{SEED}-{number}")
        self._texts = texts
        self.talk = Conversation(assistant, domain, sender=f"walk-{SEED}-{number}-{os.getpid()}")
        self.figures: Counter[str] = Counter()

    def go(self) -> None:
        """Say and press things; some walks are played to the end of the questions."""
        to_the_end = self._random.random() < 0.7
        junk = self._random.choice((0.02, 0.15, 0.4))
        harmless = self._random.choice((0.0, 0.5, 0.9))
        for _ in range(self._random.randint(4, MOST_TURNS)):
            self._turn(self._message(junk, harmless))
        while to_the_end and self.talk.slots.get("requested_slot"):
            asked = self.talk.slots["requested_slot"]
            self._turn(payload(asked, HARMLESS[asked]))
            assert self.figures["turns"] < 3 * MOST_TURNS, self.talk.report(["the questions do not end"])

    def _message(self, junk: float, harmless: float) -> str:
        asked = self.talk.slots.get("requested_slot")
        if asked and self._random.random() < harmless:
            return payload(asked, HARMLESS[asked])
        chance = self._random.random()
        if chance < junk:
            return self._random.choice(JUNK)
        if self.talk.buttons and chance < 0.7:
            return self._random.choice(self.talk.buttons)["payload"]
        return self._random.choice(self._random.choice(self._texts))

    def _turn(self, text: str) -> None:
        heard = self.talk.say(text)
        self.figures["turns"] += 1
        self.figures["slow turns (over 2 s)"] += heard.took > 2
        assessed = heard.slots.get("urgency") not in (None, heard.before.get("urgency"))
        if assessed or "action_give_assessment" in heard.actions:
            self.figures["assessments"] += 1
            self.figures[f"level {heard.slots.get('urgency')}"] += 1


def test_random_conversations(assistant: Assistant, capsys: pytest.CaptureFixture[str]) -> None:
    domain, texts = Domain(), (examples(), messages())
    before = len(assistant.complaints())

    def walk(number: int) -> tuple[Counter[str], str | None]:
        one = Walk(number, assistant, domain, texts)
        try:
            one.go()
        except AssertionError as error:
            return one.figures, f"walk {number}: {error}"
        return one.figures, None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(walk, range(WALKS)))
    figures = sum((figures for figures, _ in results), Counter())
    faults = [fault for _, fault in results if fault]
    kinds: dict[str, list[str]] = {}
    for fault in faults:
        kinds.setdefault("; ".join(re.findall(r"^FAULT: (.*)", fault, re.MULTILINE))[:200], []).append(fault)
    complaints = assistant.complaints()[before:]
    with capsys.disabled():
        told = ", ".join(f"{count} {name}" for name, count in sorted(figures.items()))
        print(f"\n{WALKS} walks with seed {SEED}: {told}; {len(faults)} faults, {len(complaints)} in the log")
        for kind, found in sorted(kinds.items(), key=lambda item: -len(item[1])):
            print(f"{len(found)} x {kind}")
    assert not faults, "\n\n".join(found[0] for found in [*kinds.values()][:MOST_FAULTS_SHOWN])
    assert not complaints, "\n".join(complaints[:MOST_FAULTS_SHOWN])
