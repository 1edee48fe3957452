"""What tests share: assistants that run. Each is started once, when the first test needs it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings
from running import Assistant, WithFaults, copied, started, started_with_faults

# How long a test takes depends on the machine: times are benchmarks, not assertions.
settings.register_profile("spotwise", deadline=None)
settings.load_profile("spotwise")


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
