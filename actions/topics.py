"""Answers to what people ask about any cause: treatment, care at home, prevention, and how common it is."""

from __future__ import annotations

from rasa_sdk.events import EventType

from actions import wording
from actions.safe_action import SafeAction
from actions.turn import Turn
from spotwise.lookup import facts_about


def tell_facts(turn: Turn, *topics: str) -> None:
    """Tell everything there is on some topics."""
    turn.tell_each(fact.text for fact in facts_about(turn.knowledge, *topics))


def tell_self_care(turn: Turn) -> None:
    """What helps with the cause in question, where there is one."""
    if turn.cause:
        turn.tell(wording.FOR_THIS_CAUSE.format(name=turn.cause.name), turn.cause.self_care)


class TellTreatment(SafeAction):
    """How it is treated: for the cause in question, then in general."""

    called = "action_tell_treatment"

    def act(self, turn: Turn) -> list[EventType]:
        """Tell what a doctor may do."""
        turn.remind()
        if turn.cause:
            heading = wording.FOR_THIS_CAUSE.format(name=turn.cause.name)
            turn.tell(heading, turn.cause.next_steps, turn.cause.treatment)
        tell_facts(turn, "treatment")
        turn.say("utter_criteria")
        return turn.remember_cause()


class TellHomeCare(SafeAction):
    """What can be done at home, and in an emergency what to do until help is there."""

    called = "action_tell_home_care"

    def act(self, turn: Turn) -> list[EventType]:
        """Tell what helps; where care cannot wait, nothing that sounds as if it could."""
        if turn.emergency:
            turn.say("utter_while_waiting", "utter_what_to_do", "utter_criteria")
            return turn.remember_cause()
        if turn.urgent:
            turn.say("utter_what_to_do")
            turn.tell_each(turn.knowledge.fact(id).text for id in ("A7", "A37"))
        else:
            tell_facts(turn, "resume_sex", "home_care")
            tell_self_care(turn)
            turn.tell(turn.knowledge.fact("A38").text)
            tell_facts(turn, "doctor_criteria")
        turn.say("utter_criteria")
        return turn.remember_cause()


class TellPrevention(SafeAction):
    """How to keep it from happening again."""

    called = "action_tell_prevention"

    def act(self, turn: Turn) -> list[EventType]:
        """Tell what may prevent it, once it has healed."""
        turn.remind()
        turn.say("utter_pause")
        tell_facts(turn, "prevention")
        if not turn.urgent:
            tell_self_care(turn)
        return turn.remember_cause()


class TellPrevalence(SafeAction):
    """How common it is, and whose numbers these are."""

    called = "action_tell_prevalence"

    def act(self, turn: Turn) -> list[EventType]:
        """Tell the name and the numbers."""
        turn.remind()
        tell_facts(turn, "name", "prevalence", "normality")
        return []
