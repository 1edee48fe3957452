"""Rasa's graph of components, run one after the other.

Rasa has dask plan each run anew, twice to four times a turn, though nothing of the graph changes and nothing
runs at once. Here the order is worked out once.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import rasa.core.processor
from rasa.engine.exceptions import GraphRunError
from rasa.engine.runner.dask import DaskGraphRunner


class OrderedGraphRunner(DaskGraphRunner):  # type: ignore[misc]  # Rasa's types are not seen
    """Runs the components in an order in which each comes after what it needs."""

    def run(self, inputs: dict[str, Any] | None = None, targets: list[str] | None = None) -> dict[str, Any]:
        """Run the components that the targets need; gives the output of each target.

        Raises GraphRunError where a component raises a RuntimeError.
        """
        wanted = tuple(targets or self._graph_schema.target_names)
        order = self._orders.get(wanted)
        if order is None:
            order = self._orders[wanted] = self._order(wanted)
        done: dict[str, Any] = {name: (name, value) for name, value in (inputs or {}).items()}
        try:
            for name in order:
                needs = self._graph_schema.nodes[name].needs.values()
                # What nobody gives is named: the component then tells what it misses.
                done[name] = self._instantiated_nodes[name](*(done.get(need, need) for need in needs))
        except RuntimeError as error:
            raise GraphRunError("Error running runner.") from error
        return {name: done[name][1] for name in wanted}

    @cached_property
    def _orders(self) -> dict[tuple[str, ...], list[str]]:
        """The order for each set of targets that was asked for."""
        return {}

    def _order(self, targets: tuple[str, ...]) -> list[str]:
        nodes = self._graph_schema.minimal_graph_schema(list(targets)).nodes
        order: list[str] = []

        def add(name: str) -> None:
            if name in nodes and name not in order:
                for need in nodes[name].needs.values():
                    add(need)
                order.append(name)

        for name in nodes:
            add(name)
        return order


def use_ordered_graphs() -> None:
    """Have Rasa run the graphs of its loaded models so; it makes the runner when it loads a model."""
    rasa.core.processor.DaskGraphRunner = OrderedGraphRunner
