"""What was taken already, so that an update that is sent twice is answered once, after a restart too."""

from __future__ import annotations

import enum
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
from rasa.core.tracker_store import SQLTrackerStore, TrackerStore

from assistant.channels.forgetting import unwrapped
from assistant.tracker_store import NotKept, Store

KEPT = 2 * 24 * 3600
"""Seconds that an update is remembered. Telegram sends again for a day, Slack for an hour."""

IN_MEMORY = 10_000
"""Updates that are remembered where there is no database."""

ID_LIMIT = 200
"""Characters of an update's name; the column's width."""

T = TypeVar("T")

logger = logging.getLogger(__name__)

_table = sa.Table(
    "handled_updates",
    sa.MetaData(),
    sa.Column("channel", sa.String(20), primary_key=True),
    sa.Column("update_id", sa.String(ID_LIMIT), primary_key=True),
    sa.Column("at", sa.Float, nullable=False, index=True),
    sa.Column("done", sa.Boolean, nullable=False),
)


class State(enum.Enum):
    """How far an update had come when it was sent (again)."""

    NEW = "new"
    BEGUN = "begun"
    DONE = "done"


class Handled:
    """Remembers which updates were taken, beside the conversations; in memory while the database is down."""

    def __init__(self, channel: str) -> None:
        """Remember the updates of one channel."""
        self._channel = channel
        self._memory: OrderedDict[str, bool] = OrderedDict()
        self._ready_for: set[int] = set()

    def first_time(self, store: TrackerStore | None, update_id: str) -> bool:
        """Note an update; whether it was not noted before, by any server that shares the database."""
        return self.begin(store, update_id) is State.NEW

    def begin(self, store: TrackerStore | None, update_id: str) -> State:
        """Note that an update was begun. One begun before but not done was broken off, or goes on."""
        if update_id in self._memory:
            return State.DONE if self._memory[update_id] else State.BEGUN
        state = in_database(store, self._noted, update_id) or State.NEW
        self._memory[update_id] = state is State.DONE
        if len(self._memory) > IN_MEMORY:
            self._memory.popitem(last=False)
        return state

    def end(self, store: TrackerStore | None, update_id: str) -> None:
        """Note that an update was done, and need not be taken again."""
        self._memory[update_id] = True
        in_database(store, self._done, update_id)

    def _noted(self, engine: sa.engine.Engine, update_id: str) -> State:
        """Note it in the database; what was known of it there."""
        row = {"channel": self._channel, "update_id": update_id[:ID_LIMIT]}
        now = time.time()
        try:
            if id(engine) not in self._ready_for:
                _table.create(engine, checkfirst=True)
                self._ready_for.add(id(engine))
            try:
                with engine.begin() as connection:
                    tidy(connection, now)
                    connection.execute(_table.insert().values(**row, at=now, done=False))
            except sa.exc.IntegrityError:
                with engine.begin() as connection:
                    done = connection.execute(sa.select([_table.c.done]).filter_by(**row)).scalar()
                return State.DONE if done else State.BEGUN
        except sa.exc.SQLAlchemyError as error:
            in_memory_only(error)
        return State.NEW

    def _done(self, engine: sa.engine.Engine, update_id: str) -> None:
        """Note in the database that it was done."""
        this = (_table.c.channel == self._channel) & (_table.c.update_id == update_id[:ID_LIMIT])
        try:
            with engine.begin() as connection:
                connection.execute(_table.update().where(this).values(done=True))
        except sa.exc.SQLAlchemyError as error:
            in_memory_only(error)


def in_database(
    store: TrackerStore | None, work: Callable[[sa.engine.Engine, str], T], update_id: str
) -> T | None:
    """Do something in the database of a tracker store; None where there is none, or it is down."""
    sql = next((s for s in unwrapped(store) if isinstance(s, SQLTrackerStore)), None)
    if isinstance(sql, Store):
        try:
            return sql.at_once(work, sql.engine, update_id)
        except NotKept:
            return None
    return work(sql.engine, update_id) if sql is not None else None


def in_memory_only(error: Exception) -> None:
    """Go on without the database: to answer twice is better than not to answer."""
    logger.warning("Updates are remembered in memory only: %s", type(error).__name__)


def tidy(connection: sa.engine.Connection, now: float) -> int:
    """Delete the updates that will not come again; how many those were."""
    if not sa.inspect(connection).has_table(_table.name):
        return 0
    return int(connection.execute(_table.delete().where(_table.c.at < now - KEPT)).rowcount)
