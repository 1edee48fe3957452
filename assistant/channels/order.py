"""What is done for one person is done in order; what is done for others goes on beside it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from assistant.channels.turns import keep

logger = logging.getLogger(__name__)


class InOrder:
    """Runs work in the background: one after another for the same name, side by side for different ones."""

    def __init__(self) -> None:
        """Begin with nothing to do."""
        self._last: dict[str, asyncio.Task[None]] = {}

    def then(self, whose: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do this once all is done that was asked for before under the same name. It never raises."""
        task = keep(_after(self._last.get(whose), work))
        self._last[whose] = task
        task.add_done_callback(lambda done: self._ended(whose, done))
        return task

    async def finish(self, seconds: float) -> None:
        """Wait for what is still to be done, but not longer than this."""
        if self._last:
            await asyncio.wait(set(self._last.values()), timeout=seconds)

    def _ended(self, whose: str, task: asyncio.Task[None]) -> None:
        """Forget a name for which nothing is left to do."""
        if self._last.get(whose) is task:
            del self._last[whose]


async def _after(before: asyncio.Task[None] | None, work: Coroutine[Any, Any, None]) -> None:
    """Do something after something else. An error is logged by name only: its text can be the person's."""
    if before is not None:
        await asyncio.wait({before})
    try:
        await work
    except Exception as error:
        logger.error("Work in the background broke: %s", type(error).__name__)
