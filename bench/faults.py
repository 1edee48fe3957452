"""Break everything, one after the other, and write down what became of it.

make faults        # runs the tests that are marked as faults, and writes their table into docs/reliability.md
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from typing import Any

import pytest

from bench.pages import write_between

TESTS = ["tests/test_faults.py", "tests/test_cluster.py"]


class Rows:
    """Collects what each marked test came to, while pytest runs."""

    def __init__(self) -> None:
        """Begin with none."""
        self.rows: dict[str, tuple[str, str, bool]] = {}

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, Any, None]:
        """Note a row's outcome; a failed start counts against it."""
        outcome = yield
        good = outcome.get_result().outcome == "passed"
        marker = item.get_closest_marker("fault")
        if marker is not None:
            values = item.callspec.params if hasattr(item, "callspec") else {}
            what, seen = (words.format(**values) for words in marker.args)
            _, _, before = self.rows.get(item.nodeid, ("", "", True))
            self.rows[item.nodeid] = what, seen, before and good

    def table(self) -> str:
        """The table, in the order of the tests."""
        lines = ["| what breaks | what a person sees | result |", "|---|---|---|"]
        for what, seen, good in self.rows.values():
            lines.append(f"| {what} | {seen} | {'holds' if good else '**FAILS**'} |")
        holding = sum(good for _, _, good in self.rows.values())
        return "\n".join((*lines, "", f"{holding} of {len(self.rows)} rows hold."))


def main() -> None:
    """Run the tests and write the table."""
    rows = Rows()
    status = pytest.main([*TESTS, "-m", "fault", "-q"], plugins=[rows])
    if rows.rows:
        write_between("faults", rows.table())
    sys.exit(status)


if __name__ == "__main__":
    main()
