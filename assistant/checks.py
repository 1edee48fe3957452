"""What has to be right before anything is started, each fault told in one clear line."""

from __future__ import annotations

import fcntl
import gzip
import io
import os
import re
import socket
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "models" / "spotwise.tar.gz"
VAR = ROOT / "var"

KEEP_DAYS = 7.0
"""Days that a message is kept where the environment variable KEEP_DAYS names no other number."""


class StartError(Exception):
    """A reason not to start, in words for the person who started it."""


@contextmanager
def one_at_a_time(made: Path) -> Iterator[None]:
    """Wait until no other process of this folder makes the same file; the system lets go of who is killed."""
    made.parent.mkdir(exist_ok=True)
    with made.with_name(f"{made.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def port_setting(name: str, default: int) -> int:
    """Read a port number from the environment."""
    value = os.environ.get(name) or str(default)
    if not (value.isdecimal() and 0 < int(value) < 65536):
        raise StartError(f"{name} must be a port number from 1 to 65535, not '{value}'.")
    return int(value)


def keep_days() -> float:
    """Read for how many days to keep what was told."""
    given = os.environ.get("KEEP_DAYS") or f"{KEEP_DAYS:g}"
    try:
        days = float(given)
    except ValueError:
        days = 0.0
    if not 0 < days < 3650:  # NaN included
        raise StartError(f"KEEP_DAYS must be a number of days above 0, such as 7 or 0.5, not '{given}'.")
    return days


def check_port(port: int, host: str) -> None:
    """Refuse a port that can't be listened on."""
    with socket.socket() as probe:
        # As servers do: a port that was closed a moment ago counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise StartError(f"Port {port} needs root. Choose another: PORT=5006 make serve") from None
        except OSError:
            raise StartError(
                f"Port {port} is in use. Stop what uses it, or choose another: PORT={port + 1} make serve"
            ) from None


def free_port(preferred: int = 0) -> int:
    """Find a free port on loopback: the preferred one, or else any."""
    try:
        check_port(preferred, "127.0.0.1")
    except StartError:
        preferred = 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", preferred))
        return int(probe.getsockname()[1])


def check_model() -> None:
    """Refuse a model that is missing or damaged; Rasa would start without one and answer nothing."""
    name = MODEL.relative_to(ROOT)
    if not MODEL.exists():
        raise StartError(f"There is no trained model at {name}. Run: make train")
    try:
        content = gzip.decompress(MODEL.read_bytes())
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            archive.getmember("metadata.json")
    except (OSError, EOFError, KeyError, zlib.error, tarfile.TarError):
        raise StartError(f"The model {name} is damaged. Run: rm {name} && make train") from None


def check_knowledge() -> None:
    """Refuse a knowledge base with faults, and list them all."""
    from spotwise.knowledge import KnowledgeError, load_knowledge

    try:
        load_knowledge()
    except KnowledgeError as error:
        raise StartError(f"The knowledge base has faults; nothing was started.\n{error}") from None


def check_telegram() -> None:
    """Refuse a token or a secret of Telegram that can't be right; the values themselves are never shown."""
    token, secret = os.environ.get("TELEGRAM_TOKEN"), os.environ.get("TELEGRAM_SECRET")
    if token and not re.fullmatch(r"\d+:[\w-]{20,}", token, re.ASCII):
        raise StartError("TELEGRAM_TOKEN is no bot's token. BotFather gives one, such as 123456:ABC-def...")
    if secret and not re.fullmatch(r"[\w-]{16,256}", secret, re.ASCII):
        raise StartError(
            "TELEGRAM_SECRET must be 16 to 256 letters, digits, _ and -. "
            "Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
