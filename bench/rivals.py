"""What is measured side by side: this assistant, what people would otherwise run, and the floor.

Each but this one is a Rasa project of its own under .cache/bench, trained once from what stands here and
from the data of this project, and run as Rasa runs it: its own server, its own stores, and the action
server where the data needs one.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import requests
import yaml

from bench.pages import ROOT
from bench.talk import CONVERSATION, TOKEN, free_port, memory, say

CACHE = ROOT / ".cache" / "bench"
QUIET = {**os.environ, "RASA_TELEMETRY_ENABLED": "false", "LOG_LEVEL": "ERROR", "PYTHONWARNINGS": "ignore"}
EPOCHS = 3
"""How long Rasa's neural networks learn from this project's data, in place of their 100 epochs, which take
an hour here. It changes nothing that is measured but the time of training, which docs/evaluation.md has in
full."""
MOOD = ("hello", "I am sad", "no", "hi", "great", "are you a bot?", "bye", "hey", "very bad", "yes")
"""A conversation with Rasa's starter bot."""

ECHO = """
version: "3.1"
intents: [any]
responses:
  utter_heard: [{text: "I hear you."}]
nlu:
- intent: any
  examples: |
    - hello
rules:
- rule: always the same
  steps: [{intent: any}, {action: utter_heard}]
"""
ECHO_CONFIG = """
recipe: default.v1
assistant_id: echo
language: en
pipeline: [{name: bench.echo.Echo}]
policies: [{name: RulePolicy}]
"""


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    port: int
    pid: int
    cold_start: float
    """Seconds from its start to its first answer."""

    @property
    def memory(self) -> float:
        """Megabytes resident in all its processes."""
        return memory(self.pid)


@dataclass(frozen=True)
class Rival:
    """Something to measure."""

    name: str
    what: str
    model: Path
    conversation: Sequence[str]
    train: Callable[[], None]
    command: Callable[[int], list[str]]
    folder: Path = ROOT

    def trained(self) -> float:
        """Have a model; gives the seconds that training took, now or when this model was trained."""
        notes = CACHE / f"{self.name}.json"
        if not (
            self.model.exists() and notes.exists() and notes.stat().st_mtime >= self.model.stat().st_mtime
        ):
            CACHE.mkdir(parents=True, exist_ok=True)
            print(f"training: {self.what} ...", flush=True)
            began = time.perf_counter()
            self.train()
            notes.write_text(json.dumps({"training_s": time.perf_counter() - began}))
        return float(json.loads(notes.read_text())["training_s"])

    @contextlib.contextmanager
    def started(self) -> Iterator[Running]:
        """Run it, until the block ends."""
        port, began = free_port(), time.perf_counter()
        environment = {**QUIET, "PORT": str(port), "API_TOKEN": TOKEN, "ACTIONS_PORT": str(free_port())}
        process = subprocess.Popen(
            self.command(port),
            cwd=self.folder,
            env={**environment, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield Running(port, process.pid, _first_answer(process, port) - began)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def _first_answer(process: subprocess.Popen[bytes], port: int) -> float:
    """When a server first answers. Raises SystemExit where it does not within 4 minutes."""
    end = time.monotonic() + 240
    while time.monotonic() < end and process.poll() is None:
        try:
            if say(requests.Session(), port, "cold-start", "hi"):
                return time.perf_counter()
        except requests.RequestException:
            time.sleep(0.1)
    raise SystemExit(f"{process.args!r} did not answer.")


# --- how each is trained and run ---


def rasa(*arguments: str) -> list[str]:
    """A command of Rasa's own."""
    return [sys.executable, "-W", "ignore", "-m", "rasa", *arguments]


def _run(command: Sequence[str], folder: Path = ROOT) -> None:
    subprocess.run(
        command,
        cwd=folder,
        env={**QUIET, "PYTHONPATH": str(ROOT)},
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _served(folder: Path, model: Path, *arguments: str) -> Callable[[int], list[str]]:
    """`rasa run` with the REST channel."""

    def command(port: int) -> list[str]:
        (folder / "rest.yml").write_text("rest:\n")
        settings = ["--credentials", str(folder / "rest.yml"), "--port", str(port), *arguments]
        return rasa("run", "--model", str(model), *settings)

    return command


def _starter() -> Rival:
    folder = CACHE / "starter"
    model = folder / "models" / "starter.tar.gz"

    def train() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        init = importlib.util.find_spec("rasa")
        assert init is not None and init.submodule_search_locations
        shutil.copytree(
            Path(init.submodule_search_locations[0]) / "cli" / "initial_project", folder, dirs_exist_ok=True
        )
        _run(rasa("train", "--force", "--fixed-model-name", "starter"), folder)

    return Rival("starter", "Rasa's starter bot", model, MOOD, train, _served(folder, model), folder)


def _default() -> Rival:
    """The data of this project under Rasa's default pipeline and policies, with its own actions."""
    folder = CACHE / "default"
    data = [ROOT / "domain.yml", *sorted((ROOT / "data").glob("*/*.yml"))]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in data)).hexdigest()[:12]
    model = folder / f"{digest}.tar.gz"

    def train() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        found = importlib.util.find_spec("rasa")
        assert found is not None and found.submodule_search_locations
        recipes = Path(found.submodule_search_locations[0]) / "engine" / "recipes" / "config_files"
        config = yaml.safe_load((recipes / "default_config.yml").read_text(encoding="utf-8"))
        config["assistant_id"] = "default"
        for part in (*config["pipeline"], *config["policies"]):
            part.update({"epochs": EPOCHS} if "epochs" in part else {})
        (folder / "config.yml").write_text(yaml.safe_dump(config))
        _run(
            rasa(
                *("train", "--force", "--config", str(folder / "config.yml"), "--domain", "domain.yml"),
                *("--data", "data/nlu", "data/rules", "data/stories", "--out", str(folder)),
                *("--fixed-model-name", digest),
            )
        )

    def command(port: int) -> list[str]:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "endpoints.yml").write_text(
            "action_endpoint: {url: 'http://127.0.0.1:${ACTIONS_PORT}/webhook'}\n"
        )
        server = _served(folder, model, "--endpoints", str(folder / "endpoints.yml"))(port)
        actions = f"{sys.executable} -m assistant.run actions"
        return ["sh", "-c", f"{actions} & exec {' '.join(server)}"]

    return Rival(
        "default", "this project's data in Rasa's default pipeline", model, CONVERSATION, train, command
    )


def _floor() -> Rival:
    folder = CACHE / "echo"
    model = folder / "models" / "echo.tar.gz"

    def train() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in {"domain.yml": ECHO, "config.yml": ECHO_CONFIG}.items():
            (folder / name).write_text(text)
        settings = ("--domain", "domain.yml", "--data", "domain.yml", "--fixed-model-name", "echo")
        _run(rasa("train", "--force", *settings), folder)

    return Rival(
        "floor", "a Rasa server that only echoes", model, CONVERSATION, train, _served(folder, model), folder
    )


def _spotwise() -> Rival:
    def train() -> None:
        (ROOT / "models" / "spotwise.inputs.sha256").unlink(missing_ok=True)
        _run([sys.executable, "-m", "assistant.train"])

    model = ROOT / "models" / "spotwise.tar.gz"
    command = [sys.executable, "-m", "assistant.run", "serve"]
    return Rival("spotwise", "this assistant", model, CONVERSATION, train, lambda _: command)


def rivals() -> tuple[Rival, ...]:
    """All that are measured, this assistant first."""
    return _spotwise(), _starter(), _default(), _floor()
