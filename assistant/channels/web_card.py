"""What the page shows beside the messages: the assessment as one card, how far along it is, what was told.

All of it is worked out here, in the Rasa process, from the slots of the conversation, with the same parts
that the actions are made of. So it is there too while the action server is down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator

from actions import wording
from actions.assessment import ASSESSMENT, CAN_WAIT, what_now, whys
from actions.causes import can_be_cancer, first_sentence, fitting, less_likely, why_it_fits
from actions.turn import URGENT
from spotwise.content import Knowledge, Level, most_urgent
from spotwise.facts import facts_of
from spotwise.interview import progress
from spotwise.ranking import RankedCause
from spotwise.reading import LISTS
from spotwise.summary import LEVELS_IN_WORDS, in_words, summarise
from spotwise.triage import triage

EMERGENCY = "utter_emergency"
FULLEST = 5
"""Steps of the bar that shows how well a cause fits."""
STEP = 2.0
"""Points of the ranking that are a step; the best fits score 8 and more."""
ASKS = "utter_ask_"

Card = dict[str, Any]


class Cards:
    """Makes cards in the words of domain.yml."""

    def __init__(self, responses: Mapping[str, Any], knowledge: Knowledge) -> None:
        """Use these responses and this medical content."""
        self._says = TemplatedNaturalLanguageGenerator(dict(responses))
        self._knowledge = knowledge

    def card(self, actions: Sequence[str], slots: Mapping[str, Any]) -> tuple[Card, frozenset[str]] | None:
        """The card of a turn with these actions that left these slots, with the lines it says; or nothing."""
        assessed = ASSESSMENT in actions
        if not assessed and not (EMERGENCY in actions and slots.get("urgency") == "emergency"):
            return None
        facts = facts_of(slots, self._knowledge.vocabulary)
        found = triage(facts, self._knowledge)
        given = LEVELS_IN_WORDS.keys() & {slots.get("urgency")}
        level = most_urgent([*given, found.level])
        # In an emergency, the action comes first; of the rest only what was said in that turn.
        said = EMERGENCY if not assessed else "utter_what_to_do"
        do = self._lines([said], {**slots, "urgency": level, "emergency_variant": found.variant})
        changed = ["utter_changed"] if slots.get("level_before") not in (None, level) and assessed else []
        because = ["utter_because"] if found.because else []
        card: Card = {
            "level": level,
            "title": _sentence(LEVELS_IN_WORDS[level]),
            "do": do,
            "why": [*self._lines(because, {"because": found.because}), *(whys(found, self._knowledge))],
            "changed": self._lines(changed),
            "calm": self._lines(["utter_calm_emergency" if level == "emergency" else "utter_calm"]),
            "also": self._lines(what_now(found, level)) if assessed else [],
            "now": self._lines(["utter_pause" if assessed else "utter_while_waiting"]),
            "criteria": self._lines(["utter_criteria"]),
            "limits": self._lines(["utter_limits"]),
            "note": self._note(facts, level, slots),
            "causes": [],
        }
        says = _lines_in(card) | set(self._lines(["utter_action_failed"]))  # here, all was looked up
        if assessed:
            says |= self._add_causes(card, facts, level)
        return card, frozenset(says)

    def _add_causes(self, card: Card, facts: Mapping[str, Any], level: Level) -> set[str]:
        """Put the causes on the card; give the lines in which the messages tell them."""
        likely, to_check = ranked = fitting(facts, self._knowledge)
        card["causes"] = [_cause(one, likely=one in likely) for one in (*likely, *to_check)]
        if can_be_cancer(ranked):
            card["reassurance"] = wording.MOSTLY_NOT_CANCER
        if level in CAN_WAIT and likely:
            card["now"].append(wording.FIRST_AT_HOME.format(self_care=likely[0].cause.self_care))
        told = [*map(why_it_fits, likely), *map(less_likely, to_check), wording.MOSTLY_NOT_CANCER]
        if level in URGENT:
            headings = [wording.FIT_LIST, wording.LESS_LIKELY_LIST]
            told += [*headings, *(f"- {one.cause.name}" for one in (*likely, *to_check))]
        return _lines_in(card) | {line for text in told for line in text.splitlines()}

    def _note(self, facts: Mapping[str, Any], level: Level, slots: Mapping[str, Any]) -> list[str]:
        """The summary for a doctor or nurse."""
        reasons = tuple(slots.get("urgency_reasons") or ())
        return summarise(facts, level, reasons, self._knowledge)

    def _lines(self, responses: Iterable[str], slots: Mapping[str, Any] | None = None) -> list[str]:
        """The lines of some responses, as they are said with these slots."""
        said = (self._says.generate_from_slots(name, dict(slots or {}), "web") or {} for name in responses)
        return [line for message in said for line in str(message.get("text") or "").splitlines()]

    # --- beside the questions ---

    def progress(self, slots: Mapping[str, Any]) -> dict[str, int]:
        """How many questions are answered, of how many for this person so far."""
        facts = facts_of(slots, self._knowledge.vocabulary)
        answered, total = progress(facts, slots.get("asked") or (), self._knowledge)
        return {"answered": answered, "total": total}

    def question(self, response: str) -> dict[str, Any] | None:
        """What a response asks for, if it is a question: the slot, and whether several answers fit."""
        slot = response.removeprefix(ASKS)
        found = next((question for question in self._knowledge.questions if question.slot == slot), None)
        if found is None or slot == response:
            return None
        return {
            "slot": slot,
            "many": slot in LISTS,
            "/dont_know": found.unanswered,
            "/skip_question": found.declined,
        }

    def told(self, slots: Mapping[str, Any]) -> dict[str, dict[str, str]]:
        """The values of each list that was told, in words: what a change of the list begins with."""
        facts = facts_of(slots, self._knowledge.vocabulary)
        return {
            slot: {value: in_words({slot: [value]}, slot) for value in facts[slot]}
            for slot in LISTS
            if slot in facts
        }


def _cause(one: RankedCause, likely: bool) -> dict[str, Any]:
    """A cause as the card shows it. The steps rank; they are no probability."""
    return {
        "name": one.cause.name,
        "fit": max(1, min(FULLEST, int(one.score // STEP) + 1)),
        "likely": likely,
        "reasons": [_sentence(reason) for reason in one.for_],
        "what": first_sentence(one.cause.what),
    }


def _sentence(words: str) -> str:
    """Words that begin like a sentence."""
    return words[:1].upper() + words[1:]


def _lines_in(part: Any) -> set[str]:
    """Every line of text somewhere in a card."""
    if isinstance(part, str):
        return set(part.splitlines())
    parts = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return {line for inner in parts for line in _lines_in(inner)}
