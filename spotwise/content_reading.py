"""From the files of `knowledge/` to records: the vocabulary, the conditions, then one record per entry.

Every fault is noted in its document. An entry at fault gives no record, so that one mistake is told once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from spotwise.conditions import (
    KEYWORDS,
    WORD,
    Condition,
    ConditionError,
    Known,
    Slot,
    Vocabulary,
    check_name,
    parse,
)
from spotwise.content import (
    Cause,
    Caution,
    CombiningRule,
    Fact,
    Feature,
    GateItem,
    Kind,
    Question,
    Rule,
    Source,
    Stronger,
)
from spotwise.content_schema import SCHEMAS, check_shape, label
from spotwise.yaml_lines import Document, Fault, Step, YamlPath, read_yaml

CONDITION_KEYS = frozenset(
    {"when", "unless", "ambulance_when", "only_if", "open_while", "ask_when", "skip_when"}
)

Record = TypeVar("Record")


@dataclass(frozen=True)
class Place:
    """One entry of a file."""

    document: Document
    path: YamlPath
    data: Any

    @property
    def label(self) -> str:
        """What people call the entry: its id, slot or name."""
        return label(self.document, self.path)

    def fault(self, message: str, *below: Step) -> None:
        """Note something wrong with the entry, or with what is below it."""
        self.document.fault((*self.path, *below), f"{self.label}: {message}")


class Files:
    """The files of a folder, read and of the right shape, or with faults noted."""

    def __init__(self, folder: Path) -> None:
        """Read every file of the folder and check its shape."""
        self.documents = {name: read_yaml(folder / name) for name in SCHEMAS}
        for name, document in self.documents.items():
            if document.data is not None:
                check_shape(document, SCHEMAS[name])

    def faults(self) -> list[Fault]:
        """Everything noted so far, file by file and line by line."""
        documents = self.documents.values()
        return [fault for document in documents for fault in sorted(set(document.faults))]

    def has(self, name: str, section: str) -> bool:
        """Whether a section of a file can be read at all."""
        data = self.documents[name].data
        return isinstance(data, dict) and isinstance(data.get(section), (list, dict))

    def entries(self, name: str, *sections: str) -> Iterator[Place]:
        """Every entry of some sections of a file, those at fault included."""
        document = self.documents[name]
        for section in (section for section in sections if self.has(name, section)):
            entries = document.data[section]
            for key, data in entries.items() if isinstance(entries, dict) else enumerate(entries):
                yield Place(document, (section, key), data)

    def clean(self, name: str, section: str) -> Iterator[Place]:
        """The entries of a section that are not at fault; none where the section itself is."""
        for place in self.entries(name, section):
            if not {(section,), place.path} & place.document.at_fault:
                yield place


# --- The vocabulary -----------------------------------------------------------------------------


def read_vocabulary(files: Files) -> Vocabulary | None:
    """The slots; None where slots.yml has faults, since no condition can be judged without it."""
    slots: dict[str, Slot] = {}
    for place in [*files.clean("slots.yml", "slots"), *files.clean("slots.yml", "finer_slots")]:
        name = str(place.path[1])
        if name in slots:
            place.fault("this slot is given twice")
        slots[name] = _slot(name, place)
    return None if files.documents["slots.yml"].faults else Vocabulary(slots)


def _slot(name: str, place: Place) -> Slot:
    """A slot, checked."""
    slot = Slot(
        name,
        place.data["type"],
        tuple(place.data.get("values", ())),
        place.data.get("ordered", False),
        place.data.get("minimum", float("-inf")),
        place.data.get("maximum", float("inf")),
    )
    for word in (name, *slot.values):
        if word in KEYWORDS or not WORD.fullmatch(word):
            place.fault(f"'{word}' cannot be used: it has to be one word, and none of the condition language")
    if (slot.type == "number") == bool(slot.values):
        place.fault("a number slot has no 'values', and every other slot needs them")
    if slot.ordered and slot.type != "scalar":
        place.fault("only a scalar slot can be 'ordered'")
    if slot.minimum > slot.maximum:
        place.fault("'minimum' is greater than 'maximum'")
    return slot


# --- Conditions ---------------------------------------------------------------------------------


def read_names(files: Files, vocabulary: Vocabulary) -> dict[str, Condition]:
    """The named conditions; one at fault is stood in for, so that its uses are not told as faults too."""
    names: dict[str, Condition] = {}
    for place in files.entries("conditions.yml", "conditions"):
        name = str(place.path[1])
        stand_in = Condition(name, Known(f"?{name}", name))
        try:
            check_name(name, vocabulary)
            names[name] = parse(place.data, vocabulary, names) if isinstance(place.data, str) else stand_in
        except ConditionError as error:
            place.fault(str(error))
            if name not in vocabulary:
                names[name] = stand_in
    return names


class Conditions:
    """Every condition of the other files, by the place where it stands."""

    def __init__(self, files: Files, vocabulary: Vocabulary, names: Mapping[str, Condition]) -> None:
        """Read all conditions, and note those that cannot be read."""
        self._vocabulary = vocabulary
        self._names = {name: found for name, found in names.items() if _usable(name, vocabulary)}
        self._found: dict[tuple[str, YamlPath], Condition] = {}
        for name, sections in (
            ("rules.yml", ("rules", "gate", "combining")),
            ("causes.yml", ("causes",)),
            ("questions.yml", ("questions",)),
        ):
            for place in files.entries(name, *sections):
                self._read(place, place.data, ())

    def _read(self, place: Place, data: object, below: YamlPath) -> None:
        """Read the conditions in an entry, however deep."""
        steps: Iterator[tuple[Step, object]] = iter(())
        if isinstance(data, dict):
            steps = iter(data.items())
        elif isinstance(data, list):
            steps = iter(enumerate(data))
        for step, value in steps:
            if step in CONDITION_KEYS and isinstance(value, str):
                self._parse(place, value, (*below, step))
            else:
                self._read(place, value, (*below, step))

    def _parse(self, place: Place, text: str, below: YamlPath) -> None:
        try:
            condition = parse(text, self._vocabulary, self._names)
        except ConditionError as error:
            place.fault(f"'{below[-1]}': {error}", *below)
        else:
            self._found[(place.document.name, (*place.path, *below))] = condition

    def at(self, place: Place, *below: Step) -> Condition:
        """The condition at a place of an entry that is not at fault."""
        return self._found[(place.document.name, (*place.path, *below))]

    def maybe_at(self, place: Place, *below: Step) -> Condition | None:
        """The condition at a place of an entry, or None where the entry has none there."""
        return self._found.get((place.document.name, (*place.path, *below)))


def _usable(name: str, vocabulary: Vocabulary) -> bool:
    """Whether conditions may use the name."""
    try:
        check_name(name, vocabulary)
    except ConditionError:
        return False
    return True


# --- Records ------------------------------------------------------------------------------------


def build(places: Iterator[Place], make: Callable[[Place], Record]) -> list[tuple[Place, Record]]:
    """The record of each entry, with its place."""
    return [(place, make(place)) for place in places]


def source(place: Place) -> Source:
    """A source from its entry."""
    return Source(**{**place.data, "year": str(place.data["year"])})


def fact(place: Place) -> Fact:
    """A fact from its entry."""
    return Fact(**{"cautions": (), **_tuples(place.data)})


def caution(place: Place) -> Caution:
    """A caution from its entry."""
    return Caution(**_tuples(place.data))


class Records:
    """Makes the records that hold conditions."""

    def __init__(self, conditions: Conditions) -> None:
        """The conditions have to be read before."""
        self._conditions = conditions

    def cause(self, place: Place) -> Cause:
        """A cause from its entry."""
        conditions = {key: self._conditions.maybe_at(place, key) for key in ("only_if", "open_while")}
        features = tuple(
            Feature(**{**feature, "when": self._conditions.at(place, "features", index, "when")})
            for index, feature in enumerate(place.data["features"])
        )
        kinds = tuple(Kind(**_tuples(kind)) for kind in place.data.get("kinds", ()))
        data = {"serious": False, **_tuples(place.data), **conditions, "features": features, "kinds": kinds}
        return Cause(**data)

    def rule(self, place: Place) -> Rule:
        """A rule from its entry."""
        when = self._conditions.at(place, "when")
        optional = {key: self._conditions.maybe_at(place, key) for key in ("unless", "ambulance_when")}
        return Rule(**{**_tuples(place.data), **optional, "when": when, "stronger": self._stronger(place)})

    def gate_item(self, place: Place) -> GateItem:
        """An item of the gate from its entry."""
        return GateItem(**{**_tuples(place.data), "when": self._conditions.at(place, "when")})

    def combining_rule(self, place: Place) -> CombiningRule:
        """A combining rule from its entry; with `when` and `level` it holds a rule as well."""
        data = _tuples(place.data)
        data["criterion"] = data.pop("rule")
        carried_out_by = data.pop("carried_out_by", None)
        common = {
            key: data[key]
            for key in ("id", "criterion", "because", "why", "sources", "reviewed")
            if key in data
        }
        own = None
        if "when" in data and "level" in data:
            own = self.rule(Place(place.document, place.path, data))
        return CombiningRule(**common, carried_out_by=carried_out_by, rule=own)

    def question(self, place: Place) -> Question:
        """A question from its entry."""
        conditions = {key: self._conditions.maybe_at(place, key) for key in ("ask_when", "skip_when")}
        absent = {"never_skipped": False, "unanswered": None, "declined": None}
        return Question(**{**absent, **_tuples(place.data), **conditions})

    def _stronger(self, place: Place) -> Stronger | None:
        """The more urgent level of a rule, where it has one."""
        if "stronger" not in place.data:
            return None
        when = self._conditions.at(place, "stronger", "when")
        return Stronger(level=place.data["stronger"]["level"], when=when)


def _tuples(data: dict[str, Any]) -> dict[str, Any]:
    """The data of an entry with tuples for lists, so that a record cannot be changed."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
