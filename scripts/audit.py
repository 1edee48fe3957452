"""Ask for known holes in what requirements.txt locks; each that stays needs a reason in audit.yml.

    make audit

Fails on a finding without a reason. Where no advisory database can be reached, says so and does not fail.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
PIP_AUDIT = ROOT / ".venv-audit" / "bin" / "pip-audit"
LIMIT = 300
"""Seconds for the whole audit."""


def found(requirements: Path) -> list[dict[str, Any]] | None:
    """What OSV knows of each package that it knows; None where it can't be asked.

    Not the package registry: a mirror without advisories knows no package, and all looks well then.
    """
    command = [str(PIP_AUDIT), "--vulnerability-service", "osv", "--requirement", str(requirements)]
    command += ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT)
        packages = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return None
    return [package for package in packages if "skip_reason" not in package] or None


def without_reason(packages: list[dict[str, Any]], reasons: list[dict[str, Any]]) -> list[str]:
    """The findings that nobody gave a reason for."""
    known = {(entry["package"], name) for entry in reasons for name in entry["ids"] if entry["reason"]}
    return [
        f"{package['name']} {package['version']}: {hole['id']} ({', '.join(hole['aliases'])}), "
        f"mended in {', '.join(hole['fix_versions']) or 'no version'}"
        for package in packages
        for hole in package["vulns"]
        if not any((package["name"], name) in known for name in (hole["id"], *hole["aliases"]))
    ]


def main() -> None:
    """Audit the locked packages."""
    reasons = yaml.safe_load((ROOT / "audit.yml").read_text(encoding="utf-8"))
    packages = found(ROOT / "requirements.txt")
    if packages is None:
        print("spotwise: NOT AUDITED: OSV, the advisory database, can't be reached from here.")
        return
    findings = without_reason(packages, reasons)
    holes = sum(len(package["vulns"]) for package in packages)
    print(f"{len(packages)} packages audited: {holes} findings, {len(findings)} without a reason.")
    if findings:
        sys.exit("\n".join((*findings, "spotwise: take a newer version, or write a reason into audit.yml.")))


if __name__ == "__main__":
    main()
