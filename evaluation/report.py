"""Writes the figures into docs/evaluation.md: its words are by hand, its tables stand between marks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import pyplot

from evaluation import ROOT
from evaluation.figures import Figures, about
from evaluation.measure import Misses
from evaluation.scores import Pair

DOCUMENT = ROOT / "docs" / "evaluation.md"
PICTURE = ROOT / "docs" / "evaluation-confusion.png"
WORST = 8
"""Intents that are shown, from the worst on."""

_NAMES = {"spotwise": "Spotwise", "default": "Rasa's default", "lean": "lean"}


def write(blocks: dict[str, str], document: Path = DOCUMENT) -> None:
    """Put each text between its marks. Raises KeyError where the document has no such marks."""
    text = document.read_text(encoding="utf-8")
    for name, content in blocks.items():
        marks = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not marks.search(text):
            raise KeyError(f"{document.name} has no marks for {name}")
        text = marks.sub(rf"\g<1>{_literal(content)}\n\g<2>", text)
    document.write_text(text, encoding="utf-8")


def blocks(figures: Figures) -> dict[str, str]:
    """The tables of `make evaluate`, by the names of their marks."""
    return {
        "about": _about(figures["about"]),
        "summary": _summary(figures),
        "intents": _intents(figures["intents"]),
        "cross-validation": _cross_validation(figures["cross_validation"]),
        "calibration": _calibration(figures["calibration"]),
        "fallback": _fallback(figures["fallback"]),
        "facts": _facts(figures["facts"]),
        "red-flags": _red_flags(figures["red_flags"]),
        "parts": _parts(figures["parts"]),
        "components": _components(figures["components_ms"]),
        "patients": _patients(figures["patients"]),
        "misses": _misses(figures["misses"], figures["found_instead"]),
    }


def comparison(figures: Figures) -> dict[str, str]:
    """The table of `make compare`."""
    rows: list[tuple[str, str, str]] = [
        ("accuracy", "accuracy", "%"),
        ("accuracy before the fallback", "accuracy_before_fallback", "%"),
        ("macro F1", "macro_f1", "%"),
        ("out-of-scope recall", "out_of_scope_recall", "%"),
        ("red flags with a red flag's intent", "red_flags_caught", "%"),
        ("look-alikes with a red flag's intent", "look_alikes_raised", "%"),
        ("parse p50", "p50_ms", "ms"),
        ("parse p95", "p95_ms", "ms"),
        ("memory of the process", "memory_mb", "MB"),
        ("training", "training_s", "s"),
        ("training, time of the processors", "training_cpu_s", "s"),
        ("loading the model", "load_s", "s"),
        ("from nothing to the first parse", "start_s", "s"),
        ("model file", "model_mb", "MB"),
    ]
    names = list(figures)
    table = _table(
        ("", *(_NAMES[name] for name in names)),
        ([title, *(_with_unit(figures[name][key], unit) for name in names)] for title, key, unit in rows),
    )
    return {"comparison": f"{_about(about())}\n\n{table}"}


def picture(pairs: Sequence[Pair], path: Path = PICTURE) -> None:
    """Draw which intents are taken for which: each row is an intent, in percent of its messages."""
    matplotlib.use("Agg")
    names = sorted({pair.wanted for pair in pairs})
    place = {name: i for i, name in enumerate(names)}
    counts = np.zeros((len(names), len(names)))
    for pair in pairs:
        counts[place[pair.wanted], place[pair.found]] += 1
    percent = 100 * counts / counts.sum(axis=1, keepdims=True)
    shown, axes = pyplot.subplots(figsize=(15, 14))
    axes.imshow(np.sqrt(percent), cmap="Blues", vmin=0, vmax=10)
    for row, column in zip(*np.nonzero(percent >= 0.95), strict=True):
        dark = percent[row, column] > 45
        axes.text(
            column, row, f"{percent[row, column]:.0f}", ha="center", va="center", fontsize=8,
            color="white" if dark else "black",
        )  # fmt: skip
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=9)
    axes.set_yticks(range(len(names)), names, fontsize=9)
    axes.set_xticks(np.arange(-0.5, len(names)), minor=True)
    axes.set_yticks(np.arange(-0.5, len(names)), minor=True)
    axes.grid(which="minor", color="0.9", linewidth=0.5)
    axes.tick_params(which="minor", length=0)
    axes.set_xlabel("found")
    axes.set_ylabel("wanted")
    axes.set_title(f"Cross-validation over {len(pairs):,} examples: percent of each intent's messages")
    shown.tight_layout()
    shown.savefig(path, dpi=90)
    pyplot.close(shown)


# --- parts of the document ---


def _about(figures: Figures) -> str:
    return "Measured on {date}: {machine}, Python {python}, Rasa {rasa}.".format(**figures)


def _summary(figures: Figures) -> str:
    intents, flags = figures["intents"]["sets"]["all"], figures["red_flags"]["sets"]["all"]
    lowest = min(figures["intents"]["by_intent"].values(), key=lambda score: float(score["f1"]))
    facts = [entry["all"] for entry in figures["facts"].values()]
    rows = [
        ("intents: macro F1", "95 %", _percent(intents["macro_f1"])),
        ("intents: lowest F1 of one", "85 %", _percent(lowest["f1"])),
        ("intents: out-of-scope recall", "90 %", _percent(intents["out_of_scope_recall"])),
        ("facts: precision, each set", "97 %", ", ".join(_percent(one["precision"]) for one in facts)),
        ("facts: recall, each set", "93 %", ", ".join(_percent(one["recall"]) for one in facts)),
        (
            "facts wrongly taken from messages about what is not so, or of others",
            "under 2 %",
            _percent(figures["wrongly_taken"]["share"]),
        ),
        ("red flags caught", "100 %", _percent(flags["caught"])),
        ("look-alikes raised", "at most 5 %", _percent(flags["raised"])),
        (
            "milliseconds a parse, p50 and p95",
            "",
            f"{figures['intents']['p50_ms']:.0f} and {figures['intents']['p95_ms']:.0f}",
        ),
    ]
    return _table(("", "wanted", "now"), rows)


def _intents(figures: Figures) -> str:
    sets = _table(
        ("set", "messages", "accuracy", "macro F1", "out-of-scope recall", "asked back", "worst intent"),
        (
            [
                _file(name, "nlu"),
                one["messages"],
                _percent(one["accuracy"]),
                _percent(one["macro_f1"]),
                _percent(one["out_of_scope_recall"]),
                _percent(one["asked_back"]),
                f"`{one['worst']}` {_percent(one['worst_f1'])}",
            ]
            for name, one in figures["sets"].items()
        ),
    )
    return f"{sets}\n\nThe intents that fare worst, over all sets:\n\n{_by_intent(figures['by_intent'])}"


def _by_intent(by_intent: Figures) -> str:
    worst = sorted(by_intent, key=lambda name: float(by_intent[name]["f1"]))[:WORST]
    return _table(
        ("intent", "messages", "precision", "recall", "F1"),
        (
            [
                f"`{name}`",
                by_intent[name]["count"],
                *(_percent(by_intent[name][key]) for key in ("precision", "recall", "f1")),
            ]
            for name in worst
        ),
    )


def _cross_validation(figures: Figures) -> str:
    confused = _table(
        ("wanted", "found", "times"),
        ([f"`{one['wanted']}`", f"`{one['found']}`", one["times"]] for one in figures["confused"]),
    )
    accuracy, lowest, highest, f1 = (
        _percent(figures[key]) for key in ("accuracy", "lowest", "highest", "macro_f1")
    )
    return (
        f"{figures['examples']:,} examples in {figures['folds']} folds: accuracy {accuracy} "
        f"({lowest} to {highest}), macro F1 {f1}.\n\n"
        f"{_by_intent(figures['by_intent'])}\n\nTaken for another most often:\n\n{confused}"
    )


def _calibration(figures: Figures) -> str:
    tables = []
    for key, title in (("sets", "The sets, red flags put first"), ("cross_validation", "Cross-validation")):
        table = _table(
            ("confidence", "messages", "mean confidence", "right"),
            (
                [
                    f"{one['least']:.2f} to {min(one['below'], 1):.2f}",
                    one["count"],
                    _percent(one["confidence"]),
                    _percent(one["accuracy"]),
                ]
                for one in figures[key]["bins"]
            ),
        )
        tables.append(f"{title} (mean distance {_percent(figures[key]['error'])}):\n\n{table}")
    return "\n\n".join(tables)


def _fallback(figures: Figures) -> str:
    table = _table(
        (
            "threshold",
            "sets: asked back",
            "right of the rest",
            "wrong ones stopped",
            "5 fold: asked back",
            "right of the rest",
            "wrong ones stopped",
        ),
        (
            [
                f"{one['threshold']:.2f}" + (" (chosen)" if one["threshold"] == figures["threshold"] else ""),
                *(
                    _percent(some[key])
                    for some in (one, other)
                    for key in ("asked_back", "right", "wrong_stopped")
                ),
            ]
            for one, other in zip(figures["sets"], figures["cross_validation"], strict=True)
        ),
    )
    return (
        f"A near tie (less than {figures['ambiguity']:g} apart) is asked back at every threshold.\n\n{table}"
    )


def _facts(figures: Figures) -> str:
    parts = []
    for name, one in figures.items():
        kinds = {**one["kinds"], "all": one["all"]} if len(one["kinds"]) > 1 else {"all": one["all"]}
        table = _table(
            ("kind", "messages", "facts", "precision", "recall", "messages with a fact too many"),
            (
                [
                    kind.replace("_", " "),
                    some["messages"],
                    some["stated"],
                    *(_percent(some[key]) if some["stated"] else "" for key in ("precision", "recall")),
                    _percent(some["with_wrong"]),
                ]
                for kind, some in kinds.items()
            ),
        )
        alike = one["look_alikes"]
        parts.append(f"{_file(name, 'reading')}:\n\n{table}")
        if alike["count"]:
            taken = _percent(alike["taken"])
            parts.append(
                f"Of {alike['count']} facts labelled as only seeming to be told, {taken} were taken."
            )
    return "\n\n".join(parts)


def _red_flags(figures: Figures) -> str:
    sets = _table(
        (
            "set",
            "red flags",
            "caught",
            "with words of another kind",
            "look-alikes",
            "raised",
            "noted as for the same day",
        ),
        (
            [
                _file(name, "nlu"),
                one["red_flags"],
                _percent(one["caught"]),
                one["mixed_up"],
                one["look_alikes"],
                _percent(one["raised"]),
                _percent(one["noted"]),
            ]
            for name, one in figures["sets"].items()
        ),
    )
    signs = _table(
        ("sign", "messages", "caught"),
        (
            [sign.replace("_", " "), one["count"], _percent(one["caught"])]
            for sign, one in figures["signs"].items()
        ),
    )
    return f"{sets}\n\n{signs}"


def _parts(figures: Iterable[Figures]) -> str:
    keys = ("held_out", "accuracy", "macro_f1", "caught", "raised", "precision", "recall")
    return _table(
        (
            "without",
            "unseen fifth",
            "accuracy",
            "macro F1",
            "red flags caught",
            "look-alikes raised",
            "facts: precision",
            "recall",
            "ms",
        ),
        (
            [
                f"({one['name']})" if one["name"] == "everything" else one["name"],
                *(_percent(one[key]) for key in keys),
                f"{one['ms']:.1f}",
            ]
            for one in figures
        ),
    )


def _components(figures: Figures) -> str:
    return _table(("component", "ms"), ([f"`{name}`", f"{ms:.1f}"] for name, ms in figures.items()))


def _patients(figures: Figures) -> str:
    return _table(
        ("set", "people", "level right", "under-triaged", "cause in the first 3"),
        (
            [_file(name, "patients"), one["people"], one["right"], one["under"], one["cause"]]
            for name, one in figures.items()
        ),
    )


def _misses(misses: Misses, found_instead: dict[str, str]) -> str:
    parts = []
    for name, messages in misses.items():
        lines = [
            f"- {_quoted(text)}: {', '.join(wrong)}"
            + (f" (found: {found_instead[text]})" if text in found_instead else "")
            for text, wrong in messages.items()
        ]
        parts.append("\n".join([f"**{name}**: {len(messages) or 'none'}", *([""] if lines else []), *lines]))
    return "\n\n".join(parts)


# --- words ---


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _with_unit(value: float, unit: str) -> str:
    return _percent(value) if unit == "%" else f"{value:,.{0 if value >= 100 else 1}f} {unit}"


def _file(name: str, folder: str) -> str:
    return "all" if name == "all" else f"`{folder}/{name}.yml`"


def _literal(text: str) -> str:
    """A text that `re.sub` puts in as it is."""
    return text.replace("\\", r"\\")


def _quoted(text: str) -> str:
    """A message as it is, with nothing in it that Markdown would take for its own."""
    return "\u201c" + re.sub(r"([\\`*_<>|\[\]])", r"\\\1", text) + "\u201d"
