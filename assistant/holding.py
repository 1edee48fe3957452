"""Holds the port while the model loads, so that the page is there from the first second.

Rasa listens only once its model is loaded, half a minute after the start. Until then a thread answers on the
same listening socket: with the page and its emergency words, and to messages with "not yet", upon which the
widget sends them again. Then Rasa's server takes the socket over, and no connection is refused in between.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from assistant.webpage import API, WebPage

BACKLOG = 100
AGAIN_IN = 2
"""Seconds after which a browser asks again."""
SLOWEST = 10
"""Seconds that a request may take to arrive."""
MOST_READ = 16 * 1024


class Holding:
    """Answers on a socket until it is let go."""

    def __init__(self, listening: socket.socket, page: WebPage) -> None:
        """Begin to answer."""
        self._server = _Server(listening, page)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def let_go(self) -> None:
        """Answer no more. The socket stays open, and connections wait in it."""
        self._server.shutdown()
        self._thread.join()


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that takes connections."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as found:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(BACKLOG)
        yield found


class _Server(ThreadingHTTPServer):
    def __init__(self, listening: socket.socket, page: WebPage) -> None:
        super().__init__(listening.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.page = page

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that broke off is nothing to tell of."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = SLOWEST
    server_version = sys_version = ""

    def do_GET(self) -> None:
        if self.path.partition("?")[0] in self.server.page.files:
            asked = {name.lower(): value for name, value in self.headers.items()}
            self._send(*self.server.page.respond(self.path.partition("?")[0], asked))
        else:
            self._not_yet(None)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        self.rfile.read(min(int(length), MOST_READ) if length.isdecimal() else 0)
        self._not_yet(self.headers.get("origin") if self.path.startswith(API) else None)

    do_OPTIONS = do_PUT = do_DELETE = do_POST

    def _not_yet(self, origin: str | None) -> None:
        page = self.server.page
        allowed = page.allows(origin, self.headers.get("host"))
        headers = {**page.api_headers(origin, allowed), "retry-after": str(AGAIN_IN)}
        if self.path.startswith(API):
            words = {"error": page.labels["starting"], "why": "starting"}
            self._send(503, {**headers, "content-type": "application/json"}, json.dumps(words).encode())
        else:
            self._send(503, {**headers, "content-type": "text/plain"}, b"Spotwise is starting.\n")

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Write nothing."""
