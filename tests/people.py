"""People in the middle of their conversations, and what must hold for them whatever breaks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
from running import Assistant

OPENING = "I bleed after sex"
ANSWERS = ("none of those", "no, not pregnant", "a few spots", "it has stopped")
FACTS = (
    {"danger_signs": ["none"]},
    {"pregnancy": "no"},
    {"bleeding_amount": "spotting"},
    {"bleeding_status": "stopped"},
)
"""What is known after each answer."""

EMERGENCY = "I'm soaking a pad every 30 minutes"
NUMBERS = "112, 911 or 999"
SAFE_WORDS = "something went wrong on my side"
ANSWER_LIMIT = 10.0
"""Seconds: five are promised, and a busy machine that runs the clients too takes its time."""


class Person:
    """Somebody who has told a part of their story, and was asked the next question."""

    def __init__(self, assistant: Assistant, name: str, answers: int) -> None:
        """Begin, and give so many answers."""
        self.name = name
        self.answers = answers
        for text in (OPENING, *ANSWERS[:answers]):
            self.tell(assistant, text)
        self.question = self.asked(assistant)

    def tell(self, assistant: Assistant, text: str) -> None:
        """Tell something that has to be acknowledged."""
        messages, _ = assistant.say(self.name, text)
        assert messages and SAFE_WORDS not in said(messages), said(messages)

    def asked(self, assistant: Assistant) -> str:
        """The question that is open."""
        return str(assistant.tracker(self.name)["slots"]["requested_slot"])

    def answer_next(self, assistant: Assistant) -> None:
        """Answer the question that is open, and be asked the next one."""
        self.tell(assistant, ANSWERS[self.answers])
        before, self.question = self.question, self.asked(assistant)
        assert self.question != before, f"{self.name} was asked {before} again"
        self.answers += 1

    def is_where_they_were(self, assistant: Assistant) -> None:
        """What they told is known, nothing else is, and the same question is open."""
        slots = assistant.tracker(self.name)["slots"]
        for number, facts in enumerate(FACTS):
            for name, value in facts.items():
                known = value if number < self.answers else None
                assert slots[name] == known, f"{self.name}: {name} is {slots[name]}, not {known}"
        assert slots["requested_slot"] == self.question, f"{self.name} was asked {slots['requested_slot']}"
        self.tell(assistant, "why do you ask that?")
        assert self.asked(assistant) == self.question, f"{self.name} was not asked {self.question} again"


def people(assistant: Assistant, prefix: str) -> list[Person]:
    """Four people, each at another question."""
    return [Person(assistant, f"{prefix}-{answers}", answers) for answers in range(4)]


def said(messages: list[dict[str, Any]]) -> str:
    """All words of an answer."""
    return "\n".join(message.get("text") or "" for message in messages)


def an_emergency_is_answered(assistant: Assistant, name: str) -> None:
    """Somebody new in an emergency hears whom to call, in time."""
    messages, took = assistant.say(f"emergency-{name}", EMERGENCY)
    assert NUMBERS in said(messages)
    assert took < ANSWER_LIMIT


def nobody_is_left_alone(assistant: Assistant, name: str, everybody: list[Person]) -> None:
    """While something is broken: an emergency is heard, and everybody is answered in time."""
    an_emergency_is_answered(assistant, name)
    with ThreadPoolExecutor(len(everybody)) as pool:
        for messages, took in pool.map(lambda p: assistant.say(p.name, "why do you ask that?"), everybody):
            assert said(messages)
            assert took < ANSWER_LIMIT


def all_go_on(assistant: Assistant, everybody: list[Person]) -> None:
    """Afterwards: everybody is at their own question, with their own facts, and can answer it."""
    for person in everybody:
        person.is_where_they_were(assistant)
        person.answer_next(assistant)


def processes(assistant: Assistant, command: str) -> list[psutil.Process]:
    """The processes of an assistant that run one of the launcher's commands."""
    found = []
    for process in psutil.Process(assistant.pid).children(recursive=True):
        try:
            if process.cmdline()[-1:] == [command]:
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def kill(assistant: Assistant, command: str) -> None:
    """End such a process at once, as a crash or the kernel does."""
    (process,) = processes(assistant, command)
    process.kill()
    process.wait(10)
