"""Measure how well messages are understood.

python -m evaluation                   # everything but the comparison (make evaluate)
python -m evaluation sets              # without what each part is worth, which takes most of the time
python -m evaluation compare           # beside Rasa's default pipeline (make compare)
python -m evaluation misses [--add]    # take what is right by now off the known misses (make misses)
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial

from evaluation import RESULTS, ROOT


def say(what: str) -> None:
    """Tell how far it is."""
    print(f"  {what}", file=sys.stderr, flush=True)


def evaluate(with_parts: bool = True) -> None:
    """Measure everything, and write it down; without the parts, the document keeps their latest tables."""
    from evaluation import report
    from evaluation.figures import figures
    from evaluation.measure import measured
    from evaluation.parts import VARIANTS, outcomes
    from evaluation.understanding import Assistant

    found = measured(Assistant.trained(), say)
    folds, parts = outcomes(VARIANTS if with_parts else (), say)
    values, file = figures(found, folds, parts), RESULTS / "evaluation.json"
    RESULTS.mkdir(exist_ok=True)
    file.write_text(json.dumps(values, indent=1, ensure_ascii=False), encoding="utf-8")
    tables = report.blocks(values)
    if not with_parts:
        del tables["parts"], tables["components"]
    report.write(tables)
    report.picture([fold.pair for some in folds for fold in some])
    print(f"{tables['summary']}\n\nwritten to {report.DOCUMENT.relative_to(ROOT)}, with tables and misses")


def compare() -> None:
    """Measure the pipelines side by side, and write it down."""
    from evaluation import compare as comparing
    from evaluation import report

    tables = report.comparison(comparing.compare())
    report.write(tables)
    print(f"{tables['comparison']}\n\nwritten to {report.DOCUMENT.relative_to(ROOT)}")


def misses(add: bool) -> None:
    """Write the list of known misses anew."""
    from evaluation.known import FILE, count, known_misses, not_listed, rewrite
    from evaluation.measure import measured
    from evaluation.understanding import Assistant

    found = measured(Assistant.trained(), say).misses()
    off, on = rewrite(found, add=add)
    new = not_listed(found, known_misses())
    print(f"{FILE.relative_to(ROOT)}: {off} taken off, {on} put on, {count(known_misses())} left")
    for name, messages in new.items():
        for text, wrong in messages.items():
            print(f"not on the list: {name}: {text}: {', '.join(wrong)}")
    if new:
        sys.exit(1)


def main() -> None:
    """Do what the command line says."""
    tasks: dict[str, Callable[[], None]] = {
        "evaluate": evaluate,
        "sets": partial(evaluate, with_parts=False),
        "compare": compare,
    }
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("task", nargs="?", default="evaluate", choices=[*tasks, "misses"])
    parser.add_argument("--add", action="store_true", help="also put new misses on the list")
    given = parser.parse_args()
    if given.task == "misses":
        misses(given.add)
    else:
        tasks[given.task]()


if __name__ == "__main__":
    main()
