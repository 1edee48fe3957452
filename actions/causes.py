"""Telling which causes there are, and about one of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rasa_sdk.events import EventType

from actions import wording
from actions.safe_action import SafeAction
from actions.turn import Turn, button, finder
from spotwise.conditions import Facts
from spotwise.content import Cause, Knowledge
from spotwise.lookup import cited, facts_on_cause, kind_named_in
from spotwise.ranking import RankedCause, rank

MOST_CAUSES = 3

FROM_THE_ARTICLE = ("vaginal_atrophy", "cervical_ectropion", "vaginal_tear", "vaginitis", "cervical_polyp")
BEYOND = (
    "pregnancy_related",
    "cervicitis_sti",
    "pid",
    "hormonal_contraception_breakthrough",
    "iud",
    "endometrial_cause",
)
CAN_BE_CANCER = {"cervical_dysplasia_or_cancer", "endometrial_cause"}

OPENING = ("A4", "A8", "A10")
"""The facts that come before a list of causes."""

Ranked = tuple[list[RankedCause], list[RankedCause]]


def fitting(facts: Facts, knowledge: Knowledge) -> Ranked:
    """The causes that fit best, and the serious ones beyond them that the answers leave open."""
    ranked = rank(facts, knowledge)
    return ranked[:MOST_CAUSES], [one for one in ranked[MOST_CAUSES:] if one.open_serious]


def tell_fitting(turn: Turn, ranked: Ranked, with_buttons: bool = False) -> None:
    """Tell the causes that fit, in short where care cannot wait."""
    likely, to_check = ranked
    listed = [one.cause for one in (*likely, *to_check)]
    cancer = can_be_cancer(ranked)
    if turn.urgent:
        turn.tell(wording.FIT_LIST, *(f"- {one.cause.name}" for one in likely))
        if to_check:
            turn.tell(wording.LESS_LIKELY_LIST, *(f"- {one.cause.name}" for one in to_check))
    else:
        turn.tell_each(why_it_fits(one) for one in likely)
        turn.tell_each(less_likely(one) for one in to_check)
    turn.tell(
        wording.MOSTLY_NOT_CANCER if cancer else "",
        wording.ASK_ABOUT_ONE if with_buttons else "",
        buttons=[button(cause) for cause in listed] if with_buttons else (),
    )


def can_be_cancer(ranked: Ranked) -> bool:
    """Whether a cause that can be cancer is among those told."""
    return bool(CAN_BE_CANCER & {one.cause.id for causes in ranked for one in causes})


def why_it_fits(one: RankedCause) -> str:
    """A cause, the person's own facts that speak for it, and what it is."""
    reasons = (wording.BECAUSE, wording.ALSO_BECAUSE)
    because = [words.format(because=fact) for words, fact in zip(reasons, one.for_, strict=False)]
    return " ".join([wording.FITS.format(name=one.cause.name), *because, first_sentence(one.cause.what)])


def less_likely(one: RankedCause) -> str:
    """A serious cause that is still open, and what it is."""
    return f"{wording.LESS_LIKELY.format(name=one.cause.name)} {first_sentence(one.cause.what)}"


def first_sentence(text: str) -> str:
    """The first sentence of a text."""
    return re.split(r"(?<=[.!?])\s", text, maxsplit=1)[0]


class ListCauses(SafeAction):
    """The causes of bleeding after sex: a list of their own where facts are known, else the common ones."""

    called = "action_list_causes"

    def act(self, turn: Turn) -> list[EventType]:
        """Tell the causes, with what is always said."""
        turn.remind()
        turn.say_calm()
        if not turn.urgent:
            turn.say("utter_what_to_do")
            turn.tell_each(turn.knowledge.fact(id).text for id in OPENING)
        if turn.told_something:
            tell_fitting(turn, fitting(turn.facts, turn.knowledge), with_buttons=True)
        else:
            self._common(turn, wording.IN_THE_ARTICLE, FROM_THE_ARTICLE)
            self._common(turn, wording.BEYOND_THE_ARTICLE, BEYOND)
            turn.tell(wording.AFTER_MENOPAUSE, turn.knowledge.fact("F6").text)
        turn.say("utter_criteria", "utter_limits")
        return []

    def _common(self, turn: Turn, heading: str, ids: Sequence[str]) -> None:
        causes = [turn.knowledge.cause(id) for id in ids]
        lines = (f"- {cause.name}. {first_sentence(cause.what)}" for cause in causes)
        turn.tell(heading, *lines, buttons=map(button, causes))


class TellCause(SafeAction):
    """One cause: what it is, who gets it, what a doctor may do, what helps, how soon, and its sources."""

    called = "action_tell_cause"

    def act(self, turn: Turn) -> list[EventType]:
        """Tell about the cause that was named, or ask which was meant."""
        if not turn.named:
            self._ask_which(turn)
            return []
        cause, *others = turn.named
        turn.remind()
        self._what_it_is(turn, cause)
        turn.tell_each(fact.text for fact in facts_on_cause(turn.knowledge, cause, turn.text))
        self._what_to_do_about_it(turn, cause)
        self._sources(turn, cause)
        if others:
            turn.tell(wording.ALSO_NAMED, buttons=map(button, others))
        return turn.remember_cause()

    def _ask_which(self, turn: Turn) -> None:
        """Ask whether a cause with a like name was meant; never guess."""
        like = finder().like(turn.text)
        if like:
            turn.say("utter_did_you_mean", buttons=list(map(button, like)))
        else:
            common = map(turn.knowledge.cause, FROM_THE_ARTICLE)
            turn.say("utter_cause_unknown", buttons=list(map(button, common)))

    def _what_it_is(self, turn: Turn, cause: Cause) -> None:
        called = wording.CALLED.format(medical_name=cause.medical_name)
        turn.tell(f"{cause.name}.", called, cause.what, cause.why_it_bleeds, cause.who)
        kind = kind_named_in(cause, turn.text)
        if kind:
            turn.tell(f"{kind.name}.", kind.what, kind.clues)
        elif cause.kinds:
            turn.tell(wording.KINDS, *(f"- {kind.name}" for kind in cause.kinds))

    def _what_to_do_about_it(self, turn: Turn, cause: Cause) -> None:
        """What a doctor may do; where care cannot wait, nothing that sounds as if it could."""
        turn.tell(wording.DOCTOR_MAY.format(next_steps=cause.next_steps, treatment=cause.treatment))
        if turn.urgent:
            return
        at_home = wording.AT_HOME.format(self_care=cause.self_care)
        how_soon = wording.HOW_SOON.format(typical_urgency=cause.typical_urgency)
        turn.tell(at_home, how_soon, wording.FOR_YOU if turn.level else "")
        if turn.level:
            turn.say("utter_what_to_do")

    def _sources(self, turn: Turn, cause: Cause) -> None:
        sources = map(turn.knowledge.source, cause.sources)
        titles = (f"- {cited(source)}" for source in sources)
        turn.tell(wording.ONLY_AN_EXAM, wording.SOURCES_OF_IT, *titles, wording.NOT_REVIEWED)
