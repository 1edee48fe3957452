"""A conversation as the page shows it, read from what the tracker store holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rasa.shared.core.events import (
    ActionExecuted,
    AllSlotsReset,
    BotUttered,
    Event,
    Restarted,
    SessionStarted,
    SlotSet,
    UserUttered,
)

from spotwise.content import Knowledge

Message = dict[str, Any]


@dataclass
class Told:
    """One turn: what the person sent, and what followed."""

    text: str
    number: str
    messages: list[Message] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    slots: dict[str, Any] = field(default_factory=dict)
    """The slots at the end of the turn."""


def turns_of(events: Iterable[Event]) -> list[Told]:
    """The turns of a conversation since it began, or began again."""
    turns: list[Told] = []
    slots: dict[str, Any] = {}
    for event in events:
        if isinstance(event, UserUttered):
            turns.append(Told(event.text or "", event.message_id or ""))
        elif isinstance(event, SlotSet):
            slots[event.key] = event.value
        elif isinstance(event, (AllSlotsReset, SessionStarted)):
            slots.clear()
        elif isinstance(event, Restarted):
            slots.clear()
            del turns[:-1]
        elif turns and isinstance(event, ActionExecuted):
            turns[-1].actions.append(event.action_name or "")
        elif turns and isinstance(event, BotUttered):
            turns[-1].messages.append(event.message())
        if turns:
            turns[-1].slots = dict(slots)
    return turns


class Titles:
    """What was written on a button, found by what it sends."""

    def __init__(self, responses: Mapping[str, Any], knowledge: Knowledge) -> None:
        """Know every button that the assistant can offer."""
        self._titles = {
            button["payload"].replace("{{", "{").replace("}}", "}"): str(button["title"])
            for variations in responses.values()
            for variation in variations
            for button in variation.get("buttons") or ()
        }
        asking = "/ask_about_cause" + '{{"cause":"{id}"}}'
        self._titles.update({asking.format(id=cause.id): cause.name for cause in knowledge.causes})

    def shown(self, text: str) -> str:
        """The words on the button that sends this; any other text as it is."""
        if not text.startswith("/") or text in self._titles:
            return self._titles.get(text, text)
        titles = [self._titles.get(part) for part in _single(text)]
        return ", ".join(title for title in titles if title) or text.removeprefix("/").partition("{")[0]


def _single(payload: str) -> Iterator[str]:
    """The payloads of the buttons that a payload of several answers, or of a changed answer, is made of."""
    try:
        facts = json.loads(payload[payload.index("{") :])
    except ValueError:
        return
    for slot, values in facts.items():
        for value in values if isinstance(values, list) else [values]:
            yield f"/describe_spotting{json.dumps({slot: value}, separators=(',', ':'))}"
            if value in ("unsure", "undisclosed"):
                yield "/dont_know"
