"""The result of the questions: how soon to get care and why, what it can fit with, and what to do now."""

from __future__ import annotations

from rasa_sdk.events import EventType, SlotSet

from actions import wording
from actions.causes import fitting, tell_fitting
from actions.safe_action import SafeAction
from actions.turn import Turn
from spotwise.content import Knowledge, Level, most_urgent
from spotwise.triage import Triage

ASSESSMENT = "action_give_assessment"
CAN_WAIT: tuple[Level, ...] = ("soon", "routine", "self_care")

WHY_ALWAYS_TOLD = "CR04"
"""The rule whose `why` says to take a pregnancy test."""


class GiveAssessment(SafeAction):
    """Everything that is said when the questions are over, what to do first."""

    called = ASSESSMENT

    def act(self, turn: Turn) -> list[EventType]:
        """Say the level, the reasons, the calm words, the causes, what to do now, and when to seek care."""
        level = most_urgent(level for level in (turn.level, turn.triage.level) if level)
        turn.say("utter_what_to_do")
        if turn.slot("level_before") not in (None, level):
            turn.say("utter_changed")
        self._why(turn)
        turn.say_calm()
        ranked = fitting(turn.facts, turn.knowledge)
        tell_fitting(turn, ranked)
        turn.say("utter_pause")
        if level in CAN_WAIT and ranked[0]:
            turn.tell(wording.FIRST_AT_HOME.format(self_care=ranked[0][0].cause.self_care))
        turn.say(*what_now(turn.triage, level))
        turn.say("utter_criteria", "utter_limits", "utter_next")
        return [SlotSet("level_before", None)]

    def _why(self, turn: Turn) -> None:
        """The person's own facts that decided the level, and what they can mean."""
        found = turn.triage
        if found.because:
            turn.say("utter_because", because=found.because)
        turn.tell(*whys(found, turn.knowledge))


def whys(found: Triage, knowledge: Knowledge) -> list[str]:
    """What the facts that decided the level can mean."""
    also = [WHY_ALWAYS_TOLD] if WHY_ALWAYS_TOLD in found.reasons[1:] else []
    return [why for why in (found.why, *(knowledge.rule(id).why for id in also)) if why]


def what_now(found: Triage, level: Level) -> list[str]:
    """The responses that only some results call for."""
    calls_for = {
        "utter_check_in_an_hour": "D04" in found.reasons,
        "utter_cannot_reach": level == "same_day",
        "utter_call_tomorrow": found.call_tomorrow,
        "utter_offer_visit": "R06" in found.reasons,
    }
    return [response for response, called_for in calls_for.items() if called_for]
