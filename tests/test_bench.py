"""The benchmark: what its figures come to, and that it counts what was answered. The times are not tested."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.__main__ import ROWS, goals, table
from bench.pages import write_between
from bench.rivals import rivals
from bench.talk import percentile

EVEN = {rival.name: {key: 10.0 for key, _, _ in ROWS} for rival in rivals()}


def with_ours(**figures: float) -> dict[str, dict[str, float]]:
    """All alike, but for some figures of this assistant."""
    return {**EVEN, "spotwise": {**EVEN["spotwise"], **figures}}


def line(text: str, *words: str) -> str:
    """The one line of a table with these words."""
    (found,) = [line for line in text.splitlines() if all(word in line for word in words)]
    return found


def test_every_rival_has_a_column_and_every_figure_a_row() -> None:
    lines = table(EVEN).splitlines()
    assert len(lines) == 2 + len(ROWS)
    assert all(line.count("|") == 2 + len(rivals()) for line in lines)


@pytest.mark.parametrize(
    ("figure", "reached", "missed", "words"),
    [
        ("p50_ms", 5.0, 5.1, ("p50", "half of the starter")),
        ("p50_ms", 3.3, 3.4, ("p50", "third of the default")),
        ("memory_mb", 5.0, 5.1, ("memory", "half of the default")),
        ("at_once_8", 30.0, 29.9, ("8 at once", "3 times")),
        ("late_to_early", 1.2, 1.3, ("turn 60", "1.2")),
        ("training_s", 60.0, 61.0, ("training", "60 s")),
    ],
)
def test_a_goal_is_reached_or_not(figure: str, reached: float, missed: float, words: tuple[str, ...]) -> None:
    assert "**not reached**" not in line(goals(with_ours(**{figure: reached})), *words)
    assert "**not reached**" in line(goals(with_ours(**{figure: missed})), *words)


def test_a_percentile_is_not_exceeded_by_its_share() -> None:
    seconds = [place / 1000 for place in range(1, 101)]
    assert percentile(seconds, 0.5) == pytest.approx(51)
    assert percentile(seconds, 0.99) == pytest.approx(100)
    assert percentile([0.002], 0.95) == pytest.approx(2)


def test_figures_go_between_their_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- x: written by a command -->\nold\n<!-- end of x -->\nafter\n")
    write_between("x", "new", page)
    assert page.read_text() == ("before\n<!-- x: written by a command -->\nnew\n<!-- end of x -->\nafter\n")
    with pytest.raises(ValueError, match="no marks"):
        write_between("y", "new", page)
