"""The ground: targets, what is tracked, privacy settings, and one clear line for each way not to start."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import assistant
from assistant import checks, run, train

ROOT = Path(__file__).resolve().parent.parent
TARGETS = {
    "chat", "serve", "train", "tune", "test", "lint", "knowledge", "bench", "evaluate", "compare", "misses",
    "faults", "load", "purge", "audit", "lock",
    "telegram-webhook", "telegram", "clean", "help",
}  # fmt: skip


def output_of(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command at the root of the project."""
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )


def project_files() -> list[str]:
    """List every file that is tracked, or would be."""
    listed = output_of("git", "ls-files", "--cached", "--others", "--exclude-standard").stdout.splitlines()
    return [name for name in listed if (ROOT / name).is_file()]


def exit_line(command: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the launcher in this process and give what it leaves with."""
    monkeypatch.setattr(sys, "argv", ["assistant.run", command])
    with pytest.raises(SystemExit) as end:
        run.main()
    return str(end.value.code)


def test_help_is_the_default_and_explains_every_target() -> None:
    shown = output_of("make", "--no-print-directory")
    assert shown.returncode == 0
    assert set(re.findall(r"^  make ([\w-]+) +\S", shown.stdout, re.MULTILINE)) == TARGETS


def test_nothing_built_is_tracked() -> None:
    built = re.compile(r"(^|/)(models|\.rasa|var|\.venv[^/]*|__pycache__)/|\.(db|sqlite|tar\.gz|pyc)$")
    assert [name for name in project_files() if built.search(name)] == []


def test_no_registry_is_named() -> None:
    hosts = [b"pypi" + b".org", b"python" + b"hosted", b"registry." + b"npmjs"]
    assert [n for n in project_files() if any(host in (ROOT / n).read_bytes() for host in hosts)] == []


@pytest.mark.parametrize("locked", ["requirements.txt", "scripts/uv.txt"])
def test_each_locked_package_has_hashes(locked: str) -> None:
    blocks = re.split(r"^(?=[\w.-]+==)", (ROOT / locked).read_text(), flags=re.MULTILINE)[1:]
    assert blocks
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_direct_dependencies_are_pinned_as_locked() -> None:
    stated = re.findall(r'^    "([\w.-]+==[^"]+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    locked = set(re.findall(r"^([\w.-]+==\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    assert stated
    assert {name.lower() for name in stated} <= locked


def test_telemetry_is_off_in_every_entry_point() -> None:
    question = "import os, assistant; print(os.environ['RASA_TELEMETRY_ENABLED'])"
    assert output_of(sys.executable, "-c", question, RASA_TELEMETRY_ENABLED="true").stdout.strip() == "false"
    assert "export RASA_TELEMETRY_ENABLED := false" in (ROOT / "Makefile").read_text()
    assert assistant.__name__ in run.__name__ and assistant.__name__ in train.__name__


def test_yesterdays_answers_are_not_used_today() -> None:
    session = yaml.safe_load((ROOT / "domain.yml").read_text())["session_config"]
    assert session["carry_over_slots_to_new_session"] is False


def test_endpoints_stay_on_this_machine() -> None:
    text = (ROOT / "endpoints.yml").read_text()
    endpoints = yaml.safe_load(text)
    assert "0.0.0.0" not in text
    assert endpoints["action_endpoint"]["url"].startswith("http://127.0.0.1:")
    assert endpoints["tracker_store"]["db"].startswith("var/")


def test_port_in_use_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = output_of(sys.executable, "-m", "assistant.run", "serve", PORT=str(port))
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert re.fullmatch(rf"spotwise: Port {port} is in use\. .*PORT=\d+ make serve\n", ended.stderr)


@pytest.mark.parametrize("value", ["http", "0", "65536", "-1"])
def test_port_that_is_none_is_one_line(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", value)
    assert exit_line("serve", monkeypatch) == (
        f"spotwise: PORT must be a port number from 1 to 65535, not '{value}'."
    )


@pytest.mark.parametrize(
    "content", [None, b"", b"not a model", bytes.fromhex("1f8b0800000000000003") + b"x" * 99]
)
@pytest.mark.parametrize("command", ["serve", "chat"])
def test_bad_model_is_one_line(
    content: bytes | None, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "spotwise.tar.gz"
    if content is not None:
        model.write_bytes(content)
    monkeypatch.setattr(checks, "ROOT", tmp_path)
    monkeypatch.setattr(checks, "MODEL", model)
    monkeypatch.setenv("PORT", str(checks.free_port()))
    line = exit_line(command, monkeypatch)
    assert re.fullmatch(r"spotwise: .*spotwise\.tar\.gz.* Run: .*make train", line)


def test_bad_knowledge_is_told_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    knowledge = pytest.importorskip("spotwise.knowledge")
    error = knowledge.KnowledgeError.__new__(knowledge.KnowledgeError)
    Exception.__init__(error, "causes.yml:3: no source\nrules.yml:9: unknown slot")
    monkeypatch.setattr(type(error), "__str__", Exception.__str__)

    def load() -> None:
        raise error

    monkeypatch.setattr(knowledge, "load_knowledge", load)
    assert exit_line("chat", monkeypatch).endswith("causes.yml:3: no source\nrules.yml:9: unknown slot")


def test_training_follows_content_not_dates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "ROOT", tmp_path)
    rule = tmp_path / "data" / "rules.yml"
    rule.parent.mkdir()
    rule.write_text("a")
    (tmp_path / "config.yml").write_text("b")
    before = train.fingerprint()
    os.utime(rule, (0, 0))
    assert train.fingerprint() == before
    rule.write_text("c")
    changed = train.fingerprint()
    rule.rename(rule.with_name("other.yml"))
    assert len({before, changed, train.fingerprint()}) == 3


def test_a_free_port_is_found_beside_a_taken_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert checks.free_port(port) != port
    assert checks.free_port(port) == port
