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
        elif slot.type == "scalar" and value in slot.values:
            facts[name] = value
        elif (
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
                known.get(slot) or [], value, correcting, reading.denied.get(slot, frozenset())
            )
        else:
            merged = _merge_one(
                known.get(slot), value, knowledge.vocabulary, slot, correcting or asked == slot
            )
        if merged != known.get(slot):
            changes[slot] = merged
    if correcting:
        _take_back(known, reading, knowledge.vocabulary, changes)
    return changes


def _merge_list(known: list[str], new: list[str], correcting: bool, denied: frozenset[str]) -> list[str]:
    if correcting and set(new) <= EMPTY:
        return list(new)
    merged = [*known, *(value for value in new if value not in known)]
    real = [value for value in merged if value not in EMPTY and not (correcting and value in denied)]
    if real:
        return real
    return [value for value in merged if value != "unsure"] or merged if "none" in new else merged


def _merge_one(known: Any, new: Any, vocabulary: Vocabulary, name: str, replace: bool) -> Any:
    if known is None or replace or known in EMPTY:
        return new
    slot = vocabulary[name]
    if new in EMPTY or not slot.ordered:
        return known
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
