"""A running assistant to talk to, as people and integrators do: over REST, in a process of its own."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parent.parent
MODEL = Path("models") / "spotwise.tar.gz"
TOKEN = "token-of-the-tests"
START_LIMIT = 240
"""Seconds; on a slow and busy machine."""

NOT_COPIED = (".*", "__pycache__", "docs", "models", "tests", "var")

COMPLAINT = re.compile(
    r"\b(ERROR|CRITICAL|Traceback|Exception)\b|did not work|A turn (took|said|broke)|\[error\s*\]"
)
"""A line of the log that says that something went wrong; a turn without words or in time is such a thing."""


class Assistant:
    """An assistant at a URL, and what it says there."""

    def __init__(self, url: str, token: str, log: Path | None = None) -> None:
        """Talk to the assistant at this URL; `log` is where its processes write."""
        self.url = url
        self._token = {"token": token}
        self._log = log
        self.pid = 0

    def say(self, sender: str, text: str) -> tuple[list[dict[str, Any]], float]:
        """Send a message; give the answers and the seconds they took."""
        start = time.monotonic()
        response = requests.post(
            f"{self.url}/webhooks/rest/webhook",
            params=self._token,
            json={"sender": sender, "message": text},
            timeout=30,
        )
        took = time.monotonic() - start
        response.raise_for_status()
        return response.json(), took

    def tracker(self, sender: str) -> dict[str, Any]:
        """What is stored of a conversation."""
        url = f"{self.url}/conversations/{sender}/tracker"
        response = requests.get(url, params=self._token, timeout=30)
        response.raise_for_status()
        tracker: dict[str, Any] = response.json()
        return tracker

    def is_ready(self) -> bool:
        """Whether it can be talked to."""
        with contextlib.suppress(requests.RequestException, ValueError):
            return bool(
                requests.get(f"{self.url}/status", params=self._token, timeout=5).json()["model_file"]
            )
        return False

    @property
    def folder(self) -> Path:
        """The project that it runs in."""
        assert self._log is not None
        return self._log.parent

    def get(self, path: str, **headers: str) -> requests.Response:
        """Ask for one of its other routes, without the token."""
        return requests.get(f"{self.url}/{path}", headers=headers, timeout=10)

    def log(self) -> str:
        """What its processes wrote so far."""
        return self._log.read_text(errors="replace") if self._log else ""

    def complaints(self) -> list[str]:
        """The lines of the log that tell of something that went wrong."""
        return [line for line in self.log().splitlines() if COMPLAINT.search(line)]

    def action_server(self, state: str) -> None:
        """Change what becomes of the action server; only where the assistant was started for it."""
        raise NotImplementedError("this assistant keeps its action server")


class WithFaults(Assistant):
    """An assistant whose action server can be down, hung, broken, or itself."""

    def __init__(self, url: str, token: str, log: Path, folder: Path, environment: dict[str, str]) -> None:
        """Begin without an action server."""
        super().__init__(url, token, log)
        self._folder = folder
        self._environment = environment
        self._port = int(environment["ACTIONS_PORT"])
        self._running = contextlib.ExitStack()
        self.kill: Callable[[], None] = lambda: None
        """Ends the Rasa server at once, in the middle of whatever it does."""

    def action_server(self, state: str) -> None:
        """Have the action server `up`, `down`, `hung`, answering `500`, or answering `garbage`."""
        self._running.close()
        if state == "up":
            self._running.enter_context(process("actions", self._folder, self._environment, self._log))
            wait_until(lambda: listens(self._port), "the action server")
            time.sleep(3.5)  # the pause after a failed call
        elif state == "hung":
            self._running.enter_context(hung_server(self._port))
        elif state != "down":
            self._running.enter_context(broken_server(self._port, state))

    def close(self) -> None:
        """Stop what stands in for the action server."""
        self._running.close()


# --- starting ---


@contextlib.contextmanager
def started(folder: Path, **environment: str) -> Iterator[Assistant]:
    """An assistant started as `make serve` does, in a copy of the project; `environment` is added to ours."""
    variables = settings(**environment)
    with process("serve", folder, variables, folder / "log") as serve:
        assistant = Assistant(f"http://127.0.0.1:{variables['PORT']}", TOKEN, folder / "log")
        assistant.pid = serve.pid
        wait_until(assistant.is_ready, "the assistant", serve, folder / "log")
        wait_until(
            lambda: listens(int(variables["ACTIONS_PORT"])), "the action server", serve, folder / "log"
        )
        yield assistant


@contextlib.contextmanager
def started_with_faults(folder: Path, **environment: str) -> Iterator[WithFaults]:
    """Only the Rasa server of an assistant; the tests decide what its action server does."""
    variables = settings(**environment)
    (folder / "var").mkdir(exist_ok=True)
    with process("rasa-server", folder, variables, folder / "log") as server:
        url = f"http://127.0.0.1:{variables['PORT']}"
        assistant = WithFaults(url, TOKEN, folder / "log", folder, variables)
        assistant.kill = server.kill
        wait_until(assistant.is_ready, "the Rasa server", server, folder / "log")
        with contextlib.closing(assistant):
            yield assistant


def own_command(command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run one of the launcher's commands to its end."""
    return subprocess.run(
        [sys.executable, "-m", "assistant.run", command],
        cwd=folder,
        env={**settings(), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=START_LIMIT,
    )


def copied(folder: Path) -> Path:
    """Copy the project with its model, so that no test writes where real conversations are."""
    if not (ROOT / MODEL).exists():
        raise RuntimeError(f"There is no trained model at {MODEL}. `make test` trains one.")
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NOT_COPIED), dirs_exist_ok=True)
    (folder / MODEL).parent.mkdir()
    shutil.copy(ROOT / MODEL, folder / MODEL)
    return folder


def settings(**environment: str) -> dict[str, str]:
    """An environment with free ports, a token and what is added."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        ports = {"PORT": str(one.getsockname()[1]), "ACTIONS_PORT": str(other.getsockname()[1])}
    return {**os.environ, **ports, "API_TOKEN": TOKEN, **environment}


@contextlib.contextmanager
def process(
    command: str, folder: Path, environment: dict[str, str], log: Path | None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run one of the launcher's commands, and stop it."""
    output = log.open("ab") if log else subprocess.DEVNULL
    run = subprocess.Popen(
        [sys.executable, "-m", "assistant.run", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield run
    finally:
        run.send_signal(signal.SIGTERM)
        try:
            run.wait(20)
        except subprocess.TimeoutExpired:
            run.kill()
            run.wait()
        if not isinstance(output, int):
            output.close()


def wait_until(
    holds: Any,
    what: str,
    process: subprocess.Popen[bytes] | None = None,
    log: Path | None = None,
    limit: float = START_LIMIT,
) -> None:
    """Wait for something to be there, and say why it is not."""
    end = time.monotonic() + limit
    while not holds():
        if time.monotonic() > end or (process and process.poll() is not None):
            words = log.read_text(errors="replace")[-3000:] if log and log.exists() else ""
            raise RuntimeError(f"{what} did not start.\n{words}")
        time.sleep(0.1)


def listens(port: int) -> bool:
    """Whether somebody listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


# --- what can be in the action server's place ---


@contextlib.contextmanager
def hung_server(port: int) -> Iterator[None]:
    """Accepts every connection, and never answers."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen(100)
        server.settimeout(0.2)
        held: list[socket.socket] = []
        over = threading.Event()

        def accept() -> None:
            while not over.is_set():
                with contextlib.suppress(TimeoutError, socket.timeout):
                    held.append(server.accept()[0])

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            for connection in held:
                connection.close()


BROKEN = {
    "500": (500, b'{"error": "boom"}'),
    "garbage": (200, b"<html>no JSON at all \xff\xfe</html>"),
    "wrong shape": (200, b'{"events": "none", "responses": 7}'),
    "empty": (200, b""),
    "404": (404, b'{"action_name": "x", "error": "no action"}'),
    "slow": (200, b'{"events": [], "responses": []}'),
}
SLOW = 4.0
"""Seconds that the slow one takes: longer than anybody waits for it."""


@contextlib.contextmanager
def broken_server(port: int, state: str) -> Iterator[None]:
    """Answers every request with the same nonsense."""
    status, body = BROKEN[state]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            if state == "slow":
                time.sleep(SLOW)
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):  # nobody waited for it
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
