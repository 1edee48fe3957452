"""What tests share: assistants that run. Each is started once, when the first test needs it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings
from running import Assistant, WithFaults, copied, started, started_with_faults
from web import Restartable, other_site

# How long a test takes depends on the machine: times are benchmarks, not assertions.
settings.register_profile("spotwise", deadline=None)
settings.load_profile("spotwise")

# Debian keeps nginx and other servers where not everybody's PATH leads.
os.environ["PATH"] += ":/usr/local/sbin:/usr/sbin:/sbin"


@pytest.fixture(scope="session")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """The assistant as `make serve` runs it, action server included."""
    with started(copied(tmp_path_factory.mktemp("assistant"))) as running:
        yield running


@pytest.fixture(scope="session")
def assistant_with_faults(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WithFaults]:
    """The assistant with an action server that the tests can stop, hang and break."""
    with started_with_faults(copied(tmp_path_factory.mktemp("with_faults"))) as running:
        yield running


@dataclass
class Web:
    """An assistant that people reach on the web, and a site that may embed it."""

    assistant: Assistant
    folder: Path
    clinic: str
    pages: dict[str, bytes]

    @property
    def url(self) -> str:
        """Where it is."""
        return self.assistant.url


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The assistant as `make serve` runs it, open to one other site. Tests ask more often than people may."""
    folder = copied(tmp_path_factory.mktemp("web"))
    credentials = folder / "credentials.yml"
    unlimited = (
        credentials.read_text().replace("[120, 120]", "[90000, 90000]").replace("[30, 40]", "[90000, 90000]")
    )
    credentials.write_text(unlimited)
    with other_site() as (clinic, pages), started(folder, WEB_ORIGINS=clinic) as running:
        yield Web(running, folder, clinic, pages)


@pytest.fixture(scope="module")
def restartable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restartable]:
    """A Rasa server without actions, not started yet."""
    server = Restartable(copied(tmp_path_factory.mktemp("restartable")))
    yield server
    server.kill()
