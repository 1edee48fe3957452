"""Measure the assistant beside what people would otherwise run, whole conversations over HTTP.

    make bench        # prints a table, writes results/bench.json, README.md and docs/performance.md

All run at the same time and are asked in turn, so that whatever else the machine does falls on all alike. The
figures are medians of the rounds. Training Rasa's default pipeline takes long, the first time.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import uuid
from collections.abc import Mapping
from datetime import date
from itertools import cycle, islice
from statistics import median
from typing import Any

from bench.pages import ROOT, write_between
from bench.rivals import Rival, Running, rivals
from bench.talk import converse, percentile, turns_per_second

ROUNDS = 3
CONVERSATIONS = 3
"""Whole conversations of a round, one after the other."""
AT_ONCE = (1, 8, 32)
SECONDS = 6.0
"""How long each number of people talks."""
LONG = 64
"""Turns of the long conversation."""
EARLY, LATE = 5, 60
ASIDES = ("why do you ask?", "what is a polyp?")
"""Said in the long one: they leave the open question open, so that late turns do what early ones do."""
RUN = uuid.uuid4().hex[:8]
"""In the names of the people: the assistant remembers those of an earlier run, and would go on with them."""

ROWS = (
    ("p50_ms", "turn, p50", "{:.0f} ms"),
    ("p95_ms", "turn, p95", "{:.0f} ms"),
    ("p99_ms", "turn, p99", "{:.0f} ms"),
    *((f"at_once_{number}", f"turns a second, {number} at once", "{:.1f}") for number in AT_ONCE),
    ("memory_mb", "memory, all processes", "{:,.0f} MB"),
    ("cold_start_s", "start to first answer", "{:.1f} s"),
    ("training_s", "training", "{:,.0f} s"),
    ("model_mb", "model on disk", "{:.1f} MB"),
    ("late_to_early", f"turn {LATE} to turn {EARLY} of one conversation", "{:.2f} times"),
)
"""Figure, what it is called, and how it is written."""

GOALS = (
    ("p50_ms", "starter", 0.5, "at most half of the starter's"),
    ("p95_ms", "starter", 0.5, "at most half of the starter's"),
    ("p50_ms", "default", 1 / 3, "at most a third of the default pipeline's"),
    ("p95_ms", "default", 1 / 3, "at most a third of the default pipeline's"),
    ("p50_ms", "floor", 2.0, "at most twice the floor's"),
    ("memory_mb", "default", 0.5, "at most half of the default pipeline's"),
    ("cold_start_s", "starter", 0.5, "at most half of the starter's"),
    ("at_once_8", "default", 3.0, "at least 3 times the default pipeline's"),
)
"""Figure, rival, ratio to it, in words. More is better only for turns a second."""

Figures = dict[str, dict[str, float]]


def a_round(number: int, rival: Rival, running: Running) -> dict[str, float]:
    """What one rival comes to in one round."""
    texts, name = rival.conversation, f"{RUN}-{number}"
    turns = [
        seconds
        for place in range(CONVERSATIONS)
        for seconds in converse(running.port, f"{name}-{place}", texts)
    ]
    long = converse(running.port, f"{name}-long", [*texts[:2], *islice(cycle(ASIDES), LONG - 2)])
    early, late = (median(long[at - 3 : at + 3]) for at in (EARLY, LATE))
    return {
        **{f"p{share}_ms": percentile(turns, share / 100) for share in (50, 95, 99)},
        "late_to_early": late / early,
    }


def measured() -> Figures:
    """Every figure of every rival, the median of the rounds."""
    found: dict[str, list[dict[str, float]]] = {}
    training = {rival.name: rival.trained() for rival in rivals()}
    with contextlib.ExitStack() as stack:
        running: dict[str, tuple[Rival, Running]] = {}
        for rival in rivals():
            print(f"starting: {rival.what} ...", flush=True)
            server = stack.enter_context(rival.started())
            running[rival.name] = rival, server
            converse(server.port, f"{RUN}-warm-up", rival.conversation)
        for number in range(ROUNDS):
            for name, (rival, server) in running.items():
                print(f"round {number + 1} of {ROUNDS}: {rival.what}", flush=True)
                found.setdefault(name, []).append(a_round(number, rival, server))
            for at_once in AT_ONCE:
                for name, (rival, server) in running.items():
                    speed = turns_per_second(
                        server.port, at_once, rival.conversation, SECONDS, f"{RUN}-{number}"
                    )
                    found[name][-1][f"at_once_{at_once}"] = speed
        figures = {name: _medians(rounds) for name, rounds in found.items()}
        for name, (rival, server) in running.items():
            figures[name] |= {
                "memory_mb": server.memory,
                "cold_start_s": server.cold_start,
                "training_s": training[name],
                "model_mb": rival.model.stat().st_size / 2**20,
            }
    return figures


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {key: median(each[key] for each in rounds) for key in rounds[0]}


def table(figures: Mapping[str, Mapping[str, float]]) -> str:
    """The figures as a table, a column for each rival."""
    names = {rival.name: rival.what for rival in rivals()}
    lines = [f"|  | {' | '.join(names.values())} |", "|---" * (len(names) + 1) + "|"]
    for key, words, written in ROWS:
        cells = " | ".join(written.format(figures[name][key]) for name in names)
        lines.append(f"| {words} | {cells} |")
    return "\n".join(lines)


def goals(figures: Mapping[str, Mapping[str, float]]) -> str:
    """What was to be reached, as ratios within one run, and whether it was."""
    lines = ["| figure | goal | ratio | |", "|---|---|---|---|"]
    called = {key: words for key, words, _ in ROWS}
    for key, rival, wanted, words in GOALS:
        ratio = figures["spotwise"][key] / figures[rival][key]
        good = ratio >= wanted if key.startswith("at_once") else ratio <= wanted
        lines.append(
            f"| {called[key]} | {words} | {ratio:.2f} | {'reached' if good else '**not reached**'} |"
        )
    ours = figures["spotwise"]
    for key, wanted, words in (("late_to_early", 1.2, "at most 1.2"), ("training_s", 60.0, "under 60 s")):
        good = ours[key] <= wanted
        lines.append(
            f"| {called[key]} | {words} | {ours[key]:.2f} | {'reached' if good else '**not reached**'} |"
        )
    return "\n".join(lines)


def about() -> str:
    """When and on what this was measured."""
    cores = os.cpu_count() or 1
    return f"Measured on {date.today()} on {cores} cores, Python {platform.python_version()}."


def main() -> None:
    """Run everything, print the table, write the figures."""
    figures: dict[str, Any] = measured()
    print(table(figures))
    print(goals(figures))
    target = ROOT / "results" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(figures, indent=1))
    write_between("bench", f"{about()}\n\n{table(figures)}", ROOT / "README.md")
    write_between("goals", f"{about()}\n\n{goals(figures)}", ROOT / "docs" / "performance.md")


if __name__ == "__main__":
    main()
