"""Can a condition ever be true? A rule that can never hold is a mistake, and a silent one.

Each slot has a small set of possible contents: its values, or not told. The search below takes a condition
apart, narrows what each slot may hold, and tries the alternatives of every `or`, until it finds contents that
fit or none are left. Slots are taken as independent of each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from spotwise.conditions import (
    COMPARISONS,
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Known,
    Node,
    Not,
    OneOf,
    Vocabulary,
)

MOST_STEPS = 20_000
"""Where a search takes longer than this, the condition counts as satisfiable: no false alarm."""

Content = str | float | bool | None
Variable = tuple[str, str | None]
"""A scalar or number slot (with None), or one value of a list slot, which is there or not."""

Goal = tuple[Node, bool]
"""A part of a condition, and whether it shall hold."""


@dataclass(frozen=True)
class _Way:
    """One way to reach a goal: other goals, and what variables may hold."""

    goals: tuple[Goal, ...] = ()
    limits: Mapping[Variable, frozenset[Content]] = field(default_factory=dict)


def satisfiable(
    wanted: Iterable[Condition], vocabulary: Vocabulary, refused: Iterable[Condition] = ()
) -> bool:
    """Whether some facts make all `wanted` conditions true and none of the `refused` ones."""
    goals = [(condition.node, True) for condition in wanted]
    goals += [(condition.node, False) for condition in refused]
    return _Search(vocabulary, goals).succeeds()


def impossible_parts(condition: Condition, vocabulary: Vocabulary) -> list[Node]:
    """The alternatives of `or` in a condition that can never hold, outermost first."""
    return list(_impossible(condition.node, vocabulary))


def _impossible(node: Node, vocabulary: Vocabulary) -> Iterator[Node]:
    """The impossible alternatives at or below a part; what stands under `not` is left alone."""
    if isinstance(node, (AllOf, AnyOf)):
        for part in node.parts:
            if isinstance(node, AnyOf) and not _Search(vocabulary, [(part, True)]).succeeds():
                yield part
            else:
                yield from _impossible(part, vocabulary)


class _Search:
    """A search for slot contents that reach every goal."""

    def __init__(self, vocabulary: Vocabulary, goals: Sequence[Goal]) -> None:
        self.vocabulary = vocabulary
        self.goals = tuple(goals)
        self.numbers = _sample_numbers([node for node, _ in goals], vocabulary)
        self.steps = 0

    def succeeds(self) -> bool:
        """Whether such contents exist (or the search was given up)."""
        return self._reach(self.goals, {})

    def _reach(self, goals: tuple[Goal, ...], state: Mapping[Variable, frozenset[Content]]) -> bool:
        """Reach the goals one by one, those with a single way first."""
        self.steps += 1
        if not goals or self.steps > MOST_STEPS:
            return True
        ways_of = [self._ways(node, wanted) for node, wanted in goals]
        chosen = min(range(len(goals)), key=lambda index: len(ways_of[index]))
        rest = goals[:chosen] + goals[chosen + 1 :]
        for way in ways_of[chosen]:
            narrowed = _narrow(state, way.limits)
            if narrowed is not None and self._reach(rest + way.goals, narrowed):
                return True
        return False

    def _ways(self, node: Node, wanted: bool) -> list[_Way]:
        """The ways to make a part hold, or not hold."""
        if isinstance(node, Not):
            return [_Way(goals=((node.part, not wanted),))]
        if isinstance(node, (AllOf, AnyOf)):
            goals = tuple((part, wanted) for part in node.parts)
            together = isinstance(node, AllOf) == wanted
            return [_Way(goals=goals)] if together else [_Way(goals=(goal,)) for goal in goals]
        if self._is_list(node.slot):
            return self._ways_in_list(node, wanted)
        contents = self._contents(node.slot)
        fitting = frozenset(content for content in contents if _fits(node, content) == wanted)
        return [_Way(limits={(node.slot, None): fitting})]

    def _ways_in_list(self, node: OneOf | Compare | Known, wanted: bool) -> list[_Way]:
        """For a list slot each value is a variable of its own: there or not."""
        values = node.values if isinstance(node, OneOf) else self.vocabulary[node.slot].values
        if wanted:
            return [_Way(limits={(node.slot, value): frozenset({True})}) for value in values]
        return [_Way(limits={(node.slot, value): frozenset({False}) for value in values})]

    def _is_list(self, slot: str) -> bool:
        return slot in self.vocabulary and self.vocabulary[slot].type == "list"

    def _contents(self, slot: str) -> tuple[Content, ...]:
        """What a scalar or number slot may hold; None is "not told"."""
        if slot not in self.vocabulary:
            return (None, "something")
        if self.vocabulary[slot].type == "number":
            return (None, *self.numbers.get(slot, (self.vocabulary[slot].minimum,)))
        return (None, *self.vocabulary[slot].values)


def _fits(node: OneOf | Compare | Known, content: Content) -> bool:
    """Whether a slot with this content makes the part hold."""
    if content is None:
        return False
    if isinstance(node, OneOf):
        return content in node.values
    if isinstance(node, Compare):
        return isinstance(content, float) and COMPARISONS[node.sign](content, node.number)
    return True


def _narrow(
    state: Mapping[Variable, frozenset[Content]], limits: Mapping[Variable, frozenset[Content]]
) -> Mapping[Variable, frozenset[Content]] | None:
    """The state with the limits added, or None where nothing is left for a variable."""
    narrowed = dict(state)
    for variable, limit in limits.items():
        left = narrowed.get(variable, limit) & limit
        if not left:
            return None
        narrowed[variable] = left
    return narrowed


def _sample_numbers(nodes: Iterable[Node], vocabulary: Vocabulary) -> dict[str, tuple[float, ...]]:
    """For each number slot, the ends of its range, the numbers compared with, and one between each two."""
    compared: dict[str, set[float]] = {}
    for compare in (found for node in nodes for found in _comparisons(node)):
        compared.setdefault(compare.slot, set()).add(compare.number)
    samples: dict[str, tuple[float, ...]] = {}
    for slot, numbers in compared.items():
        marks = sorted(float(mark) for mark in {*numbers, vocabulary[slot].minimum, vocabulary[slot].maximum})
        samples[slot] = (*marks, *((low + high) / 2 for low, high in pairwise(marks)))
    return samples


def _comparisons(node: Node) -> Iterator[Compare]:
    """Every comparison in a part."""
    if isinstance(node, Compare):
        yield node
    elif isinstance(node, Not):
        yield from _comparisons(node.part)
    elif isinstance(node, (AllOf, AnyOf)):
        for part in node.parts:
            yield from _comparisons(part)
