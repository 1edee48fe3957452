"""PostgreSQL, Redis, RabbitMQ and nginx as Debian has them, each with a port and a folder of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
from running import ROOT, listens, wait_until

PASSWORD = "password-of-the-tests"
LIMIT = 90.0
"""Seconds for an engine to start."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Engine:
    """A server program that can be killed and started again, with what it stored."""

    def __init__(self, name: str, command: list[str], port: int, user: str | None, folder: Path) -> None:
        """Know how it is started; `user` is who runs it where the tests run as root."""
        self.port = port
        self.folder = folder
        self._name = name
        self._command = command
        self._user = user if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, **environment: str) -> None:
        """Start it and wait until it listens."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self.folder,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                user=self._user,
                group=self._user,
                extra_groups=[] if self._user else None,
                start_new_session=True,
            )
        wait_until(lambda: listens(self.port), self._name, self._process, self.folder / "log", limit=LIMIT)

    def kill(self) -> None:
        """End it and all it started at once."""
        if self._process is None:
            return
        family = [psutil.Process(self._process.pid)]
        family += family[0].children(recursive=True)
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, 10)
        self._process.wait()
        self._process = None
        wait_until(lambda: not listens(self.port), f"the end of {self._name}", limit=10)

    def hang(self, frozen: bool) -> None:
        """Freeze it and all it started, or let it go on."""
        assert self._process is not None
        for process in (
            psutil.Process(self._process.pid),
            *psutil.Process(self._process.pid).children(recursive=True),
        ):
            process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)


@contextlib.contextmanager
def folder_for(user: str) -> Iterator[Path]:
    """A folder that belongs to a user."""
    folder = Path(tempfile.mkdtemp(prefix=f"spotwise-{user}-"))
    if os.geteuid() == 0:
        shutil.chown(folder, user, user)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def postgres() -> Iterator[Engine]:
    """A new PostgreSQL with a database `spotwise`."""
    (bin_folder,) = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
    with folder_for("postgres") as folder:
        port = free_port()
        data = folder / "data"
        command = [str(bin_folder / "postgres"), "-D", str(data), "-p", str(port), "-k", str(folder)]
        engine = Engine(
            "PostgreSQL", [*command, "-c", "listen_addresses=127.0.0.1"], port, "postgres", folder
        )
        password = folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        made = [str(bin_folder / "initdb"), "-D", str(data), "-U", "spotwise", f"--pwfile={password}"]
        subprocess.run(
            [*made, "--auth=scram-sha-256"],
            check=True,
            capture_output=True,
            user=engine._user,
            group=engine._user,
        )
        engine.start()
        try:
            wait_until(
                lambda: sql(engine, "CREATE DATABASE spotwise", "postgres"), "the database", limit=LIMIT
            )
            yield engine
        finally:
            engine.kill()


def sql(engine: Engine, statement: str, database: str = "spotwise") -> bool:
    """Run a statement; whether that worked."""
    command = ["psql", "-v", "ON_ERROR_STOP=1", "-c", statement, postgres_url(engine, database)]
    return subprocess.run(command, capture_output=True).returncode == 0


def postgres_url(engine: Engine, database: str = "spotwise") -> str:
    """Where the database is."""
    return f"postgresql://spotwise:{PASSWORD}@127.0.0.1:{engine.port}/{database}"


@contextlib.contextmanager
def redis() -> Iterator[Engine]:
    """A Redis that stores nothing."""
    with folder_for("redis") as folder:
        port = free_port()
        command = [
            "redis-server",
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        engine = Engine("Redis", [*command, "--requirepass", PASSWORD], port, "redis", folder)
        engine.start()
        try:
            yield engine
        finally:
            engine.kill()


@contextlib.contextmanager
def rabbitmq() -> Iterator[Engine]:
    """A RabbitMQ with its guest user, who may come from this machine only."""
    with folder_for("rabbitmq") as folder:
        port = free_port()
        names = free_port()  # where Erlang's own name server listens, which outlives the one who started it
        engine = Engine("RabbitMQ", ["/usr/lib/rabbitmq/bin/rabbitmq-server"], port, "rabbitmq", folder)
        environment = {
            "HOME": str(folder),
            "RABBITMQ_NODENAME": f"spotwise-{port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(port),
            "ERL_EPMD_PORT": str(names),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
        }
        start = engine.start
        engine.start = lambda: start(**environment)  # type: ignore[method-assign]
        engine.start()
        try:
            yield engine
        finally:
            engine.kill()
            subprocess.run(["epmd", "-port", str(names), "-kill"], capture_output=True)


@contextlib.contextmanager
def nginx(servers: list[int], folder: Path) -> Iterator[int]:
    """nginx as deploy/nginx.conf has it, in front of servers on these ports; its own port."""
    port = free_port()
    words = (ROOT / "deploy" / "nginx.conf").read_text()
    for number, server in enumerate(servers, 1):
        assert f"spotwise-{number}:5005" in words
        words = words.replace(f"spotwise-{number}:5005", f"127.0.0.1:{server}")
    for number in range(len(servers) + 1, 3):
        words = "\n".join(line for line in words.splitlines() if f"spotwise-{number}:5005" not in line)
    words = words.replace("listen 8080", f"listen 127.0.0.1:{port}").replace("/tmp/", f"{folder}/")
    words = words.replace("rate=10r/s", "rate=10000r/s")  # all people of a test come from one address
    settings = folder / "nginx.conf"
    settings.write_text(words)
    folder.chmod(0o755)
    engine = Engine("nginx", ["nginx", "-c", str(settings), "-g", "daemon off;"], port, None, folder)
    engine.start()
    try:
        yield port
    finally:
        engine.kill()
