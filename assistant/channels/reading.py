"""What people write, made safe to hand to Rasa."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from spotwise.conditions import Slot
from spotwise.knowledge import load_knowledge

TEXT_LIMIT = 8_000
"""Characters of a message that are read. Long stories fit; the rest would only slow the reading down."""

NOTHING_SAID = "/nlu_fallback"
"""What Rasa is handed for an empty message or a forged button: its intent for what it did not understand."""


class Reader:
    """Makes a text safe to hand to Rasa: not too long, readable, and no payload but those of buttons."""

    def __init__(self, intents: Collection[str], entities: Mapping[str, Slot]) -> None:
        """Know the intents, and the values that each entity may have."""
        self._intents = intents
        self._entities = entities

    def read(self, text: str) -> str:
        """The text as Rasa may see it. Nothing, or a payload that no button could send, says nothing."""
        text = clean(text)[:TEXT_LIMIT].strip()
        if not text.startswith("/"):
            return text or NOTHING_SAID
        words = re.sub(r"^[/\s]+", "", text)
        typed = " " in words and not re.search(
            r"[{}\[\]]", words
        )  # somebody wrote a slash before their words
        return self._payload(text) or (words if typed else NOTHING_SAID)

    def _payload(self, text: str) -> str | None:
        """The payload `/intent` or `/intent{"slot":"value"}`, spelt as buttons do; None if it is not one."""
        parts = re.fullmatch(r"/(\w+)\s*(\{.*\})?", text, re.DOTALL)
        if parts is None or parts[1] not in self._intents:
            return None
        try:
            values = json.loads(parts[2] or "{}")
        except (ValueError, RecursionError):
            return None
        if not all(self._may_have(name, value) for name, value in values.items()):
            return None
        return f"/{parts[1]}" + (json.dumps(values, separators=(",", ":")) if values else "")

    def _may_have(self, name: str, value: object) -> bool:
        """Whether there is such an entity and it may have this value."""
        slot = self._entities.get(name)
        if slot is None:
            return False
        if slot.type == "number":
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            return is_number and slot.minimum <= value <= slot.maximum  # type: ignore[operator]
        if slot.type == "list" and isinstance(value, list):
            return all(isinstance(item, str) and item in slot.values for item in value)
        return isinstance(value, str) and value in slot.values


def clean(text: str) -> str:
    """The text without control characters and broken halves of characters; line breaks and tabs stay."""
    text = re.sub("\r\n?|[\v\f\x85]", "\n", text)
    return re.sub(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]", "", text)


def reader_for(domain: Mapping[str, Any]) -> Reader:
    """The reader for a domain's intents and the facts that the assistant can hold."""
    intents = {
        name
        for intent in domain.get("intents") or ()
        for name in ([intent] if isinstance(intent, str) else intent)
    }
    knowledge = load_knowledge()
    cause = Slot("cause", "scalar", tuple(cause.id for cause in knowledge.causes))
    return Reader(intents | {"restart"}, {**knowledge.vocabulary.slots, "cause": cause})
