"""Pictures of the page for the documents: `python tests/screenshots.py URL` writes docs/screenshots."""

from __future__ import annotations

import sys
from pathlib import Path

from web import DESK, LEVELS, PHONE, browser, visiting

FOLDER = Path(__file__).parent.parent / "docs" / "screenshots"


def main(url: str) -> None:
    """Go through the main screens of a running assistant."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with browser() as chromium:
        with visiting(chromium, url, **PHONE, device_scale_factor=1.5) as visitor:
            page = visitor.open().page
            page.screenshot(path=FOLDER / "phone-hello.png")
            visitor.begin()
            visitor.answer_all(until="bleeding_amount")
            page.screenshot(path=FOLDER / "phone-amount.png")
            visitor.answer_all(LEVELS["soon"])
            page.screenshot(path=FOLDER / "phone-result.png")
            visitor.card.locator(".causes").evaluate("(causes) => causes.scrollIntoView()")
            page.screenshot(path=FOLDER / "phone-causes.png")
        with visiting(chromium, url, **PHONE, device_scale_factor=1.5, color_scheme="dark") as visitor:
            visitor.open().begin()
            visitor.answer_all(LEVELS["emergency"])
            visitor.page.screenshot(path=FOLDER / "phone-emergency-dark.png")
        with visiting(chromium, url, **DESK) as visitor:
            visitor.open().begin()
            visitor.answer_all(until="bleeding_amount")
            visitor.page.screenshot(path=FOLDER / "desk.png")


if __name__ == "__main__":
    main(sys.argv[1])
