"""What was taken already, so that an update that is sent twice is answered once, after a restart too."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict

import sqlalchemy as sa
from rasa.core.tracker_store import SQLTrackerStore, TrackerStore

from assistant.channels.forgetting import unwrapped
from assistant.tracker_store import NotKept, Store

KEPT = 2 * 24 * 3600
"""Seconds that an update is remembered. Telegram sends again for a day, Slack for an hour."""

IN_MEMORY = 10_000
"""Updates that are remembered where there is no database."""

logger = logging.getLogger(__name__)

_table = sa.Table(
    "handled_updates",
    sa.MetaData(),
    sa.Column("channel", sa.String(20), primary_key=True),
    sa.Column("update_id", sa.String(200), primary_key=True),
    sa.Column("at", sa.Float, nullable=False, index=True),
)


class Handled:
    """Remembers which updates were taken, beside the conversations; in memory while the database is down."""

    def __init__(self, channel: str) -> None:
        """Remember the updates of one channel."""
        self._channel = channel
        self._memory: OrderedDict[str, None] = OrderedDict()
        self._ready_for: set[int] = set()

    def first_time(self, store: TrackerStore | None, update_id: str) -> bool:
        """Note an update; whether it was not noted before, by any server that shares the database."""
        if update_id in self._memory:
            return False
        self._memory[update_id] = None
        if len(self._memory) > IN_MEMORY:
            self._memory.popitem(last=False)
        sql = next((s for s in unwrapped(store) if isinstance(s, SQLTrackerStore)), None)
        if isinstance(sql, Store):
            try:
                return sql.at_once(self._noted, sql.engine, update_id)
            except NotKept:
                return True
        return sql is None or self._noted(sql.engine, update_id)

    def _noted(self, engine: sa.engine.Engine, update_id: str) -> bool:
        """Note it in the database; whether it was new there."""
        now = time.time()
        try:
            if id(engine) not in self._ready_for:
                _table.create(engine, checkfirst=True)
                self._ready_for.add(id(engine))
            with engine.begin() as connection:
                tidy(connection, now)
                connection.execute(
                    _table.insert().values(channel=self._channel, update_id=update_id[:200], at=now)
                )
        except sa.exc.IntegrityError:
            return False
        except sa.exc.SQLAlchemyError as error:
            # To answer twice is better than not to answer.
            logger.warning("Updates are remembered in memory only: %s", type(error).__name__)
        return True


def tidy(connection: sa.engine.Connection, now: float) -> int:
    """Delete the updates that will not come again; how many those were."""
    if not sa.inspect(connection).has_table(_table.name):
        return 0
    return int(connection.execute(_table.delete().where(_table.c.at < now - KEPT)).rowcount)
