"""From what came of the messages to the figures that are told: plain values, for JSON and the document."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from evaluation import ROOT
from evaluation.measure import FactsResult, IntentResult, Measured, RedFlagResult, caught, raised
from evaluation.parts import Fold, Outcome
from evaluation.scores import (
    Pair,
    asking,
    calibration,
    calibration_error,
    fact_score,
    macro_f1,
    percentile,
    scores,
    share,
)
from evaluation.understanding import Understood

EDGES = (0.0, 0.25, 0.4, 0.6, 0.8, 0.95, 1.01)
THRESHOLDS = (0.0, 0.15, 0.25, 0.35, 0.5, 0.6)
NOT_TOLD = ("negated", "past", "other_person", "hypothetical", "figure")
"""Kinds of messages that speak of what is not so."""
PATIENTS = ROOT / "tests" / "patients"

Figures = dict[str, Any]


def about() -> Figures:
    """When and where it was measured."""
    return {
        "date": date.today().isoformat(),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {_memory():.0f} GB",
        "python": platform.python_version(),
        "rasa": version("rasa"),
    }


def figures(measured: Measured, folds: Sequence[Sequence[Fold]], outcomes: Sequence[Outcome]) -> Figures:
    """Everything that `make evaluate` measures."""
    threshold, ambiguity = _fallback()
    every = [result for some in measured.intents.values() for result in some]
    flags = [result for some in measured.red_flags.values() for result in some]
    return {
        "about": about(),
        "intents": {
            "sets": {name: _intents(some) for name, some in measured.intents.items()}
            | {"all": _intents(every)},
            "by_intent": {name: asdict(one) for name, one in scores([r.pair for r in every]).items()},
            "p50_ms": percentile([r.understood.milliseconds for r in every], 50),
            "p95_ms": percentile([r.understood.milliseconds for r in every], 95),
        },
        "cross_validation": _cross_validation(folds),
        "calibration": {
            "sets": _calibration(
                (r.understood.ranking[0][1], _first(r.understood) == r.message.intent) for r in every
            ),
            "cross_validation": _calibration((f.confidence, f.pair.right) for fold in folds for f in fold),
        },
        "fallback": {
            "threshold": threshold,
            "ambiguity": ambiguity,
            "sets": _asking(
                [(*_two_best(r.understood), _first(r.understood) == r.message.intent) for r in every],
                ambiguity,
            ),
            "cross_validation": _asking(
                [(f.confidence, f.second, f.pair.right) for fold in folds for f in fold], ambiguity
            ),
        },
        "facts": {
            name: {
                "all": asdict(fact_score([r.result for r in some])),
                "kinds": _kinds(some),
                "look_alikes": _look_alikes(some),
            }
            for name, some in measured.facts.items()
        },
        "wrongly_taken": _wrongly_taken(measured),
        "red_flags": {
            "sets": {name: _red_flags(some) for name, some in measured.red_flags.items()}
            | {"all": _red_flags(flags)},
            "signs": _signs(flags),
        },
        "parts": [_part(outcome) for outcome in outcomes],
        "components_ms": dict(outcomes[0].by_component) if outcomes else {},
        "patients": _patients(),
        "misses": measured.misses(),
        "found_instead": {
            r.message.text: f"{r.pair.found}, {r.understood.ranking[0][1]:.2f}"
            for r in every
            if not r.pair.right
        },
    }


# --- intents ---


def _intents(results: Collection[IntentResult]) -> Figures:
    pairs = [result.pair for result in results]
    by_intent = scores(pairs)
    worst = min(by_intent, key=lambda name: by_intent[name].f1)
    return {
        "messages": len(pairs),
        "accuracy": share(pair.right for pair in pairs),
        "macro_f1": macro_f1(pairs),
        "out_of_scope_recall": share(pair.right for pair in pairs if pair.wanted == "out_of_scope"),
        "asked_back": share(result.asked_back for result in results),
        "worst": worst,
        "worst_f1": by_intent[worst].f1,
    }


def _first(understood: Understood) -> str:
    """The likeliest intent, before the fallback."""
    return understood.ranking[0][0]


def _two_best(understood: Understood) -> tuple[float, float]:
    """The confidence of the two likeliest intents."""
    return understood.ranking[0][1], understood.ranking[1][1]


def _cross_validation(folds: Sequence[Sequence[Fold]]) -> Figures:
    pairs = [fold.pair for some in folds for fold in some]
    accuracies = [share(fold.pair.right for fold in some) for some in folds]
    by_intent = scores(pairs)
    return {
        "examples": len(pairs),
        "folds": len(folds),
        "accuracy": share(pair.right for pair in pairs),
        "lowest": min(accuracies),
        "highest": max(accuracies),
        "macro_f1": macro_f1(pairs),
        "by_intent": {name: asdict(one) for name, one in by_intent.items()},
        "confused": [
            {"wanted": wanted, "found": found, "times": times}
            for (wanted, found), times in Counter(
                (pair.wanted, pair.found) for pair in pairs if not pair.right
            ).most_common(10)
        ],
    }


def _calibration(predictions: Iterable[tuple[float, bool]]) -> Figures:
    bins = calibration(list(predictions), EDGES)
    return {"bins": [asdict(one) for one in bins], "error": calibration_error(bins)}


def _asking(predictions: Collection[tuple[float, float, bool]], ambiguity: float) -> list[Figures]:
    return [asdict(asking(predictions, threshold, ambiguity)) for threshold in THRESHOLDS]


def _fallback() -> tuple[float, float]:
    """The thresholds of config.yml."""
    pipeline = yaml.safe_load((ROOT / "config.yml").read_text(encoding="utf-8"))["pipeline"]
    entry = next(entry for entry in pipeline if entry["name"] == "FallbackClassifier")
    return entry["threshold"], entry["ambiguity_threshold"]


# --- facts ---


def _kinds(results: Collection[FactsResult]) -> Figures:
    by_kind: dict[str, list[FactsResult]] = defaultdict(list)
    for result in results:
        by_kind[result.message.kind].append(result)
    return {kind: asdict(fact_score([r.result for r in some])) for kind, some in by_kind.items()}


def _look_alikes(results: Collection[FactsResult]) -> Figures:
    """Facts that messages only seem to state, and how many of them were taken."""
    absent = [(item, result) for result in results for item in result.message.absent]
    return {"count": len(absent), "taken": share(item in result.got for item, result in absent)}


def _wrongly_taken(measured: Measured) -> Figures:
    """Messages about what is not so, or of others: from how many something was taken that is not told."""
    some = [r for results in measured.facts.values() for r in results if r.message.kind in NOT_TOLD]
    return {"messages": len(some), "share": share(bool(result.result.wrong) for result in some)}


# --- red flags ---


def _red_flags(results: Collection[RedFlagResult]) -> Figures:
    real = [result for result in results if result.message.is_real]
    return {
        "red_flags": len(real),
        "caught": caught(results),
        "mixed_up": sum(result.mixed_up for result in real),
        "look_alikes": len(results) - len(real),
        "raised": raised(results),
        "noted": share(result.noted for result in results if not result.message.is_real),
    }


def _signs(results: Collection[RedFlagResult]) -> Figures:
    by_sign: dict[str, list[RedFlagResult]] = defaultdict(list)
    for result in results:
        if result.message.is_real:
            by_sign[result.message.sign].append(result)
    return {
        sign: {"count": len(some), "caught": caught(some)}
        for sign, some in sorted(by_sign.items(), key=lambda entry: -len(entry[1]))
    }


# --- parts ---


def _part(outcome: Outcome) -> Figures:
    measured = outcome.measured
    flags = [result for some in measured.red_flags.values() for result in some]
    pairs: list[Pair] = [result.pair for some in measured.intents.values() for result in some]
    facts = fact_score([result.result for some in measured.facts.values() for result in some])
    return {
        "name": outcome.variant.name,
        "held_out": outcome.held_out,
        "accuracy": share(pair.right for pair in pairs),
        "macro_f1": macro_f1(pairs),
        "caught": caught(flags),
        "raised": raised(flags),
        "precision": facts.precision,
        "recall": facts.recall,
        "ms": outcome.milliseconds,
    }


# --- patients ---


def _patients() -> Figures:
    """What the made-up patients of each file come to (tests/patients/player.py)."""
    spec = importlib.util.spec_from_file_location("player", PATIENTS / "player.py")
    assert spec is not None and spec.loader is not None
    player = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(player)
    found = {}
    for path in sorted(PATIENTS.glob("*.yml")):
        cases = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("vignettes")
        if cases:
            some = [player.outcomes()[case["id"]] for case in cases]
            found[path.stem] = {
                "people": len(some),
                "right": sum(outcome.right for outcome in some),
                "under": sum(outcome.under for outcome in some),
                "cause": sum(outcome.cause_found for outcome in some),
            }
    return found


# --- the machine ---


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )


def _memory() -> float:
    """Gigabytes of the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
