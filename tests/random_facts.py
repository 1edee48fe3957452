"""Random people: any mix of what the slots can hold, gaps included (for the property tests)."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from spotwise.knowledge import Slot, load_knowledge

VOCABULARY = load_knowledge().vocabulary
MOST_AT_ONCE = 4
EMPTY = ("none", "unsure", "undisclosed")
COUNTED_BY_THE_PROGRAM = "unanswered"


def values(slot: Slot) -> st.SearchStrategy[Any]:
    """Any value of a slot; for a list also several, never a value twice."""
    if slot.type == "list":
        return st.lists(st.sampled_from(slot.values), unique=True, min_size=1, max_size=MOST_AT_ONCE)
    if slot.type == "scalar":
        return st.sampled_from(slot.values)
    return st.floats(slot.minimum, slot.maximum, allow_nan=False).map(lambda number: round(number, 1))


def clean(facts: dict[str, Any]) -> dict[str, Any]:
    """Without what nobody can mean: "none" beside something, and an age outside its group."""
    kept = dict(facts)
    for slot, value in facts.items():
        if isinstance(value, list):
            kept[slot] = [item for item in value if item not in EMPTY] or value[:1]
    if kept.get("age_group") not in (None, "undisclosed"):
        kept.pop("age", None)
    return kept


def some_facts() -> st.SearchStrategy[dict[str, Any]]:
    """Facts about one person: each slot may be told, not told, or null."""
    slots = {name: slot for name, slot in VOCABULARY.slots.items() if name != COUNTED_BY_THE_PROGRAM}
    return st.fixed_dictionaries(
        {}, optional={name: st.none() | values(slot) for name, slot in slots.items()}
    )


def plausible_facts() -> st.SearchStrategy[dict[str, Any]]:
    """Facts that fit together, as the conversation would hold them; no nulls."""
    return some_facts().map(
        lambda facts: clean({slot: value for slot, value in facts.items() if value is not None})
    )
