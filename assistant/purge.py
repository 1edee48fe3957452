"""Deleting what is older than KEEP_DAYS: by itself beside the server, or with `make purge`."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import sqlalchemy as sa

from assistant.channels import handled
from assistant.checks import KEEP_DAYS
from assistant.tracker_store import Store, events, wipe

EVERY = 3600
"""Seconds between two rounds of the job."""

DAY = 24 * 3600

logger = logging.getLogger(__name__)


class Clock:
    """The time, which a clock that is set forward does not hurry: nothing is purged before it is old."""

    def __init__(self) -> None:
        """Start counting from what the clock says now."""
        self._began = time.time() - time.monotonic()

    def now(self) -> float:
        """Seconds since the epoch, at most."""
        return min(time.time(), self._began + time.monotonic())


def purge(store: Store, days: float, now: float) -> int:
    """Delete every event that is older than so many days, and keep none in memory; how many those were."""
    with store.engine.begin() as connection:
        old = events.c.timestamp < now - days * DAY
        count = int(connection.execute(events.delete().where(old)).rowcount)
        handled.tidy(connection, now)
    store.let_go()
    wipe(store.engine)
    return count


async def keep_purging(store: Store, days: float) -> None:
    """Purge for as long as the server runs; the database may be down for a round."""
    clock = Clock()
    while True:
        try:
            count = await asyncio.to_thread(purge, store, days, clock.now())
            if count:
                logger.warning("Purged %d events that were older than %g days.", count, days)
        except sa.exc.SQLAlchemyError as error:
            logger.error("Nothing could be purged: %s", type(error).__name__)
        await asyncio.sleep(EVERY)


def tell_days(responses: dict[str, list[dict[str, Any]]], days: float) -> None:
    """Have the answer on privacy name the days that are set here."""
    for response in responses["utter_privacy"]:
        response["text"] = response["text"].replace(f"{KEEP_DAYS:g} days", f"{days:g} days")
