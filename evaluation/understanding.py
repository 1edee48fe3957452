"""What the assistant makes of one message on its way from the words to the answer, without a server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import rasa.utils.log_utils
from rasa.core.agent import Agent
from rasa.shared.core.events import UserUttered

from assistant.triage_policy import understood
from evaluation import MODEL
from evaluation.sets import items
from spotwise import dialogue
from spotwise.knowledge import load_knowledge
from spotwise.reading import default_reader
from spotwise.triage import triage

FALLBACK = "nlu_fallback"
NOW = datetime(2026, 11, 22, 12)
"""When every message is sent: a Sunday, for those that name a weekday."""
URGENT = ("emergency", "same_day")

_WORDS = {
    "utter_emergency": "emergency",
    "utter_assault": "assault",
    "utter_assault_danger": "assault",
    "utter_self_harm": "self_harm",
}
"""The answers that cannot wait, and what they are for."""
_BY_RULE = {f"report_{kind}": kind for kind in _WORDS.values()}
"""The intents that the rules give these answers to."""

Parse = Callable[[str], Mapping[str, Any]]
"""Gives what Rasa's NLU found in a message."""


@dataclass(frozen=True)
class Understood:
    """A message as NLU understood it."""

    text: str
    data: Mapping[str, Any]
    milliseconds: float

    @property
    def intent(self) -> str:
        """The intent that the conversation goes by."""
        return self.data["intent"]["name"] or FALLBACK

    @property
    def ranking(self) -> list[tuple[str, float]]:
        """The intents before the fallback, best first."""
        entries = self.data["intent_ranking"]
        return [(entry["name"], entry["confidence"]) for entry in entries if entry["name"] != FALLBACK]


@dataclass(frozen=True)
class Answer:
    """What would follow from a first message: words that cannot wait, and the level of what it tells."""

    words: frozenset[str]
    level: str

    def catches(self, expect: str) -> bool:
        """Whether a red flag got what cannot wait, or, where that is enough, a level of the same day."""
        return bool(self.words) or (expect == "same_day" and self.level in URGENT)

    def mixes_up(self, expect: str) -> bool:
        """Whether it got words of another kind than it needs."""
        return bool(self.words) and expect != "same_day" and expect not in self.words


class Assistant:
    """The way of a message: NLU, and the reasoning of `spotwise`."""

    def __init__(self, parse: Parse) -> None:
        """Understand messages with this NLU."""
        self._parse = parse
        self._reader, self._knowledge = default_reader(), load_knowledge()

    @classmethod
    def trained(cls, model: Path = MODEL) -> Assistant:
        """The assistant with a trained model (`make train`)."""
        rasa.utils.log_utils.configure_structlog()
        agent, loop = Agent.load(str(model)), asyncio.new_event_loop()
        assistant = cls(lambda text: loop.run_until_complete(agent.parse_message(text)))
        assistant.understand("hello")  # what is made when it is first needed
        return assistant

    def understand(self, text: str) -> Understood:
        """Parse a message."""
        start = time.perf_counter()
        data = self._parse(text)
        return Understood(text, data, (time.perf_counter() - start) * 1000)

    def facts(self, text: str, asked: str | None = None) -> frozenset[str]:
        """The facts of the contract that a message would set, as "slot.value"; `asked` is the question."""
        slots = {"requested_slot": asked}
        heard = dialogue._Hearing(slots, self.message(text), asked is not None, self._reader, self._knowledge)
        return items(heard.changes)

    def answer(self, text: str) -> Answer:
        """What would follow from a message that begins a conversation."""
        message = self.message(text)
        turn = dialogue.hear({}, message, False, self._reader, self._knowledge)
        if turn.plan:
            words = {_WORDS[action] for action in turn.plan if action in _WORDS}
        else:
            words = {_BY_RULE[message.intent]} if message.intent in _BY_RULE else set()
        facts = {slot: turn.slots[slot] for slot in self._knowledge.vocabulary.slots if slot in turn.slots}
        return Answer(frozenset(words), triage(facts, self._knowledge).level)

    def message(self, text: str) -> dialogue.Message:
        """A message as the dialogue hears it."""
        data = self.understand(text).data
        return understood(
            UserUttered(text, data["intent"], data["entities"], data, timestamp=NOW.timestamp())
        )
