"""The small condition language in which rules, causes and questions are written.

A condition is a line of text such as `bleeding_amount above spotting and not danger_signs has fever`.
It is parsed once, against the vocabulary of `knowledge/slots.yml`, so that a misspelt slot or value is
found when the knowledge is loaded, not when somebody needs the rule.

    condition = or_part ("or" or_part)*
    or_part   = and_part ("and" and_part)*
    and_part  = "not" and_part | "(" condition ")" | atom
    atom      = SLOT "is" VALUE | SLOT "in" "(" VALUE ("," VALUE)* ")" | SLOT "above" VALUE
              | SLOT "has" VALUE | SLOT "has" "any" "(" VALUE ("," VALUE)* ")"
              | SLOT (">=" | "<=" | "<" | ">") NUMBER | SLOT "known" | SLOT "unknown" | NAME

What is not known is never true: `pregnancy is no` is false until the person has said so, and therefore
`not pregnancy is no` is true until then.
"""

from __future__ import annotations

import difflib
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NoReturn, TypeAlias

Facts = Mapping[str, object]
"""What the person told: slot -> str | list[str] | float | None. A missing slot is None."""

Atom = tuple[str, object]
"""A slot and the person's own value of it."""

SlotType = Literal["scalar", "list", "number"]

KEYWORDS = frozenset({"and", "or", "not", "is", "in", "has", "any", "above", "known", "unknown"})

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}

RELATIONS = frozenset({"is", "in", "has", "above", "known", "unknown", *COMPARISONS})


class ConditionError(ValueError):
    """A condition that cannot be read; the message says what is wrong in words for its author."""


# --- The vocabulary -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Slot:
    """One fact the assistant can hold, and the values it may take."""

    name: str
    type: SlotType
    values: tuple[str, ...] = ()
    ordered: bool = False
    minimum: float = float("-inf")
    maximum: float = float("inf")

    def above(self, value: str) -> tuple[str, ...]:
        """The values of an ordered slot that are more urgent than `value`."""
        return self.values[self.values.index(value) + 1 :]


@dataclass(frozen=True)
class Vocabulary:
    """Every slot by name, in the order of `knowledge/slots.yml`."""

    slots: Mapping[str, Slot] = field(default_factory=dict)

    @classmethod
    def of(cls, slots: Iterable[Slot]) -> Vocabulary:
        """The vocabulary made of these slots."""
        return cls({slot.name: slot for slot in slots})

    def __contains__(self, name: object) -> bool:
        """Whether there is such a slot."""
        return name in self.slots

    def __getitem__(self, name: str) -> Slot:
        """The slot of that name."""
        return self.slots[name]


# --- Reading facts ------------------------------------------------------------------------------


def values_of(facts: Facts, slot: str) -> tuple[str, ...]:
    """What the person told for a scalar or list slot, as a tuple; empty when unknown."""
    value = facts.get(slot)
    if value is None:  # most slots, most of the time
        return ()
    if isinstance(value, str):
        return (value,) if value else ()
    if isinstance(value, (list, tuple, set, frozenset)):
        return tuple(item for item in value if isinstance(item, str))
    return ()


def number_of(facts: Facts, slot: str) -> float | None:
    """The number the person told for a slot, or None when unknown."""
    value = facts.get(slot)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and not math.isnan(value):
        return value
    return None


def is_known(facts: Facts, slot: str) -> bool:
    """Whether anything was told for a slot, be it only "not sure". An empty list is not known."""
    return bool(values_of(facts, slot)) or number_of(facts, slot) is not None


# --- The parts of a condition -------------------------------------------------------------------


@dataclass(frozen=True)
class OneOf:
    """`SLOT is VALUE`, `SLOT in (A, B)`, `SLOT has VALUE`, `SLOT has any (A, B)`, `SLOT above VALUE`."""

    slot: str
    values: tuple[str, ...]
    text: str

    def holds(self, facts: Facts) -> bool:
        """Whether the person told one of the values."""
        told = values_of(facts, self.slot)
        return bool(told) and any(value in self.values for value in told)

    def atoms(self, facts: Facts) -> list[Atom]:
        """The told values that are among the wanted ones."""
        return [(self.slot, value) for value in values_of(facts, self.slot) if value in self.values]

    def slots(self) -> frozenset[str]:
        """The slot it reads."""
        return frozenset({self.slot})


@dataclass(frozen=True)
class Compare:
    """`NUMBER_SLOT >= 20` and its siblings."""

    slot: str
    sign: str
    number: float
    text: str

    def holds(self, facts: Facts) -> bool:
        """Whether a number was told and compares so."""
        told = number_of(facts, self.slot)
        return told is not None and COMPARISONS[self.sign](told, self.number)

    def atoms(self, facts: Facts) -> list[Atom]:
        """The told number, where it compares so."""
        return [(self.slot, facts[self.slot])] if self.holds(facts) else []

    def slots(self) -> frozenset[str]:
        """The slot it reads."""
        return frozenset({self.slot})


@dataclass(frozen=True)
class Known:
    """`SLOT known`: something was told, be it only "not sure". An empty list is not known."""

    slot: str
    text: str

    def holds(self, facts: Facts) -> bool:
        """Whether anything was told."""
        return is_known(facts, self.slot)

    def atoms(self, facts: Facts) -> list[Atom]:
        """Everything told for the slot."""
        if number_of(facts, self.slot) is not None:
            return [(self.slot, facts[self.slot])]
        return [(self.slot, value) for value in values_of(facts, self.slot)]

    def slots(self) -> frozenset[str]:
        """The slot it reads."""
        return frozenset({self.slot})


@dataclass(frozen=True)
class Not:
    """`not PART`. What makes it true is something that was not told, so it has no atoms."""

    part: Node
    text: str

    def holds(self, facts: Facts) -> bool:
        """Whether the part does not hold."""
        return not self.part.holds(facts)

    def atoms(self, facts: Facts) -> list[Atom]:
        """Nothing: an absent fact is not a reason to show."""
        return []

    def slots(self) -> frozenset[str]:
        """The slots the part reads."""
        return self.part.slots()


@dataclass(frozen=True)
class AllOf:
    """`A and B`."""

    parts: tuple[Node, ...]
    text: str

    def holds(self, facts: Facts) -> bool:
        """Whether every part holds."""
        return all(part.holds(facts) for part in self.parts)

    def atoms(self, facts: Facts) -> list[Atom]:
        """The atoms of every part, if all hold."""
        return [atom for part in self.parts for atom in part.atoms(facts)] if self.holds(facts) else []

    def slots(self) -> frozenset[str]:
        """The slots its parts read."""
        return frozenset().union(*(part.slots() for part in self.parts))


@dataclass(frozen=True)
class AnyOf:
    """`A or B`."""

    parts: tuple[Node, ...]
    text: str

    def holds(self, facts: Facts) -> bool:
        """Whether a part holds."""
        return any(part.holds(facts) for part in self.parts)

    def atoms(self, facts: Facts) -> list[Atom]:
        """The atoms of the parts that hold."""
        return [atom for part in self.parts for atom in part.atoms(facts)]

    def slots(self) -> frozenset[str]:
        """The slots its parts read."""
        return frozenset().union(*(part.slots() for part in self.parts))


Node: TypeAlias = OneOf | Compare | Known | Not | AllOf | AnyOf


def told_in(facts: Facts) -> frozenset[Atom]:
    """Every value that was told, and for each slot of which anything is known (slot, None)."""
    told = {(slot, value) for slot in facts for value in values_of(facts, slot)}
    known = {(slot, None) for slot in facts if is_known(facts, slot)}
    return frozenset(told | known)


def needed_by(node: Node) -> frozenset[Atom] | None:
    """What `told_in` has to give at least one of for a part to hold; None where it may hold without."""
    match node:
        case OneOf():
            return frozenset((node.slot, value) for value in node.values)
        case Compare() | Known():
            return frozenset({(node.slot, None)})
        case AllOf():
            needs = (atoms for part in node.parts if (atoms := needed_by(part)) is not None)
            return min(needs, key=len, default=None)
        case AnyOf():
            any_of = [needed_by(part) for part in node.parts]
            return None if None in any_of else frozenset().union(*filter(None, any_of))
    return None


@dataclass(frozen=True)
class Condition:
    """A parsed condition. It never changes, and it keeps the words it was written in."""

    text: str
    node: Node = field(repr=False)

    def holds(self, facts: Facts) -> bool:
        """Whether the condition is true of what the person told."""
        return self.node.holds(facts)

    def may_hold(self, told: frozenset[Atom]) -> bool:
        """Whether it may be true where this was told (`told_in`): a quick look, for most are not."""
        return self._needed is None or not self._needed.isdisjoint(told)

    @cached_property
    def _needed(self) -> frozenset[Atom] | None:
        return needed_by(self.node)

    def true_atoms(self, facts: Facts) -> list[Atom]:
        """The person's own facts that make it true, each once, in the order of the condition.

        Facts under `not` do not count. The list is empty when the condition does not hold.
        """
        return list(dict.fromkeys(self.node.atoms(facts))) if self.holds(facts) else []

    def slots(self) -> frozenset[str]:
        """Every slot the condition reads, through named conditions too."""
        return self.node.slots()


# --- The parser ---------------------------------------------------------------------------------

TOKEN = re.compile(r"\s*(?P<token>\d+\.\d+(?!\w)|\w+|>=|<=|[<>(),])")
NUMBER = re.compile(r"\d+(\.\d+)?")
WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Token:
    """A word or sign, and where it stands in the text."""

    text: str
    start: int
    end: int


def parse(text: str, vocabulary: Vocabulary, names: Mapping[str, Condition]) -> Condition:
    """Read a condition; `names` are the named conditions it may use.

    Raises ConditionError for anything the vocabulary or the language does not know.
    """
    for name in names:
        check_name(name, vocabulary)
    return _Parser(text, vocabulary, names).condition()


def parse_names(texts: Mapping[str, str], vocabulary: Vocabulary) -> dict[str, Condition]:
    """Read named conditions in order; each may use the names before it, so there are no circles."""
    names: dict[str, Condition] = {}
    for name, text in texts.items():
        check_name(name, vocabulary)
        names[name] = parse(text, vocabulary, names)
    return names


def check_name(name: str, vocabulary: Vocabulary) -> None:
    """Refuse a name for a condition that could be read as something else."""
    if name in KEYWORDS:
        raise ConditionError(f"'{name}' is a word of the condition language, so it cannot name a condition")
    if name in vocabulary:
        raise ConditionError(f"'{name}' is a slot, so it cannot name a condition too")
    if not WORD.fullmatch(name) or NUMBER.fullmatch(name):
        raise ConditionError(f"'{name}' cannot name a condition: use letters, digits and '_'")


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` where a known word is close, else nothing."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def _tokens(text: str) -> list[Token]:
    """Cut the text into words and signs."""
    found: list[Token] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = TOKEN.match(text, position)
        if match is None:
            raise ConditionError(f"cannot read '{text[position:end].strip()}' in '{text.strip()}'")
        found.append(Token(match["token"], match.start("token"), match.end("token")))
        position = match.end()
    return found


class _Parser:
    """Recursive descent over the tokens of one condition."""

    def __init__(self, text: str, vocabulary: Vocabulary, names: Mapping[str, Condition]) -> None:
        self.text = text
        self.vocabulary = vocabulary
        self.names = names
        self.tokens = _tokens(text)
        self.position = 0

    def condition(self) -> Condition:
        """The whole text as one condition."""
        if not self.tokens:
            raise ConditionError("the condition is empty")
        node = self._any_of()
        if self._peek() is not None:
            self._fail(f"did not expect {self._found()}")
        return Condition(" ".join(self.text.split()), node)

    # The grammar

    def _any_of(self) -> Node:
        start = self.position
        parts = [self._all_of()]
        while self._skip("or"):
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts), self._since(start))

    def _all_of(self) -> Node:
        start = self.position
        parts = [self._part()]
        while self._skip("and"):
            parts.append(self._part())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts), self._since(start))

    def _part(self) -> Node:
        start = self.position
        if self._skip("not"):
            part = self._part()
            return Not(part, self._since(start))
        if self._skip("("):
            inner = self._any_of()
            self._expect(")")
            return inner
        return self._atom()

    def _atom(self) -> Node:
        start = self.position
        word = self._word("a slot or the name of a condition")
        if word in self.vocabulary:
            return self._about(self.vocabulary[word], start)
        if word not in self.names:
            self._unknown_word(word)
        if self._peek() in RELATIONS:
            self._fail(f"'{word}' is a named condition, not a slot, so {self._found()} cannot follow")
        return self.names[word].node

    def _about(self, slot: Slot, start: int) -> Node:
        """The rest of an atom, after its slot."""
        sign = self._peek()
        if sign in ("is", "in", "above", "has"):
            values = self._wanted_values(slot)
            return OneOf(slot.name, values, self._since(start))
        if sign in COMPARISONS:
            return self._compare(slot, start)
        if self._skip("known"):
            return Known(slot.name, self._since(start))
        if self._skip("unknown"):
            return Not(Known(slot.name, f"{slot.name} known"), self._since(start))
        self._fail(f"after the slot '{slot.name}' expected {_relations(slot)}, found {self._found()}")

    def _wanted_values(self, slot: Slot) -> tuple[str, ...]:
        """The values that make `SLOT is/in/above/has ...` true."""
        sign = self._next()
        if sign == "has":
            self._require(slot, "list", "has")
            return self._value_list(slot) if self._skip("any") else (self._value(slot),)
        self._require(slot, "scalar", sign)
        if sign == "in":
            return self._value_list(slot)
        if sign == "is":
            return (self._value(slot),)
        if not slot.ordered:
            self._fail(f"'above' needs an ordered slot, and '{slot.name}' is not ordered")
        value = self._value(slot)
        if not slot.above(value):
            self._fail(f"nothing is above '{value}', the last value of '{slot.name}'")
        return slot.above(value)

    def _value_list(self, slot: Slot) -> tuple[str, ...]:
        self._expect("(")
        values = [self._value(slot)]
        while self._skip(","):
            values.append(self._value(slot))
        self._expect(")")
        return tuple(values)

    def _value(self, slot: Slot) -> str:
        word = self._word(f"a value of '{slot.name}'")
        if word not in slot.values:
            hint = suggestion(word, slot.values) or f" (it takes: {', '.join(slot.values)})"
            self._fail(f"'{word}' is not a value of '{slot.name}'{hint}")
        return word

    def _compare(self, slot: Slot, start: int) -> Compare:
        sign = self._next()
        self._require(slot, "number", sign)
        word = self._peek() or ""
        if not NUMBER.fullmatch(word):
            self._fail(f"expected a number after '{slot.name} {sign}', found {self._found()}")
        number = float(self._next())
        if not slot.minimum <= number <= slot.maximum:
            self._fail(f"'{slot.name}' goes from {slot.minimum:g} to {slot.maximum:g}, not to {word}")
        return Compare(slot.name, sign, number, self._since(start))

    # Moving along the tokens

    def _peek(self) -> str | None:
        return self.tokens[self.position].text if self.position < len(self.tokens) else None

    def _next(self) -> str:
        word = self._peek()
        if word is None:
            self._fail("the condition ends too early")
        self.position += 1
        return word

    def _skip(self, word: str) -> bool:
        if self._peek() != word:
            return False
        self.position += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._skip(word):
            self._fail(f"expected '{word}', found {self._found()}")

    def _word(self, wanted: str) -> str:
        word = self._peek()
        if word is None or word in KEYWORDS or not WORD.fullmatch(word):
            hint = "; put 'not' before the slot" if word == "not" else ""
            self._fail(f"expected {wanted}, found {self._found()}{hint}")
        return self._next()

    def _since(self, start: int) -> str:
        """The text from the token at `start` to the last one read."""
        return " ".join(self.text[self.tokens[start].start : self.tokens[self.position - 1].end].split())

    # Telling what is wrong

    def _require(self, slot: Slot, wanted: SlotType, sign: str) -> None:
        if slot.type != wanted:
            self._fail(f"'{sign}' does not fit '{slot.name}', a {slot.type} slot: use {_relations(slot)}")

    def _unknown_word(self, word: str) -> NoReturn:
        if self._peek() in RELATIONS:
            self._fail(f"unknown slot '{word}'{suggestion(word, self.vocabulary.slots)}")
        hint = suggestion(word, [*self.names, *self.vocabulary.slots])
        self._fail(f"unknown name '{word}'{hint} (a named condition may only use the names before it)")

    def _found(self) -> str:
        word = self._peek()
        return "the end" if word is None else f"'{word}'"

    def _fail(self, message: str) -> NoReturn:
        raise ConditionError(f"{message}, in '{' '.join(self.text.split())}'")


def _relations(slot: Slot) -> str:
    """The relations that fit a slot, for messages."""
    if slot.type == "list":
        fitting = "'has' or 'has any (...)'"
    elif slot.type == "number":
        fitting = "'>=', '<=', '<' or '>'"
    else:
        fitting = "'is', 'in (...)' or 'above'" if slot.ordered else "'is' or 'in (...)'"
    return f"{fitting}, or 'known' or 'unknown'"
