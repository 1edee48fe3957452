"""The web page as people use it: a real browser, a page of another site, a server that can be killed."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, sync_playwright
from running import TOKEN, Assistant, process, settings, wait_until

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SMALL = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}
DESK = {"viewport": {"width": 1280, "height": 800}, "has_touch": False, "is_mobile": False}
AXE_TAGS = ("wcag2a", "wcag2aa", "wcag21aa", "wcag22aa")
PATIENCE = 60_000
"""Milliseconds; on a slow and busy machine."""

STILL = """() => {
  const { chat } = document.querySelector('spotwise-chat');
  return chat && !chat.queue.length && !chat.delivering;
}"""

HARMLESS = {
    "danger_signs": "None of these",
    "pregnancy": "No",
    "bleeding_amount": "A few spots",
    "bleeding_status": "It has stopped",
    "pain": "No pain",
    "consent": "Yes, and I feel safe",
    "age_group": "25 to 39",
    "periods": "I still have periods",
    "episode_count": "First time",
    "symptoms": "None of these",
    "contraception": ("Condoms",),
    "medical_history": "None of these",
    "circumstances": "None of these",
}
"""What is tapped where a test does not care; several answers that are sent together as a tuple."""

LEVELS: dict[str, dict[str, Any]] = {
    "emergency": {"danger_signs": ("Soaking pads", "Faint or fainted")},
    "same_day": {"medical_history": ("Blood thinner",)},
    "soon": {"episode_count": "3 times or more"},
    "routine": {},
    "self_care": {"circumstances": ("It was dry",)},
}
"""Answers that lead to each level."""


# --- browsers ---


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """A browser that itself asks nobody for anything."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        try:
            yield found
        finally:
            found.close()


class Visitor:
    """Somebody at the page, with a browser of their own."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        """Open nothing yet. What goes to other origins than the server's is noted."""
        self.url = url
        self.context = context
        self.elsewhere: list[str] = []
        self.errors: list[str] = []
        context.set_default_timeout(PATIENCE)
        context.on("request", lambda request: self._note(request.url))
        self.page = context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _note(self, address: str) -> None:
        here = urlsplit(self.url)
        there = urlsplit(address)
        if there.scheme not in ("data", "blob") and there.netloc != here.netloc:
            self.elsewhere.append(address)

    def open(self) -> Visitor:
        """Go to the page, and wait for the chat."""
        self.page.goto(self.url)
        self.page.locator("spotwise-chat textarea").wait_for()
        self.settle()
        return self

    def settle(self) -> None:
        """Wait until every message is answered."""
        self.page.wait_for_function(STILL)

    # --- what can be seen ---

    @property
    def offered(self) -> Locator:
        """The answers that can be tapped now."""
        return self.page.locator("li.offer .choices:not(.used)").last

    @property
    def card(self) -> Locator:
        """The latest assessment."""
        return self.page.locator("article.card").last

    def shown(self) -> str:
        """All the words of the conversation."""
        return self.page.locator(".log").inner_text()

    def asked(self) -> str | None:
        """The slot of the question that is open."""
        return self.page.evaluate(
            "document.querySelector('spotwise-chat').chat.question?.message.question.slot"
        )

    def id(self) -> str | None:
        """The id that the tab holds."""
        return self.page.evaluate("sessionStorage.getItem('spotwise')")

    # --- what can be done ---

    def tap(self, *titles: str) -> None:
        """Tap an answer, or several and then go on; wait for what follows."""
        for title in titles:
            button = self.offered.get_by_role("button", name=title, exact=True)
            button.tap() if self.touches else button.click()
        onward = self.offered.get_by_role("button", name="Go on", exact=True)
        if onward.count() and onward.is_visible():
            onward.tap() if self.touches else onward.click()
        self.settle()

    @property
    def touches(self) -> bool:
        """Whether there is a touch screen."""
        return bool(self.page.evaluate("navigator.maxTouchPoints > 0"))

    def write(self, text: str) -> None:
        """Write a message and send it; wait for what follows."""
        self.send(text)
        self.settle()

    def send(self, text: str) -> None:
        """Write a message and send it."""
        self.page.locator("textarea").fill(text)
        self.page.locator("textarea").press("Enter")

    def begin(self) -> None:
        """Start the questions."""
        self.tap("Yes, ask me")

    def answer_all(self, answers: dict[str, Any] | None = None, until: str | None = None) -> None:
        """Tap through the questions: these answers, and harmless ones to the rest."""
        for _ in range(20):
            asked = self.asked()
            if self.card.count() or asked == until:
                return
            given = {**HARMLESS, **(answers or {})}[str(asked)]
            self.tap(*([given] if isinstance(given, str) else given))
        raise AssertionError(f"No end of the questions: {self.shown()[-500:]}")

    # --- what has to hold on every screen ---

    def violations(self) -> list[str]:
        """What axe finds against WCAG 2.2 AA."""
        options = {"runOnly": {"type": "tag", "values": list(AXE_TAGS)}}
        found = Axe().run(self.page, options=options).response
        assert found["passes"], "axe has looked at nothing"
        return [
            f"{violation['id']}: {node['target']} {node['failureSummary']}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]

    def fits_the_width(self) -> bool:
        """Whether nothing has to be scrolled sideways."""
        script = """() => {
          const root = document.querySelector('spotwise-chat').shadowRoot;
          const inner = ['.chat', '.scroller'].map((name) => root.querySelector(name));
          const boxes = [document.documentElement, ...inner];
          return boxes.every((box) => box.scrollWidth <= box.clientWidth + 1);
        }"""
        return bool(self.page.evaluate(script))


@contextlib.contextmanager
def visiting(browser: Browser, url: str, **options: Any) -> Iterator[Visitor]:
    """Somebody at the page; at the end, nothing may have broken or gone to anybody else."""
    context = browser.new_context(**{**PHONE, "reduced_motion": "reduce", **options})
    visitor = Visitor(context, url)
    try:
        yield visitor
        assert visitor.errors == []
        assert visitor.elsewhere == []
    finally:
        context.close()


# --- the server ---


def call(url: str, path: str, body: Any = None, **headers: str) -> requests.Response:
    """Ask the channel as the widget does."""
    data = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    return requests.post(f"{url}/webhooks/web/{path}", data=data, headers=headers, timeout=30)


class Restartable:
    """A Rasa server without an action server, which can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        """Begin with nothing running."""
        self._folder = folder
        self._environment = settings()
        self._running = contextlib.ExitStack()
        self._server: subprocess.Popen[bytes] | None = None
        (folder / "var").mkdir(exist_ok=True)
        self.url = f"http://127.0.0.1:{self._environment['PORT']}"
        self.assistant = Assistant(self.url, TOKEN, folder / "log")

    def start(self) -> None:
        """Start, and wait until the page is there; the model still loads."""
        self._server = self._running.enter_context(
            process("rasa-server", self._folder, self._environment, self._folder / "log")
        )
        wait_until(self._has_a_page, "the page", self._server, self._folder / "log")

    def _has_a_page(self) -> bool:
        with contextlib.suppress(requests.RequestException):
            return requests.get(self.url, timeout=5).status_code == 200
        return False

    def ready(self) -> None:
        """Wait until the model is loaded; start it where it does not run."""
        if self._server is None:
            self.start()
        wait_until(self.assistant.is_ready, "the Rasa server", self._server, self._folder / "log")

    def kill(self) -> None:
        """Kill it without a warning."""
        if self._server is not None:
            self._server.kill()
        self._running.close()
        self._server = None


# --- another site ---


@contextlib.contextmanager
def other_site() -> Iterator[tuple[str, dict[str, bytes]]]:
    """The origin of a site of somebody else, and its pages, which a test can add."""
    pages: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path, b"")
            self.send_response(200 if body else 404)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", pages
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
