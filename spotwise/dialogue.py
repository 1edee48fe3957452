"""What a message changes, and what has to be said before anything else.

This is the part of the conversation that must not depend on a classifier or on another process: facts are
noted, the urgency rules run, and emergencies, crises and answers that cannot be used are dealt with. All
else is left to the rules and stories of the assistant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from spotwise import facts as facts_
from spotwise import interview
from spotwise.knowledge import Knowledge
from spotwise.ranking import rank, shown
from spotwise.reading import LISTS, Answer, Reader, Reading, meaning_of
from spotwise.summary import TITLES, in_words
from spotwise.triage import Triage, triage

FORM = "spotting_form"
NO_ANSWER = "the message does not answer the question"
"""Why the form leaves a message to the rules."""
SURE = 0.6
"""From this confidence on, an intent counts where it changes what happens; measured in docs/nlu.md."""
CRISIS = 0.9
"""From this confidence on, the intent tells of assault, where no sign speaks of something else."""
SELF_HARM_LIKELY = 0.7
"""From this likelihood on, the meaning tells of self-harm (measured on all red flags)."""
_SIGN_OF = {"report_assault": "assault", "report_self_harm": "self_harm"}
SIGN_LIKELY = 0.9
"""From this likelihood on, the meaning alone tells a danger sign (docs/evaluation.md)."""
SIGN_SURE = 0.99
"""The same where the words deny the sign, or tell of it as past, an if, or somebody else's."""
SIGN_OUT_OF_PLACE = 0.95
"""The same, together with how likely it is this sign, where the question asked is about something else."""
ANSWER_LIKELY = 0.65
"""From this likelihood on, an answer that no phrase fits is taken by its meaning (docs/evaluation.md)."""
ONE_OF_MANY_LIKELY = 0.5
"""The same for a question with many answers."""
NONE_LIKELY = 0.95
"""The same for "none of these": to miss one is worse than to ask again."""
MOST_WORDS = 60
"""Words of an answer; the meaning of a longer text is no single value."""
LONGEST_TOLD = 150
"""Words of a message whose meaning as a whole can be told; in longer ones, only phrases are read."""
MOST_WORDS_OF_AN_ANSWER = 6
"""Words of a message that is nothing but an answer, as "I don't know, sorry"."""
SIMPLER_AFTER = 2
GIVE_UP_AFTER = 4
KEPT = 80
"""Characters of an answer that are kept until the question is answered, to notice the same words again."""
SIGNS = frozenset({"danger_signs", "bleeding_amount", "pain"})
"""Questions about an emergency sign: "not sure" is asked once more in simpler words (CR03)."""
_ASKS_OF_THE_BODY = frozenset(
    {"danger_signs", "bleeding_amount", "bleeding_status", "pain", "symptoms", "circumstances"}
)
_TOLD_AT: Mapping[str, frozenset[str]] = {
    "assault": frozenset({"danger_signs", "consent", "circumstances"}),
    "self_harm": frozenset({"danger_signs"}),
}
"""The questions whose answers are likely to tell of it; for other signs, those about the body."""

BARE_ANSWERS: Mapping[str, Answer] = {
    "affirm": "yes",
    "deny": "no",
    "dont_know": "unsure",
    "skip_question": "decline",
}
ANSWERING = frozenset(
    {
        *BARE_ANSWERS,
        "describe_spotting",
        "correct_answer",
        "nlu_fallback",
        "report_emergency",
        "report_assault",
    }
)
"""Intents that answer a question or tell something; the others are digressions with their own answer."""
TELLING = ANSWERING | {"express_worry", "report_self_harm"}
"""Intents of messages that may tell a danger sign by their meaning alone."""
LEAVING = frozenset({"goodbye", "restart", "delete_my_data"})
_UNWANTED = ("consent", "unwanted")
HELP_NOW = ("utter_emergency", "utter_calm_emergency", "utter_criteria", "utter_limits")
"""Said where a message means an emergency and no fact of it tells which."""
TOLD_AT_ONCE = {"under_13": "utter_under_13", "13_15": "utter_under_18", "16_17": "utter_under_18"}


@dataclass(frozen=True)
class Message:
    """What the person sent, as it was understood."""

    text: str
    intent: str
    confidence: float
    entities: Mapping[str, list[str]] = field(default_factory=dict)
    """Slot -> values, from a button."""
    at: datetime = field(default_factory=datetime.now)
    meanings: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    """Slot -> the value that the message most likely means as an answer, and how likely."""
    signs: Mapping[str, float] = field(default_factory=dict)
    """Danger sign, "assault" or "self_harm" -> how likely the message means it."""
    any_sign: float = 0.0
    """How likely the message means one sign or another."""
    likely: frozenset[tuple[str, str]] = frozenset()
    """Slots and values that the message tells by its meaning, whatever its words."""
    unlikely: frozenset[tuple[str, str]] = frozenset()
    """Those that it mentions, but by its meaning does not tell."""

    @property
    def is_button(self) -> bool:
        """Whether a button was pressed (Rasa's `/intent{...}`)."""
        return self.text.startswith("/")

    def means(self, *intents: str) -> bool:
        """Whether the intent is one of these, surely enough to act on."""
        return self.intent in intents and self.confidence >= SURE


@dataclass(frozen=True)
class Turn:
    """The outcome: slots to set, and the actions to take ahead of all rules."""

    slots: Mapping[str, Any]
    plan: tuple[str, ...] = ()
    """Actions in order; empty leaves the turn to the rules and stories."""
    digression: bool = False
    """The message also asks something: the rules answer first, then the questions go on."""


def hear(
    slots: Mapping[str, Any], message: Message, in_form: bool, reader: Reader, knowledge: Knowledge
) -> Turn:
    """Work out one message in the light of everything told before."""
    return _Hearing(slots, message, in_form, reader, knowledge).turn()


def assess(facts: Mapping[str, Any], before: str | None, knowledge: Knowledge) -> dict[str, Any]:
    """The slots that hold an assessment; `before` is the level given earlier, if any."""
    result = triage(facts, knowledge)
    return {
        "urgency": result.level,
        "urgency_reasons": list(result.reasons),
        "because": result.because,
        "emergency_variant": result.variant,
        "possible_causes": [found.cause.id for found in shown(rank(facts, knowledge))],
        "level_before": before if before not in (None, result.level) else None,
    }


class _Hearing:
    def __init__(
        self, slots: Mapping[str, Any], message: Message, in_form: bool, reader: Reader, knowledge: Knowledge
    ) -> None:
        self.slots = slots
        self.message = message
        self.in_form = in_form
        self.knowledge = knowledge
        self.asked: str | None = slots.get("requested_slot") if in_form else None
        self.known = facts_.facts_of(slots, knowledge.vocabulary)
        self.closed = list(slots.get("asked") or [])
        self.reading = self._read(reader)
        self.correcting = bool(self.known) and (
            bool(slots.get("correcting"))
            or self.reading.correction
            or message.means("correct_answer")
            or self._pressed_again()
        )
        self.changes = self._add_facts()
        self.facts = {
            slot: value for slot, value in {**self.known, **self.changes}.items() if value is not None
        }

    # --- What was said ---

    def _read(self, reader: Reader) -> Reading:
        if self.message.is_button:
            pressed = self._pressed()
            reading = Reading(facts=pressed, denied=self._left_out(pressed))
        else:
            reading = reader.read(
                self.message.text,
                self.asked,
                self.known.get("person", "self"),
                self.message.at,
                self.message.unlikely,
            )
        said = dict(reading.facts)
        sure = self.message.confidence >= SURE and not reading.correction
        answer = BARE_ANSWERS.get(self.message.intent) if sure else None
        if self.asked and answer and reading.answer is None and self.asked not in said:
            meaning = meaning_of(answer, self.asked)
            if meaning is not None:
                said[self.asked] = meaning
        self._add_likely(said, reading)
        self._add_meanings(said, reading)
        is_told = _UNWANTED not in self.message.unlikely or self._is_sure_crisis("report_assault")
        is_told = is_told and (self.asked == "consent" or not reading.is_only_answer)
        if self._is_crisis("report_assault") and is_told and said.get("consent") is None:
            said["consent"] = "unwanted"
        if self._is_crisis("report_self_harm"):
            said["details"] = sorted({*said.get("details", ()), "self_harm"})
        if (
            self.asked == "pregnancy_weeks"
            and not {"pregnancy_weeks", "pregnancy_showing"} & set(said)
            and (reading.answer in ("unsure", "decline") or answer in ("unsure", "decline"))
        ):
            said["pregnancy_showing"] = "unsure"
        if self.asked in SIGNS and (reading.answer or answer) == "decline":
            said["declined"] = [self.asked]
        return replace(reading, facts=said, answer=reading.answer or answer)

    def _add_likely(self, said: dict[str, Any], reading: Reading) -> None:
        """Add the facts that no phrase mentions and the meaning of the message tells."""
        is_short = len(self.message.text.split()) <= MOST_WORDS_OF_AN_ANSWER
        is_answer = bool(self.asked) or (reading.answer is not None and is_short)
        for slot, value in sorted(self.message.likely):
            says_nothing = value in facts_.EMPTY
            if (
                (says_nothing and (is_answer or self.known.get(slot)))
                or value in reading.ruled_out
                or value in reading.denied.get(slot, ())
                or (slot == self.asked and value in reading.not_meant.get(slot, ()))
            ):
                continue
            if slot in LISTS and not says_nothing:
                said[slot] = sorted({*said.get(slot, ()), value} - facts_.EMPTY)
            else:
                said.setdefault(slot, [value] if slot in LISTS else value)

    def _add_meanings(self, said: dict[str, Any], reading: Reading) -> None:
        """Add what no phrase tells but the meaning of the message does: danger signs, and the answer."""
        denied = {*reading.denied.get("danger_signs", ()), *reading.denied.get("details", ())}
        denied |= {*reading.ruled_out, *(value for _, value in self.message.unlikely)}
        if _UNWANTED in self.message.unlikely and not self._is_sure_crisis("report_assault"):
            denied.add("assault")
        not_meant = {
            *reading.not_meant.get("danger_signs", ()),
            *reading.not_meant.get("details", ()),
            *(["assault"] if "unwanted" in reading.not_meant.get("consent", ()) else ()),
            *(["gaping_cut_or_swelling"] if "visible_cut" in reading.facts.get("details", ()) else ()),
        }
        sign = max(self.message.signs, key=lambda name: self.message.signs[name], default="")
        tells = self.message.intent in TELLING or self.message.confidence < SURE
        sure = self.message.any_sign >= (SIGN_SURE if sign in not_meant else SIGN_LIKELY)
        words = len(re.findall(r"[^\W\d_]+", self.message.text))
        in_place = self.asked in _TOLD_AT.get(sign, _ASKS_OF_THE_BODY)
        if self.asked and not in_place:
            sure = sure and self._likely_sign(sign) >= SIGN_OUT_OF_PLACE
        sure = sure and words <= LONGEST_TOLD and not reading.is_only_answer
        if (tells or (in_place and "?" not in self.message.text)) and sure and sign not in denied:
            if sign in self.knowledge.vocabulary["danger_signs"].values:
                said["danger_signs"] = sorted({*said.get("danger_signs", ()), sign} - {"none", "unsure"})
            elif sign == "assault":
                said.setdefault("consent", "unwanted")
            elif sign == "self_harm" and self._likely_sign(sign) >= SELF_HARM_LIKELY:
                said["details"] = sorted({*said.get("details", ()), sign})
        value, likely = self.message.meanings.get(self.asked or "", ("", 0.0))
        answers = tells and 2 <= words <= MOST_WORDS
        if self.asked and answers and self.asked not in said and reading.answer is None:
            many = self.asked in LISTS
            enough = ONE_OF_MANY_LIKELY if many else ANSWER_LIKELY
            if value == "none":
                enough = NONE_LIKELY
            elif self.asked == "danger_signs":
                enough = SIGN_LIKELY
            if likely >= enough:
                said[self.asked] = [value] if many else value

    def _is_crisis(self, intent: str) -> bool:
        """Whether the intent tells of a crisis, and the message is not sooner a sign of something else."""
        message = self.message
        if message.intent != intent:
            return False
        told = message.confidence >= CRISIS and (not message.signs or "assault" in message.signs)
        if intent == "report_self_harm" and message.signs:
            told = self._likely_sign("self_harm") >= SELF_HARM_LIKELY
        return told or self._is_sure_crisis(intent)

    def _is_sure_crisis(self, intent: str) -> bool:
        """Whether the signs bear the intent out, be it of the other crisis: their words are much the same."""
        in_place = self.asked is None or self.asked in _TOLD_AT[_SIGN_OF[intent]]
        likely = max(self._likely_sign(sign) for sign in _SIGN_OF.values())
        return in_place and self.message.means(intent) and likely >= SIGN_LIKELY

    def _likely_sign(self, sign: str) -> float:
        return self.message.any_sign * self.message.signs.get(sign, 0.0)

    def _pressed(self) -> dict[str, Any]:
        """The facts of a button: only slots and values that exist."""
        values = {
            slot: value if slot in LISTS else value[-1]
            for slot, value in self.message.entities.items()
            if value
        }
        return facts_.facts_of(values, self.knowledge.vocabulary)

    def _left_out(self, pressed: Mapping[str, Any]) -> dict[str, frozenset[str]]:
        """What a button that corrects a list takes back: it names all that holds now, the rest was wrong."""
        if not self.message.means("correct_answer"):
            return {}
        return {
            slot: frozenset(self.known.get(slot) or ()) - set(pressed[slot])
            for slot in LISTS
            if slot in pressed
        }

    def _pressed_again(self) -> bool:
        """A button of a question that was answered before says something else now: that answer was wrong.

        Of lists this is not so: a second button there names one more.
        """
        return self.message.is_button and any(
            slot in self.closed and slot != self.asked and value != self.known.get(slot)
            for slot, value in self.reading.facts.items()
            if slot not in LISTS
        )

    def _add_facts(self) -> dict[str, Any]:
        changes = facts_.add(
            self.known, self.reading, self.knowledge, asked=self.asked, correcting=self.correcting
        )
        if (
            self.asked in LISTS
            and not self.correcting
            and self.asked not in changes
            and not self.known.get(self.asked)
            and interview.closes(self.asked, self.reading.facts)
        ):
            changes[self.asked] = ["none"]
        return changes

    # --- What follows ---

    def turn(self) -> Turn:
        now, before = triage(self.facts, self.knowledge), self.slots.get("urgency")
        for outcome in (
            self._crisis,
            self._emergency,
            self._after_emergency,
            self._go_back,
            self._correction,
            self._start,
            self._answer,
            self._unusable,
        ):
            turn = outcome(now, before)
            if turn is not None:
                return turn
        return Turn(self.changes)

    def _crisis(self, now: Triage, before: str | None) -> Turn | None:
        """Thoughts of self-harm: help first, whatever the conversation was doing (E19)."""
        if "self_harm" not in self.reading.facts.get("details", ()):
            return None
        said = {**self.changes, **assess(self.facts, before, self.knowledge), "requested_slot": None}
        return Turn(said, ("utter_self_harm", "utter_calm_emergency", "utter_criteria", "utter_limits"))

    def _emergency(self, now: Triage, before: str | None) -> Turn | None:
        """An emergency ends the questions; the action comes first (CR10, CR11)."""
        if now.level != "emergency" or (
            before == "emergency" and set(now.reasons) <= set(self.slots.get("urgency_reasons") or ())
        ):
            return None
        said = {
            **self.changes,
            **assess(self.facts, before, self.knowledge),
            "requested_slot": None,
            "correcting": None,
        }
        plan = [
            "utter_emergency",
            "utter_because",
            "utter_calm_emergency",
            "utter_while_waiting",
            "utter_criteria",
            "utter_limits",
        ]
        if self.facts.get("consent") == "unwanted" and "consent" in self.changes:
            plan.insert(1, "utter_assault_danger" if "E13" in now.reasons else "utter_assault")
        if self.facts.get("age_group") == "under_13":
            plan.insert(1, "utter_under_13")
        elif "E07" in now.reasons or ("E06" in now.reasons and self.facts.get("pregnancy") == "yes"):
            plan.insert(1, "utter_pregnancy_emergency")
        return Turn(said, tuple(plan))

    def _after_emergency(self, now: Triage, before: str | None) -> Turn | None:
        """After an emergency nothing is asked: the number is repeated, a mistake is taken back."""
        if before != "emergency":
            return None
        if now.level != "emergency":
            slots = {
                **self.changes,
                "correcting": None,
                "urgency": None,
                "level_before": "emergency",
                "noted": self._noted(),
            }
            return Turn(slots, (*self._say_noted(), FORM))
        if self.message.means("correct_answer"):
            return Turn({**self.changes, "correcting": True}, ("utter_ask_correction",))
        if self.message.intent in ANSWERING or self.message.confidence < SURE:
            again = "utter_self_harm" if now.reasons == ("E19",) else "utter_emergency_again"
            return Turn(self.changes, (again, "utter_criteria", "utter_limits"))
        return Turn(self.changes)

    def _go_back(self, now: Triage, before: str | None) -> Turn | None:
        if not (self.reading.back and self.in_form and self.closed):
            return None
        last = self.closed[-1]
        slots = {
            last: None,
            "asked": self.closed[:-1],
            "requested_slot": last,
            "question_style": "first",
            "unusable_answers": None,
        }
        return Turn(slots, (f"utter_ask_{last}",))

    def _correction(self, now: Triage, before: str | None) -> Turn | None:
        """Told only that something was wrong: ask what. What was put right is noted and said back."""
        denies = self.reading.correction and self.message.means("deny")
        wrong = denies or self.message.means("correct_answer") or (self.correcting and self._pressed_again())
        if not self.known and not self.changes and wrong:
            return Turn(
                {}, ("utter_nothing_to_correct", *((f"utter_ask_{self.asked}",) if self.asked else ()))
            )
        if not self.known or (not self.changes and not wrong):
            return None
        if not self.changes:
            asked_already = self.slots.get("correcting") and self.in_form  # then the question goes on
            return None if asked_already else Turn({"correcting": True}, ("utter_ask_correction",))
        if self.slots.get("correcting") or wrong:
            closed = self._close() if self.asked in self.reading.facts else {}
            slots = {**self.changes, **closed, "correcting": None, "noted": self._noted()}
            return Turn(slots, (*self._said_at_once(), *self._say_noted(), FORM))
        return None

    def _start(self, now: Triage, before: str | None) -> Turn | None:
        """Outside the questions: something about the bleeding was told, so begin, or assess anew."""
        if self.in_form or self.message.means(*LEAVING):
            return None
        told = {slot for slot in self.changes if slot not in ("details", "person")}
        if before is not None:
            return Turn(self.changes, (*self._said_at_once(), FORM)) if told else None
        describes = self.message.intent == "describe_spotting" and self.message.confidence >= 0.4
        if not (told or describes or (self.reading.starts and not self._asks())):
            return None
        first = HELP_NOW if self.message.means("report_emergency") else ("utter_intro",)
        plan = (*first, *self._said_at_once(), *self._say_noted(), FORM)
        return Turn({**self.changes, "noted": self._noted()}, plan)

    def _answer(self, now: Triage, before: str | None) -> Turn | None:
        """In the questions: an answer was given."""
        if not self.in_form or self.asked is None:
            return None
        if self._asks_simpler():
            kept = {slot: value for slot, value in self.changes.items() if slot != self.asked}
            return Turn({**kept, "question_style": "simple"}, (f"utter_ask_{self.asked}",))
        if not self._answers_the_question():
            return None
        slots = {**self.changes, **self._close()}
        if self._asks() and not self._said_at_once():
            return Turn(slots, digression=True)
        # The plan, and not the form alone, so that an answer noted only in finer slots is accepted too.
        return Turn(slots, (*self._said_at_once(), FORM))

    def _unusable(self, now: Triage, before: str | None) -> Turn | None:
        """In the questions: nothing that answers. Ask again, then more simply, then go on the safe way.

        An emergency without a sign to note gets the emergency words each time.
        """
        if not self.in_form or self.asked is None:
            return None
        digresses = self.message.intent not in ANSWERING and self.message.confidence >= SURE
        answer = self.message.text.strip().lower()[:KEPT]
        again = answer == self.slots.get("last_answer") and not self._asks()
        if (
            digresses
            and self.message.intent != "out_of_scope"
            and (self._asks() or not self.changes)
            and not again
        ):
            return Turn({**self.changes, "last_answer": answer})
        # The same words again mean that the person has nothing else to say to it.
        count = int(self.slots.get("unusable_answers") or 0) + (
            2 if answer == self.slots.get("last_answer") else 1
        )
        slots = {
            **self.changes,
            "noted": self._noted(),
            "last_answer": answer,
            "unusable_answers": float(count),
            "correcting": None,
        }
        if digresses and count < SIMPLER_AFTER:
            return Turn(slots)
        help_now = HELP_NOW if self.message.means("report_emergency") else ()
        first = (*help_now, *self._said_at_once(), *self._say_noted())
        if count >= GIVE_UP_AFTER:
            return self._give_up(slots, first, before)
        style = "simple" if count >= SIMPLER_AFTER else "again"
        return Turn({**slots, "question_style": style}, (*first, f"utter_ask_{self.asked}"))

    def _give_up(self, slots: dict[str, Any], first: tuple[str, ...], before: str | None) -> Turn:
        """Go on the safe way; where that adds up to an emergency, it is one (CR03)."""
        self.changes = {**slots, **self._close(given_up=True), **self._safe_value()}
        self.facts = {**self.facts, **facts_.facts_of(self.changes, self.knowledge.vocabulary)}
        urgent = self._emergency(triage(self.facts, self.knowledge), before)
        return urgent or Turn(self.changes, (*first, "utter_go_on", FORM))

    # --- Parts ---

    def _asks(self) -> bool:
        """The message is a question of its own, surely enough to be answered as one."""
        asks = self.message.intent not in ANSWERING and self.message.confidence >= SURE
        return asks and "?" in self.message.text

    def _answers_the_question(self) -> bool:
        asked = self.asked or ""
        return (
            self.reading.facts.get(asked) is not None
            or asked in self.changes
            or interview.closes(asked, self.reading.facts)
        )

    def _asks_simpler(self) -> bool:
        """A first "not sure" about an emergency sign."""
        value = self.changes.get(self.asked or "")
        return (
            self.asked in SIGNS
            and value in ("unsure", ["unsure"])
            and self.slots.get("question_style") != "simple"
        )

    def _close(self, given_up: bool = False) -> dict[str, Any]:
        """The question asked is answered, or given up: the next one starts afresh."""
        over = (
            self.asked is not None
            and self.asked not in self.closed
            and (given_up or self._answers_the_question())
        )
        closed = [*self.closed, self.asked] if over else self.closed
        return {
            "asked": closed,
            "question_style": "first",
            "unusable_answers": None,
            "last_answer": None,
            "correcting": None,
        }

    def _safe_value(self) -> dict[str, Any]:
        """What is noted when a question could not be answered: "not sure", so that CR03 and R08 apply."""
        if self.asked == "pregnancy_weeks":
            return {"pregnancy_showing": "unsure"}
        value = self.knowledge.question(self.asked or "").unanswered
        current = self.known.get(self.asked or "")
        return {} if current else {self.asked or "": [value] if self.asked in LISTS else value}

    def _said_at_once(self) -> tuple[str, ...]:
        """Words that cannot wait: for unwanted sex, for the young, and that somebody else is meant."""
        said = []
        if self.changes.get("consent") == "unwanted":
            said.append("utter_assault")
        if "age_group" in self.changes and self.facts.get("age_group") in TOLD_AT_ONCE:
            said.append(TOLD_AT_ONCE[self.facts["age_group"]])
        if self.changes.get("person") == "other":
            said.append("utter_somebody_else")
        return tuple(said)

    def _say_noted(self) -> tuple[str, ...]:
        return ("utter_noted",) if self._noted() else ()

    def _noted(self) -> str | None:
        """What this message added, in a few words, so that it can be put right."""
        noted = [
            f"{TITLES[slot]}: {in_words(self.facts, slot)}"
            for slot in TITLES
            if slot in self.changes and slot not in ("person", "age", "declined") and self.facts.get(slot)
        ]
        return ". ".join(noted) or None
