"""The known misses of each set: a list that only shrinks (tests/known_misses.yml)."""

from __future__ import annotations

from pathlib import Path

import yaml

from evaluation import ROOT
from evaluation.measure import Misses

FILE = ROOT / "tests" / "known_misses.yml"
_HEAD = """\
# What is not understood yet: set, message, and the intent, red flag (none for a look-alike) or facts that
# go wrong. The tests fail on a miss that is not here, and on one that is here and goes right by now, so that
# the list only shrinks. `make misses` takes off what goes right; `make misses ADD=yes` puts new ones on.
"""


def known_misses(file: Path = FILE) -> Misses:
    """The list as it is."""
    found: Misses = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}
    return found or {}


def not_listed(found: Misses, known: Misses) -> Misses:
    """What goes wrong and is not on the list. With the two exchanged: what is listed and goes right."""
    rest: Misses = {}
    for name, messages in found.items():
        for text, wrong in messages.items():
            new = [one for one in wrong if one not in known.get(name, {}).get(text, [])]
            if new:
                rest.setdefault(name, {})[text] = new
    return rest


def shrunk(known: Misses, found: Misses) -> Misses:
    """The list without what goes right by now."""
    rest: Misses = {}
    for name, messages in known.items():
        for text, listed in messages.items():
            still = [one for one in listed if one in found.get(name, {}).get(text, [])]
            if still:
                rest.setdefault(name, {})[text] = still
    return rest


def rewrite(found: Misses, *, add: bool, file: Path = FILE) -> tuple[int, int]:
    """Write the list anew, how many are taken off and put on; what is new only where `add` says so."""
    known = known_misses(file)
    listed = found if add else shrunk(known, found)
    content = {name: messages for name, messages in listed.items() if messages}
    dumped = yaml.safe_dump(content, allow_unicode=True, default_flow_style=None, width=10_000)
    file.write_text(_HEAD + (dumped if content else "{}\n"), encoding="utf-8")
    return count(not_listed(known, listed)), count(not_listed(listed, known))


def count(misses: Misses) -> int:
    """How many single misses there are."""
    return sum(len(wrong) for messages in misses.values() for wrong in messages.values())
