"""The shape of each file in `knowledge/`, as JSON schemas, and what is told where a file differs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from spotwise.conditions import suggestion
from spotwise.content import LEVELS
from spotwise.yaml_lines import Document, YamlPath

Schema = dict[str, Any]

AGE_GROUPS = ("under_25", "25_39", "40_54", "menopausal", "pregnant")
"""The columns of a cause's starting weights."""

WEIGHTS = ("+S", "+M", "+W", "-S", "-M", "-W")


def _one_of(*values: str) -> Schema:
    return {"enum": list(values)}


def _list_of(item: Schema, at_least: int = 1) -> Schema:
    return {"type": "array", "items": item, "minItems": at_least, "uniqueItems": True}


def _entry(required: Schema, optional: Schema | None = None) -> Schema:
    """A mapping with these keys and no others."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


TEXT: Schema = {"type": "string", "pattern": r"\S"}
FLAG: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "number"}
DATE: Schema = {"type": "date"}
SOURCES = _list_of(TEXT)
CHECKED: Schema = {"sources": SOURCES, "reviewed": DATE}

LEVEL = _one_of(*LEVELS)
VARIANT = _one_of("ambulance", "go_now")

SLOT = _entry(
    {"type": _one_of("scalar", "list", "number")},
    {"values": _list_of(TEXT), "ordered": FLAG, "minimum": NUMBER, "maximum": NUMBER},
)
SLOTS: Schema = {"type": "object", "additionalProperties": SLOT}

SOURCE = _entry(
    {
        "id": TEXT,
        "title": TEXT,
        "publisher": TEXT,
        "year": {"type": ["string", "integer"]},
        "link": {"type": ["string", "null"], "pattern": r"^https?://"},
        "read": _one_of("full", "excerpt", "no"),
    }
)

FACT = _entry({"id": TEXT, "topic": TEXT, "text": TEXT, **CHECKED}, {"cautions": _list_of(TEXT)})
CAUTION = _entry({"id": TEXT, "about": _list_of(TEXT, at_least=0), "text": TEXT, **CHECKED})

FEATURE = _entry({"when": TEXT, "weight": _one_of(*WEIGHTS), "because": TEXT})
KIND = _entry({"id": TEXT, "name": TEXT, "what": TEXT, "clues": TEXT, "level": LEVEL, "sources": SOURCES})
STARTING = _entry({group: {"type": "integer", "minimum": 0, "maximum": 4} for group in AGE_GROUPS})
CAUSE = _entry(
    {
        "id": TEXT,
        "name": TEXT,
        "medical_name": TEXT,
        "also_called": _list_of(TEXT, at_least=0),
        "what": TEXT,
        "why_it_bleeds": TEXT,
        "who": TEXT,
        "starting": STARTING,
        "features": _list_of(FEATURE, at_least=0),
        "next_steps": TEXT,
        "treatment": TEXT,
        "self_care": TEXT,
        "typical_urgency": TEXT,
        **CHECKED,
    },
    {"only_if": TEXT, "serious": FLAG, "open_while": TEXT, "kinds": _list_of(KIND)},
)

STRONGER = _entry({"level": LEVEL, "when": TEXT})
RULE_EXTRAS: Schema = {
    "unless": TEXT,
    "stronger": STRONGER,
    "variant": VARIANT,
    "ambulance_when": TEXT,
    "offer_only": FLAG,
    "enabled": FLAG,
}
RULE = _entry(
    {"id": TEXT, "level": LEVEL, "when": TEXT, "criterion": TEXT, "because": TEXT, "why": TEXT, **CHECKED},
    RULE_EXTRAS,
)
GATE_ITEM = _entry({"id": TEXT, "when": TEXT, "criterion": TEXT, **CHECKED}, {"because": TEXT, "why": TEXT})
COMBINING_RULE = _entry(
    {"id": TEXT, "rule": TEXT, **CHECKED},
    {"carried_out_by": TEXT, "level": LEVEL, "when": TEXT, "because": TEXT, "why": TEXT, **RULE_EXTRAS},
)

QUESTION = _entry(
    {"slot": TEXT, "ids": _list_of(TEXT), "why": TEXT, **CHECKED},
    {"ask_when": TEXT, "skip_when": TEXT, "never_skipped": FLAG, "unanswered": TEXT, "declined": TEXT},
)

SCHEMAS: dict[str, Schema] = {
    "slots.yml": _entry({"slots": SLOTS}, {"finer_slots": SLOTS}),
    "conditions.yml": _entry({"conditions": {"type": "object", "additionalProperties": TEXT}}),
    "sources.yml": _entry({"sources": _list_of(SOURCE)}),
    "facts.yml": _entry({"facts": _list_of(FACT), "cautions": _list_of(CAUTION, at_least=0)}),
    "causes.yml": _entry({"causes": _list_of(CAUSE)}),
    "rules.yml": _entry(
        {
            "rules": _list_of(RULE),
            "gate": _list_of(GATE_ITEM),
            "combining": _list_of(COMBINING_RULE, at_least=0),
        }
    ),
    "questions.yml": _entry({"questions": _list_of(QUESTION)}),
}
"""The files of `knowledge/`, in the order in which they are read."""


def _is_date(_: object, value: object) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


_TYPES = Draft202012Validator.TYPE_CHECKER.redefine("date", _is_date)
_Validator: type[Validator] = extend(Draft202012Validator, type_checker=_TYPES)  # type: ignore[no-untyped-call]


def check_shape(document: Document, schema: Schema) -> None:
    """Note where a document differs from its shape."""
    for error in _Validator(schema).iter_errors(document.data):
        path = tuple(error.absolute_path)
        for place, message in _messages(error):
            document.fault((*path, *place), f"{label(document, path)}: {message}")


def label(document: Document, path: YamlPath) -> str:
    """What people call an entry: its id, slot or name, and the part of it."""
    if len(path) < 2:
        return str(path[0]) if path else "file"
    found = _at(document.data, path[:2])
    name = found.get("id") or found.get("slot") if isinstance(found, dict) else None
    if not isinstance(name, str):
        name = path[1] if isinstance(path[1], str) else f"{path[0]}, entry {path[1] + 1}"
    parts = [f"{step + 1}" if isinstance(step, int) else step for step in path[2:]]
    return f"{name}: {' '.join(parts)}" if parts else name


def _at(data: object, path: YamlPath) -> object:
    """What stands at a place in nested lists and mappings."""
    for step in path:
        if isinstance(data, (dict, list)):
            data = data[step]  # type: ignore[index]
    return data


def _messages(error: ValidationError) -> Iterator[tuple[YamlPath, str]]:
    """A schema error in plain words, with the place inside the entry where it is."""
    rule: object = error.validator
    wanted: Any = error.validator_value
    value: Any = error.instance
    schema: Any = error.schema
    if rule == "required":
        yield (), f"'{error.message.split(chr(39))[1]}' is missing"
    elif rule == "additionalProperties":
        yield from _unknown_keys(value, schema["properties"])
    elif rule == "type":
        yield (), f"must be {_kinds(wanted)}, not {_shown(value)}"
    elif rule == "enum":
        hint = suggestion(str(value), wanted)
        yield (), f"must be one of {', '.join(wanted)}, not {_shown(value)}{hint}"
    elif rule == "pattern":
        yield (), "must be a link that starts with http" if "http" in wanted else "must not be empty"
    elif rule == "minItems":
        yield (), "must not be empty"
    elif rule == "uniqueItems":
        yield (), "holds the same thing twice"
    else:
        yield (), error.message


def _unknown_keys(entry: dict[object, object], known: Iterable[str]) -> Iterator[tuple[YamlPath, str]]:
    """One message for each key that the entry should not have."""
    names = list(known)
    for key in entry:
        if isinstance(key, str) and key not in names:
            yield (key,), f"unknown key '{key}'{suggestion(key, names) or '; it takes ' + ', '.join(names)}"


KINDS = {
    "string": "text",
    "array": "a list",
    "object": "a mapping of keys",
    "boolean": "true or false",
    "number": "a number",
    "integer": "a whole number",
    "date": "a date such as 2026-01-31, without quotes",
    "null": "null",
}


def _kinds(wanted: str | list[str]) -> str:
    """The kinds of value wanted, for people."""
    return " or ".join(KINDS[kind] for kind in ([wanted] if isinstance(wanted, str) else wanted))


def _shown(value: object) -> str:
    """A value as its author may know it; YAML reads bare yes, no, on and off as true and false."""
    if isinstance(value, bool):
        return f"{str(value).lower()} (put quotes around yes, no, on and off)"
    if isinstance(value, dict):
        return "a mapping of keys"
    return "a list" if isinstance(value, list) else f"'{value}'"
