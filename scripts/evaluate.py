"""Measure what the trained model understands, on messages that it was not trained on.

python scripts/evaluate.py [--model models/spotwise.tar.gz] [--misses]     # `make train` first

Reads tests/nlu/: messages with their intents, and red flags with messages that only look like them.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import assistant  # noqa: E402

assistant.silence_libraries()

import numpy as np  # noqa: E402
import rasa.utils.log_utils  # noqa: E402
import yaml  # noqa: E402
from rasa.core.agent import Agent  # noqa: E402

TESTS = ROOT / "tests" / "nlu"
RED_FLAGS = ("report_emergency", "report_assault", "report_self_harm")
FALLBACK = "nlu_fallback"


@dataclass(frozen=True)
class Result:
    """One message and what the model made of it."""

    text: str
    wanted: str
    found: str
    confidence: float
    milliseconds: float


def messages_of(path: Path) -> list[tuple[str, str]]:
    """The messages of a test set, each with its intent."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if isinstance(content, list):
        return [(entry["text"], entry["intent"]) for entry in content]
    return [
        (line.removeprefix("- "), block["intent"])
        for block in content["nlu"]
        for line in block["examples"].splitlines()
    ]


async def understand(agent: Agent, messages: Iterable[tuple[str, str]]) -> list[Result]:
    """Parse every message."""
    results = []
    for text, wanted in messages:
        start = time.perf_counter()
        parsed: dict[str, Any] = await agent.parse_message(text)
        took = (time.perf_counter() - start) * 1000
        intent = parsed["intent"]
        results.append(Result(text, wanted, intent["name"], intent["confidence"], took))
    return results


def scores(results: Sequence[Result]) -> dict[str, tuple[float, float, float, int]]:
    """Precision, recall, F1 and number of messages of each intent."""
    wanted, found = (Counter(getattr(r, name) for r in results) for name in ("wanted", "found"))
    right = Counter(r.wanted for r in results if r.wanted == r.found)
    return {
        intent: (
            right[intent] / (found[intent] or 1),
            right[intent] / count,
            2 * right[intent] / (count + found[intent]),
            count,
        )
        for intent, count in sorted(wanted.items())
    }


def report_intents(results: Sequence[Result], show_misses: bool) -> None:
    """Print the table of intents."""
    by_intent = scores(results)
    print(f"{'intent':26} precision  recall      f1   n")
    for intent, (precision, recall, f1, count) in by_intent.items():
        print(f"{intent:26} {precision:9.2f} {recall:7.2f} {f1:7.2f} {count:3}")
    misses = [r for r in results if r.found != r.wanted]
    fallbacks = [r for r in misses if r.found == FALLBACK]
    print(
        f"\n{len(results)} messages: accuracy {1 - len(misses) / len(results):.3f}, "
        f"macro F1 {np.mean([f1 for _, _, f1, _ in by_intent.values()]):.3f}, "
        f"asked back {len(fallbacks)}, wrong {len(misses) - len(fallbacks)}"
    )
    show(misses, show_misses)


def report_red_flags(results: Sequence[Result], show_misses: bool) -> None:
    """Print how many red flags are caught, and how many look-alikes are raised."""
    real = [r for r in results if r.wanted != "none"]
    alike = [r for r in results if r.wanted == "none"]
    missed = [r for r in real if r.found not in RED_FLAGS]
    mixed_up = [r for r in real if r.found in RED_FLAGS and r.found != r.wanted]
    raised = [r for r in alike if r.found in RED_FLAGS]
    print(
        f"{len(real)} red flags: caught {1 - len(missed) / len(real):.3f}, as the wrong one {len(mixed_up)}\n"
        f"{len(alike)} look-alikes: raised {len(raised) / len(alike):.3f}"
    )
    show([*missed, *mixed_up, *raised], show_misses)


def show(misses: Sequence[Result], wanted: bool) -> None:
    """List misses."""
    for r in sorted(misses, key=lambda r: r.wanted) if wanted else ():
        print(f"  {r.wanted} -> {r.found} {r.confidence:.2f} | {r.text}")


async def main() -> None:
    """Evaluate the model on every test set."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--model", default=str(ROOT / "models" / "spotwise.tar.gz"))
    parser.add_argument("--misses", action="store_true", help="list every message that was misread")
    arguments = parser.parse_args()
    rasa.utils.log_utils.configure_structlog()
    agent = Agent.load(arguments.model)
    await understand(agent, [("hello", "greet")] * 5)  # warm up
    times: list[float] = []
    for path in sorted(TESTS.glob("*.yml")):
        results = await understand(agent, messages_of(path))
        times += [r.milliseconds for r in results]
        print(f"\n== {path.relative_to(ROOT)}")
        report = report_red_flags if path.stem.startswith("red_flags") else report_intents
        report(results, arguments.misses)
    print(f"\nmilliseconds a message: p50 {np.median(times):.1f}, p95 {np.percentile(times, 95):.1f}")


if __name__ == "__main__":
    asyncio.run(main())
