"""Spotwise's pipeline beside Rasa's default one and a lean one, trained on the same data.

Each is trained once and kept under .cache/ by a hash of what it is made from. Each is trained and measured
in processes of its own, so that none lends the others its memory, its libraries or its warm caches.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from evaluation import RESULTS, ROOT, sets
from evaluation.scores import Pair, macro_f1, percentile, share

CACHE = ROOT / ".cache" / "compare"
RED_FLAGS = ("report_emergency", "report_assault", "report_self_harm")
FALLBACK = "nlu_fallback"
REPEATS = 3
"""Times that each is measured. The fastest counts: what else the machine does can only slow it down."""

LEAN: list[dict[str, Any]] = [
    {"name": "assistant.tokenizer.EnglishTokenizer"},
    {"name": "CountVectorsFeaturizer"},
    {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
    {"name": "LogisticRegressionClassifier"},
    {"name": "FallbackClassifier", "threshold": 0.3, "ambiguity_threshold": 0.1},
]


def pipelines() -> dict[str, list[dict[str, Any]]]:
    """What is compared: the components of each pipeline."""
    rasa = importlib.util.find_spec("rasa")
    assert rasa is not None and rasa.submodule_search_locations
    default = Path(rasa.submodule_search_locations[0]) / "engine/recipes/config_files/default_config.yml"
    return {"spotwise": _read(ROOT / "config.yml"), "default": _read(default), "lean": LEAN}


def _read(path: Path) -> list[dict[str, Any]]:
    pipeline: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))["pipeline"]
    return pipeline


def compare() -> dict[str, Any]:
    """Train what is not kept yet, measure all of them, write results/compare.json."""
    figures: dict[str, Any] = {}
    for name in pipelines():
        model = trained(name)
        runs = [_child("measure", str(model)) for _ in range(REPEATS)]
        fastest = min(runs, key=lambda run: float(run["p50_ms"]))
        fastest["start_s"] = min(float(run["start_s"]) for run in runs)
        fastest["load_s"] = min(float(run["load_s"]) for run in runs)
        figures[name] = {**fastest, **json.loads(_notes(model).read_text())}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "compare.json").write_text(json.dumps(figures, indent=1))
    return figures


def trained(name: str) -> Path:
    """The model of a pipeline, trained now where nobody has done so from the same data."""
    model = CACHE / f"{name}-{fingerprint(name)}.tar.gz"
    if not (model.exists() and _notes(model).exists()):
        print(
            f"Training the pipeline {name}. This can take many minutes, and again only after a change.",
            flush=True,
        )
        _notes(model).write_text(json.dumps(_child("train", name, str(model))))
    return model


def fingerprint(name: str) -> str:
    """A hash of what a pipeline is made from: the data, its components, and the code of our own ones."""
    parts = [version("rasa").encode(), json.dumps(pipelines()[name]).encode()]
    files = sorted(sets.TRAINING.glob("*.yml"))
    if name == "spotwise":
        files += sorted((ROOT / "assistant").glob("*.py"))
        files += [ROOT / "knowledge" / f"{file}.yml" for file in ("answers", "lexicon", "signs")]
    digest = hashlib.sha256(b"\0".join(parts + [file.read_bytes() for file in files]))
    return digest.hexdigest()[:16]


def _notes(model: Path) -> Path:
    """Where it is kept how long the training took."""
    return model.with_name(model.name.replace(".tar.gz", ".json"))


def _child(*arguments: str) -> dict[str, Any]:
    """Run this module in a process of its own; its last line is what it found."""
    ran = subprocess.run(
        [sys.executable, "-m", "evaluation.compare", *arguments, "--since", str(time.time())],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


# --- in the child ---


def train(name: str, model: Path) -> dict[str, float]:
    """Train a pipeline, without Rasa's own cache: it would hide how long it takes."""
    import rasa.model_training

    model.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["RASA_CACHE_DIRECTORY"] = str(Path(folder) / "cache")
        config = Path(folder) / "config.yml"
        parts = {
            "recipe": "default.v1",
            "assistant_id": name,
            "language": "en",
            "pipeline": pipelines()[name],
        }
        config.write_text(yaml.safe_dump(parts))
        start, processor = time.perf_counter(), time.process_time()
        rasa.model_training.train_nlu(
            str(config),
            str(sets.TRAINING),
            str(model.parent),
            fixed_model_name=model.name.removesuffix(".tar.gz"),
        )
        return {
            "training_s": time.perf_counter() - start,
            "training_cpu_s": time.process_time() - processor,
        }


async def measure(model: Path, since: float) -> dict[str, float]:
    """Load a model, and parse every message of the sets of intents and of red flags."""
    start = time.perf_counter()
    import rasa.utils.log_utils
    from rasa.core.agent import Agent

    rasa.utils.log_utils.configure_structlog()
    agent = Agent.load(str(model))
    load = time.perf_counter() - start
    await agent.parse_message("hello")
    ready = time.time() - since
    times: list[float] = []

    async def parsed(text: str) -> dict[str, Any]:
        began = time.perf_counter()
        found: dict[str, Any] = await agent.parse_message(text)
        times.append((time.perf_counter() - began) * 1000)
        return found

    pairs, first_choice = [], []
    for message in (m for some in sets.intent_sets().values() for m in some):
        found = await parsed(message.text)
        names = [found["intent"]["name"], *(entry["name"] for entry in found["intent_ranking"])]
        pairs.append(Pair(message.intent, names[0]))
        first_choice.append(Pair(message.intent, next(name for name in names if name != FALLBACK)))
    flags = [
        (message.is_real, (await parsed(message.text))["intent"]["name"] in RED_FLAGS)
        for some in sets.red_flag_sets().values()
        for message in some
    ]
    return {
        "accuracy": share(pair.right for pair in pairs),
        "macro_f1": macro_f1(pairs),
        "accuracy_before_fallback": share(pair.right for pair in first_choice),
        "out_of_scope_recall": share(pair.right for pair in pairs if pair.wanted == "out_of_scope"),
        "red_flags_caught": share(raised for real, raised in flags if real),
        "look_alikes_raised": share(raised for real, raised in flags if not real),
        "p50_ms": percentile(times, 50),
        "p95_ms": percentile(times, 95),
        "memory_mb": _resident(),
        "load_s": load,
        "start_s": ready,
        "model_mb": model.stat().st_size / 2**20,
    }


def _resident() -> float:
    """Megabytes of this process that are in memory now (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    """Do one thing for the parent: train, or measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("task", choices=["train", "measure"])
    parser.add_argument("arguments", nargs="+")
    parser.add_argument("--since", type=float, default=time.time(), help="when the parent began this process")
    given = parser.parse_args()
    if given.task == "train":
        found = train(given.arguments[0], Path(given.arguments[1]))
    else:
        found = asyncio.run(measure(Path(given.arguments[0]), given.since))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
