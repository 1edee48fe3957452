"""The audit: a hole without a reason is told, and so is that nobody could be asked."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
spec = importlib.util.spec_from_file_location("audit", ROOT / "scripts" / "audit.py")
assert spec is not None and spec.loader is not None
audit: Any = importlib.util.module_from_spec(spec)
spec.loader.exec_module(audit)

REASONS = [{"package": "one", "ids": ["CVE-1"], "reason": "not used"}]


def package(name: str, *ids: str) -> dict[str, Any]:
    """A package as pip-audit tells of it."""
    vulns = [{"id": ids[0], "aliases": list(ids[1:]), "fix_versions": ["2"]}] if ids else []
    return {"name": name, "version": "1", "vulns": vulns}


@pytest.mark.parametrize(
    ("packages", "count"),
    [
        ([package("one")], 0),
        ([package("one", "CVE-1")], 0),
        ([package("one", "PYSEC-7", "GHSA-7", "CVE-1")], 0),
        ([package("one", "CVE-2")], 1),
        ([package("two", "CVE-1")], 1),
    ],
)
def test_a_hole_without_a_reason_is_found(packages: list[dict[str, Any]], count: int) -> None:
    assert len(audit.without_reason(packages, REASONS)) == count


@pytest.mark.parametrize(
    "output",
    [
        "",
        "no JSON",
        '{"dependencies": []}',
        '{"dependencies": [{"name": "one", "skip_reason": "not found"}]}',
    ],
)
def test_nobody_to_ask_is_told_and_is_no_failure(
    output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "pip-audit"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{output}\nEND\n")
    program.chmod(0o755)
    monkeypatch.setattr(audit, "PIP_AUDIT", program)
    audit.main()
    said = capsys.readouterr().out
    assert said.startswith("spotwise: NOT AUDITED") and said.count("\n") == 1


def test_a_finding_fails_the_audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "pip-audit"
    hole = '{"id": "CVE-0", "aliases": [], "fix_versions": []}'
    answer = f'{{"dependencies": [{{"name": "x", "version": "1", "vulns": [{hole}]}}]}}'
    program.write_text(f"#!/bin/sh\necho '{answer}'\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(audit, "PIP_AUDIT", program)
    with pytest.raises(SystemExit, match="x 1: CVE-0"):
        audit.main()


def test_every_reason_is_about_a_package_that_is_locked() -> None:
    locked = (ROOT / "requirements.txt").read_text()
    for entry in yaml.safe_load((ROOT / "audit.yml").read_text()):
        assert f"\n{entry['package']}==" in locked
        assert entry["ids"] and len(entry["reason"]) > 40
