"""One turn of the talk, as the actions see it: what is known, and saying things."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from spotwise.conditions import values_of
from spotwise.content import LEVELS, Cause, Knowledge, Level
from spotwise.facts import facts_of
from spotwise.knowledge import load_knowledge
from spotwise.lookup import CauseFinder, packed
from spotwise.triage import Triage, triage

URGENT: tuple[Level, ...] = ("emergency", "same_day")
"""The levels at which what to do comes before everything else."""

NOT_ABOUT_THE_BLEEDING = {"person", "unanswered"}
FEELINGS = {"worried", "self_harm"}

Button = dict[str, str]


@lru_cache(maxsize=1)
def finder() -> CauseFinder:
    """Finds the causes that a text names."""
    return CauseFinder(load_knowledge().causes)


def button(cause: Cause) -> Button:
    """A button that asks about a cause."""
    payload = json.dumps({"cause": cause.id}, separators=(",", ":"))
    return {"title": cause.name, "payload": f"/ask_about_cause{payload}"}


def _causes(names: Iterable[object]) -> tuple[Cause, ...]:
    """The causes of these ids or lay names, each once."""
    found = (cause for name in names if name for cause in finder().named_in(str(name)))
    return tuple({cause.id: cause for cause in found}.values())


class Turn:
    """What an action needs of the dispatcher, the tracker and the knowledge."""

    def __init__(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> None:
        """Look at one turn."""
        self._dispatcher = dispatcher
        self._tracker = tracker

    # --- what is known ---

    @cached_property
    def knowledge(self) -> Knowledge:
        """The medical content."""
        return load_knowledge()

    @cached_property
    def facts(self) -> dict[str, object]:
        """What the person told."""
        return dict(facts_of(self._tracker.slots))

    @property
    def told_something(self) -> bool:
        """Whether anything is known about the bleeding."""
        told = {slot for slot, value in self.facts.items() if value not in (None, [])}
        if set(values_of(self.facts, "details")) <= FEELINGS:
            told.discard("details")
        return bool(told - NOT_ABOUT_THE_BLEEDING)

    @cached_property
    def triage(self) -> Triage:
        """How urgent it is by the facts told so far."""
        return triage(self.facts, self.knowledge)

    @property
    def level(self) -> Level | None:
        """The level the person was given, if any."""
        return next((level for level in LEVELS if level == self.slot("urgency")), None)

    @property
    def urgent(self) -> bool:
        """Whether the person needs care today or now, by what they were told or by what they told."""
        return self.level in URGENT or (self.told_something and self.triage.level in URGENT)

    @property
    def emergency(self) -> bool:
        """Whether the person needs care now."""
        return self.level == "emergency" or (self.told_something and self.triage.level == "emergency")

    @property
    def text(self) -> str:
        """The words of the latest message, or its button."""
        return str(self._tracker.latest_message.get("text") or "")

    def slot(self, name: str) -> Any:
        """The value of a slot; None where there is none."""
        return self._tracker.slots.get(name)

    @cached_property
    def named(self) -> tuple[Cause, ...]:
        """The causes the latest message names."""
        by_entity = _causes(self._tracker.get_latest_entity_values("cause"))
        return by_entity or finder().named_in(self.text)

    @cached_property
    def cause(self) -> Cause | None:
        """The cause in question: just named, talked about last, or the best fit of the assessment."""
        talked_about = _causes([self.slot("cause"), *(self.slot("possible_causes") or ())])
        return next(iter((*self.named, *talked_about)), None)

    # --- saying things ---

    def say(self, *responses: str, **filled: Any) -> None:
        """Say responses of domain.yml; `filled` are the values for their gaps, or buttons."""
        for response in responses:
            self._dispatcher.utter_message(response=response, **filled)

    def tell(self, *lines: str, buttons: Iterable[Button] = ()) -> None:
        """Say one message with these lines; empty ones are left out."""
        text = "\n".join(line for line in lines if line)
        if text:
            self._dispatcher.utter_message(text=text, buttons=list(buttons))

    def tell_each(self, texts: Iterable[str]) -> None:
        """Say texts in as few messages as stay short."""
        for message in packed(texts):
            self.tell(message)

    def send(self, data: dict[str, str]) -> None:
        """Send the channel something that is not for reading."""
        self._dispatcher.utter_message(json_message=data)

    def say_calm(self) -> None:
        """The line of calm that fits the level."""
        self.say("utter_calm_emergency" if self.emergency else "utter_calm")

    def remind(self) -> None:
        """Say again what to do where it cannot wait."""
        if self.urgent:
            self.say("utter_what_to_do")

    def remember_cause(self) -> list[EventType]:
        """Keep the cause just named as the one talked about."""
        return [SlotSet("cause", self.named[0].id)] if self.named else []
