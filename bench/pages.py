"""Writing figures into the page that explains them."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RELIABILITY = ROOT / "docs" / "reliability.md"


def write_between(name: str, text: str, page: Path = RELIABILITY) -> None:
    """Replace what is between two marks of a page. Raises ValueError where they are missing."""
    begin, end = f"<!-- {name}: written by a command -->", f"<!-- end of {name} -->"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found and found_end):
        raise ValueError(f"{page.name} has no marks for {name}")
    page.write_text(f"{before}{begin}\n{text.strip()}\n{end}{after}", encoding="utf-8")
