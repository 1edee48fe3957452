"""Servers behind nginx with the engines they share, as deploy/ has them."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
from cryptography.fernet import Fernet
from engines import PASSWORD, Engine, free_port, nginx, postgres, rabbitmq, redis
from running import TOKEN, Assistant, copied, process, settings, wait_until


class Server:
    """One of the servers, which can be killed and started again."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        """Know how it is started."""
        self.port = free_port()
        self.log = folder / f"log-{self.port}"
        self._folder = folder
        self._environment = {**environment, "PORT": str(self.port)}
        self._running = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, without waiting."""
        self._process = self._running.enter_context(
            process("rasa-server", self._folder, self._environment, self.log)
        )

    def kill(self) -> None:
        """End it at once."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._running.close()

    def close(self) -> None:
        """Stop it in good order."""
        self._running.close()

    def get(self, path: str) -> requests.Response:
        """Ask for one of its routes."""
        return requests.get(f"http://127.0.0.1:{self.port}/{path}", params={"token": TOKEN}, timeout=30)

    def is_well(self) -> bool:
        """Whether all its parts work."""
        with contextlib.suppress(requests.RequestException):
            return self.get("ready").status_code == 200
        return False

    def turns(self) -> float:
        """How many messages it took."""
        found = re.search(r'spotwise_turns_total\{channel="rest"\} (\S+)', self.get("metrics").text)
        return float(found[1]) if found else 0.0


class Cluster(Assistant):
    """All of it, talked to through nginx."""

    def __init__(self, url: str, servers: list[Server], engines: dict[str, Engine]) -> None:
        """Know the parts, to break them."""
        super().__init__(url, TOKEN)
        self.servers = servers
        self.engines = engines

    def say(self, sender: str, text: str) -> tuple[list[dict[str, Any]], float]:
        """Send a message; where no server answers, nginx does."""
        try:
            return super().say(sender, text)
        except requests.HTTPError as error:
            assert error.response.status_code == 503
            return error.response.json(), 0.0

    def tracker(self, sender: str) -> dict[str, Any]:
        """What is stored of a conversation, as the first server that answers reads it."""
        for server in self.servers:
            with contextlib.suppress(requests.RequestException):
                answer = server.get(f"conversations/{sender}/tracker")
                answer.raise_for_status()
                tracker: dict[str, Any] = answer.json()
                return tracker
        raise AssertionError("no server answers")

    def recovers(self) -> None:
        """Wait until all is well, by itself."""
        wait_until(lambda: all(server.is_well() for server in self.servers), "the servers", limit=120)

    def tells_that_down(self, part: str) -> None:
        """Wait until the first server's `/ready` says so, which may repeat its last look for a second."""
        first = self.servers[0]
        wait_until(lambda: first.get("ready").json()[part] == "down", f"/ready to tell of {part}", limit=5)


@contextlib.contextmanager
def started_cluster(folder: Path, count: int = 2) -> Iterator[Cluster]:
    """Some servers, one action server, three engines, and nginx; in a copy of the project."""
    copied(folder / "project")
    (folder / "nginx").mkdir()
    project = folder / "project"
    (project / "var").mkdir()
    with contextlib.ExitStack() as running:
        engines = {
            "postgres": running.enter_context(postgres()),
            "redis": running.enter_context(redis()),
            "rabbitmq": running.enter_context(rabbitmq()),
        }
        environment = {
            **settings(),
            "ENDPOINTS": "deploy/endpoints.production.yml",
            "ACCOUNT_KEY": "account key of the tests",
            "STORE_KEY": Fernet.generate_key().decode(),
            "DB_HOST": "127.0.0.1",
            "DB_PORT": str(engines["postgres"].port),
            "DB_NAME": "spotwise",
            "DB_USER": "spotwise",
            "DB_PASSWORD": PASSWORD,
            "REDIS_URL": f"redis://:{PASSWORD}@127.0.0.1:{engines['redis'].port}/0",
            "BROKER_URL": f"amqp://guest:guest@127.0.0.1:{engines['rabbitmq'].port}/",
        }
        environment["ACTIONS_URL"] = f"http://127.0.0.1:{environment['ACTIONS_PORT']}/webhook"
        running.enter_context(process("actions", project, environment, project / "log-actions"))
        servers = [Server(project, environment) for _ in range(count)]
        for server in servers:
            running.callback(server.close)
            server.start()
        for server in servers:
            wait_until(server.is_well, "a server", log=server.log)
        port = running.enter_context(nginx([server.port for server in servers], folder / "nginx"))
        yield Cluster(f"http://127.0.0.1:{port}", servers, engines)
