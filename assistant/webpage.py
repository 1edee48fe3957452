"""What a browser loads from the assistant: the page, the widget and their words.

It knows nothing of Rasa, so that the page is there at once, while the model still loads (see holding.py).
The files in assistant/web/ are served as they are, but for the words: those of domain.yml and words.yml are
put into them here, when the server starts, so that each is written once.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from assistant.checks import ROOT

WEB = ROOT / "assistant" / "web"
API = "/webhooks/web"
"""Where the conversations are."""

ORIGINS = "WEB_ORIGINS"
"""The environment variable with the origins, divided by commas, of the sites that may embed the widget."""

MESSAGE_LIMIT = 2_000
"""Characters of a message."""

EXIT_TO = "https://www.bbc.co.uk/weather"
"""Where the quick exit leads: a page that anybody may be looking at."""

SCRIPTS = ("dom", "server", "words", "pictures", "bubbles", "card", "dialogs", "print", "chat", "element")
"""The parts of the widget, in the order in which they rely on each other."""

PHONES = ("112", "911", "999", "988", "NHS 111", "800-656-4673")
"""The numbers that can be tapped where the assistant says them."""

SAID_BY_THE_PAGE = ("utter_greet", "utter_calm", "utter_what_to_do", "utter_criteria", "utter_limits")
"""What the page says by itself, also when the server is silent."""

ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex",
}


@dataclass(frozen=True)
class File:
    """A file as it is sent."""

    body: bytes
    packed: bytes
    headers: Mapping[str, str]


class WebPage:
    """The files and their headers, and who may use them."""

    def __init__(self, settings: Mapping[str, Any], origins: str = "") -> None:
        """Read the files. Raises ValueError for an origin or an exit that can't be right."""
        self.origins = frozenset(_origin(part) for part in origins.split(",") if part.strip())
        self.labels: dict[str, str] = read(WEB / "words.yml")
        responses = read(ROOT / "domain.yml")["responses"]
        said = {name: _unconditioned(responses[name]) for name in SAID_BY_THE_PAGE}
        script = _script(said, self.labels, str(settings.get("exit_to") or EXIT_TO))
        page = _filled((WEB / "index.html").read_text(encoding="utf-8"), said)
        self.files = {
            "/": _file(page, "text/html", self._page_headers()),
            "/spotwise-chat.js": _file(
                script, "text/javascript", {"cross-origin-resource-policy": "cross-origin"}
            ),
            "/spotwise.css": _file(_text("page.css"), "text/css"),
            "/spotwise.svg": _file(_text("icon.svg"), "image/svg+xml"),
        }

    def respond(self, path: str, asked: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body for a file; `asked` are the request's headers, names in small letters."""
        file = self.files[path]
        headers = dict(file.headers)
        if asked.get("if-none-match") == headers["etag"]:
            return 304, headers, b""
        if "gzip" in asked.get("accept-encoding", ""):
            return 200, {**headers, "content-encoding": "gzip"}, file.packed
        return 200, headers, file.body

    def allows(self, origin: str | None, host: str | None) -> bool:
        """Whether a page of this origin may talk to us: our own, one that is listed, or no page at all."""
        if origin is None or origin in self.origins:
            return True
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and bool(host) and parts.netloc == host

    def api_headers(self, origin: str | None, allowed: bool) -> dict[str, str]:
        """The headers of an answer that is not a file."""
        headers = {**ALWAYS, "cache-control": "no-store", "vary": "Origin"}
        if origin in self.origins and allowed:
            headers["access-control-allow-origin"] = str(origin)
        return headers

    def _page_headers(self) -> dict[str, str]:
        framed_by = " ".join(["'self'", *sorted(self.origins)]) if self.origins else "'none'"
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            f"base-uri 'none'; form-action 'none'; frame-ancestors {framed_by}; "
            "require-trusted-types-for 'script'; trusted-types 'none'"
        )
        nothing = ("camera", "geolocation", "microphone", "payment", "usb", "browsing-topics")
        return {
            "content-security-policy": policy,
            "permissions-policy": ", ".join(f"{name}=()" for name in nothing),
            # Not kept, so that the button "back" can't bring a conversation to the screen again.
            "cache-control": "no-store",
        }


def read(path: Path) -> dict[str, Any]:
    """A YAML file with a mapping."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found = yaml.load(path.read_text(encoding="utf-8"), loader)
    return found if isinstance(found, dict) else {}


def _text(name: str) -> str:
    return (WEB / name).read_text(encoding="utf-8")


def _file(text: str, kind: str, headers: Mapping[str, str] | None = None) -> File:
    body = text.encode()
    sent = {
        **ALWAYS,
        "content-type": f"{kind}; charset=utf-8",
        "cache-control": "no-cache",
        "etag": f'"{hashlib.sha256(body).hexdigest()[:20]}"',
        "vary": "Accept-Encoding",
        **(headers or {}),
    }
    return File(body, gzip.compress(body, mtime=0), sent)


def _script(said: Mapping[str, Any], labels: Mapping[str, str], exit_to: str) -> str:
    """The widget: one script of all parts, with the words before them."""
    if urlsplit(exit_to).scheme not in ("http", "https"):
        raise ValueError(f"exit_to must be the address of a web page, not '{exit_to}'")
    given = {
        "api": API,
        "exit": exit_to,
        "hosts": sorted(_hosts()),
        "labels": labels,
        "limit": MESSAGE_LIMIT,
        "phones": PHONES,
        "said": said,
        "style": _text("chat.css"),
    }
    parts = [f"// {name}.js\n{_text(f'{name}.js')}" for name in SCRIPTS]
    return "\n".join(
        ["(() => {", '"use strict";', f"const SPOTWISE = {json.dumps(given)};", *parts, "})();", ""]
    )


def _hosts() -> Iterator[str]:
    """The hosts that the assistant may link to: those of its sources."""
    for source in read(ROOT / "knowledge" / "sources.yml")["sources"]:
        if source["link"]:
            yield str(urlsplit(source["link"]).hostname)


def _unconditioned(variations: list[dict[str, Any]]) -> dict[str, Any]:
    """What a response says when nothing is known of the person."""
    said = next(variation for variation in variations if not variation.get("condition"))
    buttons = [
        {"title": button["title"], "payload": button["payload"].replace("{{", "{").replace("}}", "}")}
        for button in said.get("buttons") or ()
    ]
    return {"text": str(said["text"]).strip(), "buttons": buttons}


def _filled(page: str, said: Mapping[str, Any]) -> str:
    """The page with the words in the place of comments like `<!--utter_calm-->`."""
    parts = {"": slice(None), ", last line": slice(-1, None), ", other lines": slice(-1)}

    def words(found: re.Match[str]) -> str:
        return _as_html(said[found[1]]["text"].splitlines()[parts[found[2]]])

    return re.sub(r"<!--(utter_\w+)(.*?)-->", words, page)


def _as_html(lines: list[str]) -> str:
    """Lines of text, some of them points of a list, with the numbers for help as links."""
    parts: list[str] = []
    for line in lines:
        words = re.sub(r"\b(112|911|999)\b", r'<a href="tel:\1">\1</a>', html.escape(line.removeprefix("- ")))
        if not line.startswith("- "):
            parts.append(f"<p>{words}</p>")
        elif parts and parts[-1].startswith("<ul>"):
            parts[-1] = parts[-1].replace("</ul>", f"<li>{words}</li></ul>")
        else:
            parts.append(f"<ul><li>{words}</li></ul>")
    return "\n".join(parts)


def _origin(text: str) -> str:
    """An origin such as https://clinic.example, checked."""
    parts = urlsplit(text.strip().rstrip("/"))
    origin = f"{parts.scheme}://{parts.netloc}"
    if parts.scheme not in ("http", "https") or not parts.netloc or origin != text.strip().rstrip("/"):
        raise ValueError(f"{ORIGINS} must list origins such as https://clinic.example, not '{text.strip()}'")
    return origin
