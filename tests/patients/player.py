"""Plays a patient against the trained assistant, in this process, and says what came out of it.

Understanding, reading of facts, urgency rules and the choice of questions are the real ones; only the answers
to what a patient asks are left out, and the question stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from evaluation.understanding import Assistant
from spotwise import dialogue, interview
from spotwise.facts import facts_of
from spotwise.knowledge import LEVELS, Knowledge, load_knowledge
from spotwise.reading import Reader, default_reader

FOLDER = Path(__file__).parent
MOST_MESSAGES = 24
MOST_REPEATS = 3
ORDINARY = {
    "danger_signs": "no, none of those",
    "pregnancy": "no",
    "bleeding_amount": "just a few spots",
    "bleeding_status": "it has stopped",
    "pain": "no pain",
    "consent": "yes, it was wanted and I feel safe",
    "age_group": "I am 29",
    "periods": "I have regular periods",
    "episode_count": "this is the first time",
    "symptoms": "none of those",
    "contraception": "condoms",
    "medical_history": "none of those",
    "circumstances": "nothing special",
}
"""What a patient answers where the file gives no words of their own."""
NUDGE = "yes please, help me work out why I am bleeding after sex"
"""What they say where the assistant asks nothing and has not come to a level."""


@dataclass(frozen=True)
class Outcome:
    """How a conversation went, against what it should have come to."""

    case: Mapping[str, Any]
    level: str | None
    reasons: tuple[str, ...]
    causes: tuple[str, ...]
    asked: tuple[str, ...]
    facts: Mapping[str, Any]
    log: tuple[str, ...]

    @property
    def id(self) -> str:
        return str(self.case["id"])

    @property
    def accepted(self) -> list[str]:
        """The levels that are right for this patient."""
        return [self.case["urgency"], *self.case.get("also_accept", [])]

    @property
    def right(self) -> bool:
        return self.level in self.accepted

    @property
    def under(self) -> bool:
        """Less urgent than it is: the one mistake that does harm."""
        if self.level is None:
            return True
        return not self.right and LEVELS.index(self.level) > LEVELS.index(self.case["urgency"])

    @property
    def cause_found(self) -> bool:
        """Whether an accepted cause is among the first three."""
        wanted = set(self.case.get("causes", []))
        return not wanted or bool(wanted & set(self.causes[:3]))

    @property
    def asked_though_told(self) -> list[str]:
        """Questions whose answer the first message had given."""
        return [slot for slot in self.asked if slot in self.case.get("told", [])]

    def misses(self) -> list[str]:
        """What went wrong, in words."""
        found = []
        if self.under:
            found.append("under")
        elif not self.right:
            found.append("over")
        if not self.cause_found:
            found.append("cause")
        if self.asked_though_told:
            found.append("told")
        return found

    def __str__(self) -> str:
        wanted = f"{self.case['urgency']} {self.case.get('rules', [])}"
        got = f"{self.level} {list(self.reasons)}, {self.causes[:3]}"
        return f"{self.id}: {self.misses()}, wanted {wanted}, got {got}"


@dataclass
class _Conversation:
    """One conversation in progress, as the assistant's tracker would hold it."""

    assistant: Assistant
    reader: Reader
    knowledge: Knowledge
    slots: dict[str, Any] = field(default_factory=dict)
    in_form: bool = False
    log: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        message = self.assistant.message(text)
        turn = dialogue.hear(self.slots, message, self.in_form, self.reader, self.knowledge)
        self.slots.update(turn.slots)
        told = {slot: value for slot, value in turn.slots.items() if value is not None}
        self.log += [f"> {text}", f"  {told} {turn.plan}"]
        if "requested_slot" in turn.slots and turn.slots["requested_slot"] is None:
            self.in_form = False
        if dialogue.FORM in turn.plan or turn.digression:
            self._ask_on()

    def _ask_on(self) -> None:
        """What the form does: the next question, or the assessment where none is left."""
        facts = facts_of(self.slots, self.knowledge.vocabulary)
        slot = interview.next_question(facts, self.slots.get("asked") or [], self.knowledge)
        self.slots["requested_slot"] = slot
        self.in_form = slot is not None
        if slot is None:
            self.slots.update(dialogue.assess(facts, self.slots.get("urgency"), self.knowledge))


def play(case: Mapping[str, Any]) -> Outcome:
    """Play one patient to the end."""
    conversation = _Conversation(trained(), default_reader(), load_knowledge())
    slots, asked = conversation.slots, []
    conversation.say(case["opening"])
    for _ in range(MOST_MESSAGES):
        wanted = slots.get("requested_slot")
        if wanted:
            asked.append(wanted)
            if asked.count(wanted) > MOST_REPEATS:
                break
            conversation.say(case.get("answers", {}).get(wanted, ORDINARY.get(wanted, "no")))
        elif slots.get("urgency"):
            break
        else:
            conversation.say(case.get("nudge", NUDGE))
    return Outcome(
        case=case,
        level=slots.get("urgency"),
        reasons=tuple(slots.get("urgency_reasons") or ()),
        causes=tuple(slots.get("possible_causes") or ()),
        asked=tuple(asked),
        facts=facts_of(slots, conversation.knowledge.vocabulary),
        log=tuple(conversation.log),
    )


@lru_cache(maxsize=1)
def trained() -> Assistant:
    """The assistant with its trained model."""
    return Assistant.trained()


@lru_cache(maxsize=1)
def cases() -> tuple[Mapping[str, Any], ...]:
    """Every patient of the files in this folder."""
    files = sorted(path for path in FOLDER.glob("*.yml") if path.name != "known_misses.yml")
    read = [yaml.safe_load(path.read_text(encoding="utf-8"))["vignettes"] for path in files]
    return tuple(case for found in read for case in found)


@lru_cache(maxsize=1)
def outcomes() -> dict[str, Outcome]:
    """Every patient, played once."""
    return {case["id"]: play(case) for case in cases()}


def known_misses() -> dict[str, list[str]]:
    """Patient -> what is known to go wrong with them. May only shrink."""
    text = (FOLDER / "known_misses.yml").read_text(encoding="utf-8")
    return yaml.safe_load(text).get("known_misses") or {}


if (
    __name__ == "__main__"
):  # python tests/patients/player.py [id]: the whole conversation of each that goes wrong
    import sys

    for outcome in outcomes().values():
        if sys.argv[1:] == [outcome.id] or (len(sys.argv) == 1 and outcome.misses()):
            print(outcome, *(outcome.log if len(sys.argv) > 1 else ()), sep="\n")
