"""Which question the form asks next, and when it is over.

Rasa calls `validate_spotting_form` after every answer. It runs in the Rasa process
(assistant/action_endpoint.py), so the questions go on while the action server is down. The answers
themselves were noted before, by the triage policy.
"""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import ActionExecutionRejection

from spotwise.dialogue import FORM, NO_ANSWER, assess
from spotwise.facts import facts_of
from spotwise.interview import next_question, style
from spotwise.knowledge import load_knowledge


class ValidateSpottingForm(Action):  # type: ignore[misc]  # rasa_sdk has no types
    """Sets the next question, or ends the form with the assessment in the slots."""

    def name(self) -> str:
        """The name Rasa derives from the form's."""
        return f"validate_{FORM}"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[EventType]:
        """Give the slots that steer the form.

        Raises ActionExecutionRejection where the message was no answer, so that the rules answer it first.
        """
        if not _goes_on(tracker):
            raise ActionExecutionRejection(self.name(), NO_ANSWER)
        knowledge = load_knowledge()
        facts = facts_of(tracker.slots, knowledge.vocabulary)
        slot = next_question(facts, tracker.slots.get("asked") or (), knowledge)
        # Setting a slot besides requested_slot tells Rasa that the answer was accepted.
        events = [SlotSet("asked", tracker.slots.get("asked") or [])]
        if (tracker.slots.get("question_style") or "first") == "first":
            events.append(SlotSet("question_style", style(slot, facts)))
        if slot is None:
            assessment = assess(
                facts, tracker.slots.get("urgency") or tracker.slots.get("level_before"), knowledge
            )
            events += [SlotSet(name, value) for name, value in assessment.items()]
        return [*events, SlotSet("requested_slot", slot)]


def _goes_on(tracker: Tracker) -> bool:
    """Whether the form takes the turn: it begins, comes back after another action, or got an answer."""
    in_form = (tracker.active_loop or {}).get("name") == FORM
    if not in_form or _done_since(tracker) - {FORM}:
        return True
    return FORM in (tracker.slots.get("turn") or {}).get("plan", ())


def _done_since(tracker: Tracker) -> set[str]:
    """The actions since the latest message; Rasa adds the form itself before it asks for validation."""
    done: set[str] = set()
    for event in reversed(tracker.events):
        if event["event"] == "user":
            break
        if event["event"] == "action":
            done.add(event["name"])
    return done
