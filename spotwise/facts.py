"""What the messages of a conversation come to: facts are added, and taken back only by a correction.

CR06 and CR07: nothing that plays a fact down lowers it. A milder value replaces a more urgent one only
where the person corrects an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spotwise.conditions import Vocabulary
from spotwise.knowledge import Knowledge, load_knowledge
from spotwise.reading import LISTS, Reading

EMPTY = frozenset({"none", "unsure", "undisclosed"})
"""List values that say that nothing is told; they give way to anything that is."""

_RISING = frozenset({"temperature", "pregnancy_weeks", "hours_since_sex"})
"""Numbers that mean more when they are higher."""
_WEIGHTIER = {"periods": ("postmenopausal",), "age_group": ("under_13", "13_15", "16_17")}
"""Values of slots without an order that call for more care than the others."""

# A corrected fact takes those along that only follow from it.
_FOLLOWS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "bleeding_amount": {"danger_signs": ("soaking_pads", "large_clots")},
    "pain": {"danger_signs": ("severe_pain", "one_sided_pain", "shoulder_tip_pain")},
    "pregnancy": {
        "details": ("test_positive", "test_unclear", "no_test_today"),
        "symptoms": ("missed_or_late_period",),
    },
}


def facts_of(slots: Mapping[str, Any], vocabulary: Vocabulary | None = None) -> dict[str, Any]:
    """The facts among a conversation's slots: only known slots, and only values the vocabulary has."""
    vocabulary = vocabulary or load_knowledge().vocabulary
    facts: dict[str, Any] = {}
    for name, slot in vocabulary.slots.items():
        value = slots.get(name)
        if slot.type == "list" and isinstance(value, (list, tuple)):
            kept = [item for item in value if item in slot.values]
            if kept:
                facts[name] = kept
        elif (slot.type == "scalar" and value in slot.values) or (
            slot.type == "number"
            and isinstance(value, (int, float))
            and not isinstance(value, bool)
            and slot.minimum <= value <= slot.maximum
        ):
            facts[name] = value
    return facts


def add(
    known: Mapping[str, Any],
    reading: Reading,
    knowledge: Knowledge,
    *,
    asked: str | None = None,
    correcting: bool = False,
) -> dict[str, Any]:
    """The slots that a message changes, with their new values.

    `asked` is the slot whose question the message answers: a direct answer replaces an earlier "not sure".
    `correcting` is true where the message takes back something said before; only then can facts go.
    """
    changes: dict[str, Any] = {}
    for slot, value in reading.facts.items():
        if slot in LISTS:
            merged = _merge_list(
                slot, known.get(slot) or [], value, correcting, reading.denied.get(slot, frozenset())
            )
        else:
            merged = _merge_one(
                known.get(slot), value, knowledge.vocabulary, slot, correcting or asked == slot
            )
        if merged != known.get(slot):
            changes[slot] = merged
    replaced = "age_group" in changes and (correcting or asked == "age_group")
    if replaced and "age" in known and "age" not in reading.facts:
        changes["age"] = None  # a new group takes the place of the number told before
    if correcting:
        _take_back(known, reading, knowledge.vocabulary, changes)
    return changes


def _merge_list(
    slot: str, known: list[str], new: list[str], correcting: bool, denied: frozenset[str]
) -> list[str]:
    if correcting and set(new) <= EMPTY:
        return list(new)
    merged = [*known, *(value for value in new if value not in known)]
    if slot == "danger_signs" and "unsure" in known and not set(new) <= EMPTY and not correcting:
        return merged  # one sign told does not settle the doubt about the others (CR03)
    if "hormonal_coil" in known and "copper_coil" not in known:  # "the coil" said later is the same one
        merged = [value for value in merged if value != "copper_coil"]
    real = [value for value in merged if value not in EMPTY and not (correcting and value in denied)]
    if real:
        return real
    return list(new)


def _merge_one(known: Any, new: Any, vocabulary: Vocabulary, name: str, replace: bool) -> Any:
    if known is None or replace or known in EMPTY:
        return new
    slot = vocabulary[name]
    if slot.type == "number":
        return max(known, new) if name in _RISING else known
    if new in EMPTY:
        return known
    if not slot.ordered:
        return new if new in _WEIGHTIER.get(name, ()) else known
    return max(known, new, key=slot.values.index)


def _take_back(
    known: Mapping[str, Any], reading: Reading, vocabulary: Vocabulary, changes: dict[str, Any]
) -> None:
    """Remove what a correction denies, and what followed from the corrected fact."""
    for slot, values in reading.denied.items():
        current = changes.get(slot, known.get(slot))
        if slot in LISTS and current and values & set(current):
            changes[slot] = [value for value in current if value not in values] or ["none"]
        elif slot not in LISTS and current in values and slot not in changes:
            changes[slot] = None
    for slot, followers in _FOLLOWS.items():
        if slot not in changes or not _is_milder(known.get(slot), changes[slot], vocabulary, slot):
            continue
        for other, gone in followers.items():
            current = changes.get(other, known.get(other)) or []
            stated_now = reading.facts.get(other, [])
            if set(current) & set(gone):
                changes[other] = [value for value in current if value not in gone or value in stated_now] or [
                    "none"
                ]
        if slot == "pregnancy":
            changes["pregnancy_weeks"] = reading.facts.get("pregnancy_weeks")
    if "fever" in reading.denied.get("danger_signs", frozenset()) and known.get("temperature"):
        changes["temperature"] = reading.facts.get("temperature")


def _is_milder(known: Any, new: Any, vocabulary: Vocabulary, name: str) -> bool:
    order = vocabulary[name].values
    return known in order and (new is None or order.index(new) < order.index(known))


def unanswered(facts: Mapping[str, Any]) -> int:
    """How many questions were asked and not answered (R08): "not sure" or "I'd rather not say"."""
    values = (value if isinstance(value, list) else [value] for value in facts.values())
    return sum(1 for value in values if value in (["unsure"], ["undisclosed"]))
