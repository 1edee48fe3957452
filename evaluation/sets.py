"""The sets of messages: what somebody wrote, and what should be made of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from evaluation import ROOT

NLU = ROOT / "tests" / "nlu"
READING = ROOT / "tests" / "reading"
TRAINING = ROOT / "data" / "nlu"
FACT_SETS = (
    "facts",
    "messages",
    "plain_words",
    "natural",
    "natural_second",
    "natural_third",
    "natural_fourth",
    "natural_fifth",
    "natural_sixth",
    "natural_seventh",
    "natural_eighth",
    "natural_ninth",
    "natural_tenth",
    "natural_eleventh",
    "natural_twelfth",
    "natural_thirteenth",
    "natural_fourteenth",
    "natural_fifteenth",
    "natural_sixteenth",
    "natural_seventeenth",
    "natural_eighteenth",
    "natural_nineteenth",
    "natural_twentieth",
    "natural_twentyfirst",
    "natural_twentysecond",
    "natural_twentythird",
    "natural_twentyfourth",
    "natural_twentyfifth",
    "natural_twentysixth",
    "natural_twentyseventh",
    "natural_twentyeighth",
    "natural_twentyninth",
    "natural_thirtieth",
    "natural_thirtyfirst",
    "natural_thirtysecond",
    "numbers",
)

_ENTITY = re.compile(r"\[([^\]]+)\](?:\{[^}]*\}|\([^)]*\))")


@dataclass(frozen=True)
class IntentMessage:
    """A message and its intent."""

    text: str
    intent: str


@dataclass(frozen=True)
class RedFlagMessage:
    """A message and the least that should follow from it; `none` for what only looks like a red flag."""

    text: str
    expect: str
    sign: str

    @property
    def is_real(self) -> bool:
        """Whether it is a red flag and not a look-alike."""
        return self.expect != "none"


@dataclass(frozen=True)
class FactMessage:
    """A message, the question it answers, and the facts that it states."""

    text: str
    asked: str | None
    facts: Mapping[str, Any]
    may: Mapping[str, Any] = field(default_factory=dict)
    """What is right with and without: it follows from the words, or not, as one reads them."""
    kind: str = "any"
    absent: frozenset[str] = frozenset()
    """Facts, as "slot.value", that it only seems to state."""

    @property
    def name(self) -> str:
        """What tells it from the others of its set: short answers mean something only with their question."""
        return f"{self.text} [{self.asked}]" if self.asked else self.text


def intents(path: Path) -> list[IntentMessage]:
    """The messages of a file in Rasa's format, without the marks of entities."""
    blocks = yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]
    return [
        IntentMessage(_ENTITY.sub(r"\1", line.removeprefix("- ")), block["intent"])
        for block in blocks
        if "intent" in block
        for line in block["examples"].splitlines()
    ]


def red_flags(path: Path) -> list[RedFlagMessage]:
    """The red flags and look-alikes of a file."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [
        RedFlagMessage(
            entry["text"], entry["expect"], entry.get("sign") or f"{entry['expect']}, no sign labelled"
        )
        for entry in entries
    ]


def facts(path: Path) -> list[FactMessage]:
    """The labelled messages of a file; only the facts of the contract."""
    return [
        FactMessage(
            entry["text"],
            entry.get("asked"),
            _of_contract(entry["facts"]),
            _of_contract(entry.get("may", {})),
            entry.get("kind", "any"),
            frozenset(item for item in entry.get("absent", ()) if item.partition(".")[0] in contract_slots()),
        )
        for entry in yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["messages"]
    ]


def intent_sets() -> dict[str, list[IntentMessage]]:
    """Every set of intents, by the name of its file."""
    return {path.stem: intents(path) for path in sorted(NLU.glob("intents*.yml"))}


def red_flag_sets() -> dict[str, list[RedFlagMessage]]:
    """Every set of red flags, by the name of its file."""
    return {path.stem: red_flags(path) for path in sorted(NLU.glob("red_flags*.yml"))}


def fact_sets() -> dict[str, list[FactMessage]]:
    """Every set of facts, by the name of its file."""
    return {name: facts(READING / f"{name}.yml") for name in FACT_SETS}


def training() -> list[IntentMessage]:
    """The training data of the intents."""
    return [message for path in sorted(TRAINING.glob("*.yml")) for message in intents(path)]


@lru_cache(maxsize=1)
def contract_slots() -> dict[str, str]:
    """The slots of the contract with the outside world, and their types; the finer ones are not labelled."""
    slots = yaml.safe_load((ROOT / "knowledge" / "slots.yml").read_text(encoding="utf-8"))["slots"]
    return {name: slot["type"] for name, slot in slots.items()}


def slots_of_one_value() -> frozenset[str]:
    """The slots of the contract that hold one value and no list."""
    return frozenset(name for name, type_ in contract_slots().items() if type_ != "list")


def items(facts: Mapping[str, Any]) -> frozenset[str]:
    """Facts one by one, as "slot.value"."""
    return frozenset(_items(facts))


def _items(facts: Mapping[str, Any]) -> Iterator[str]:
    for slot, value in _of_contract(facts).items():
        for one in value if isinstance(value, list) else [value]:
            yield f"{slot}.{f'{one:g}' if isinstance(one, (int, float)) else one}"


def _of_contract(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {slot: value for slot, value in facts.items() if slot in contract_slots() and value is not None}
