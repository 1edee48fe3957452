"""What people ask about the assistant itself: why it asks, what it noted, its sources, and to forget it."""

from __future__ import annotations

from collections import Counter

from rasa_sdk.events import AllSlotsReset, EventType, Restarted

from actions import wording
from actions.safe_action import SafeAction
from actions.turn import Turn
from spotwise.content import Cause, Fact, Knowledge, Rule, Source
from spotwise.lookup import cited, facts_about, last_checked
from spotwise.summary import summarise

MOST_SOURCES = 8
NOT_PAGES = {"SEED", "GMK", "OWN"}


class ExplainQuestion(SafeAction):
    """Why the assistant asks what it asks."""

    called = "action_explain_question"

    def act(self, turn: Turn) -> list[EventType]:
        """Tell the reason for the question that is open, else for asking at all."""
        open_question = turn.slot("requested_slot")
        reasons = {question.slot: question.why for question in turn.knowledge.questions}
        turn.tell(reasons.get(open_question, wording.WHY_I_ASK))
        return []


class Summarise(SafeAction):
    """A short summary to show to a doctor."""

    called = "action_summarise"

    def act(self, turn: Turn) -> list[EventType]:
        """Tell the summary, or that there is nothing to sum up."""
        if not turn.told_something:
            turn.tell(wording.NOTHING_TOLD)
            turn.say("utter_offer_start")
            return []
        reasons = tuple(turn.slot("urgency_reasons") or ()) if turn.level else ()
        for message in summarise(turn.facts, turn.level, reasons, turn.knowledge):
            turn.tell(message)
        turn.tell(wording.YOURS_TO_SHOW)
        return []


class ShowSources(SafeAction):
    """Where the content is from, when it was checked, and that no clinician has reviewed it."""

    called = "action_show_sources"

    def act(self, turn: Turn) -> list[EventType]:
        """Tell the article, the main sources, the date and the limits."""
        knowledge = turn.knowledge
        article = wording.THE_ARTICLE.format(source=in_full(knowledge.source("SEED")))
        about_it = (*facts_about(knowledge, "source"), knowledge.fact("A6"))
        turn.tell(article, *(fact.text for fact in about_it))
        turn.tell(wording.LEANS_ON, *(f"- {in_full(source)}" for source in most_used(knowledge)))
        turn.tell(
            wording.PARTLY_READ,
            wording.CHECKED_SINCE.format(day=last_checked(knowledge)),
            wording.NO_REVIEW_OF_TOOL,
        )
        return []


def in_full(source: Source) -> str:
    """A source with its year and link."""
    parts = (cited(source), wording.YEAR.format(year=source.year), source.link)
    return " ".join(part for part in parts if part)


def most_used(knowledge: Knowledge) -> list[Source]:
    """The sources that the most facts, causes and rules rest on."""
    entries: tuple[Fact | Cause | Rule, ...] = (*knowledge.facts, *knowledge.causes, *knowledge.rules)
    uses = Counter(id for entry in entries for id in entry.sources if id not in NOT_PAGES)
    return [knowledge.source(id) for id, _ in uses.most_common(MOST_SOURCES)]


class DeleteData(SafeAction):
    """Forget everything. The channel deletes what is stored when it sees the payload."""

    called = "action_delete_data"

    def act(self, turn: Turn) -> list[EventType]:
        """Tell the channel to delete, say so, and empty the talk."""
        turn.send({"spotwise": "delete"})
        turn.say("utter_deleted")
        return [AllSlotsReset(), Restarted()]
