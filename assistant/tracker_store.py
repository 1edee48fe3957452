"""Where conversations are kept: in an SQL database, whole, in order, and never where nobody would look.

Rasa's own SQL store waits for ever for a database that is down at start, blocks every other conversation
while it waits, writes what people said into its error messages, and loses its place when the clock moves.
Around it, Rasa goes on in memory without a word when the database fails, and what is told then is gone.

Here a turn that could not be kept says so: `save` raises NotKept, and the channel sends the safe words after
what the turn had to say. While nothing can be read, each message is answered by itself, so that an emergency
is still heard. Nothing has to be repaired afterwards: the next turn simply works again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import cache
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import SQLTrackerStore, TrackerStore, validate_port
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    Event,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy import event as sa_event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import sessionmaker

from assistant import metrics
from assistant.checks import StartError
from assistant.conversation import Conversation
from assistant.encryption import KEY, Cipher, Unreadable

LOCKED_FOR = 0.5
"""Seconds to wait for a database that somebody else writes to."""

PATIENCE = 1.5
"""Seconds for one read or write. A turn has one of each, and 4.5 seconds for all."""

OPEN_FOR = 0.5
"""Seconds without work after which SQLite's file is closed. That empties SQLite's log, which takes as long as
all else that a turn does with the file, so that it comes after people are answered."""

OPEN_AT_MOST = 5
"""Seconds of work after which it is opened anew all the same, to see it as it is on the disk."""

AT_ONCE = 4
"""Reads and writes at a time; more would only queue in the database. SQLite takes one after the other."""

AT_HAND = 64
"""Conversations that are kept in memory between two turns, the latest ones."""

AT_HAND_FOR = 600
"""Seconds that one is kept without a new message."""

LONG = 150
"""Events from which on the earlier ones of a conversation are summed up; Rasa goes through all, each turn."""

LATER = 0.02
"""Seconds after a turn until that is done, so that people are answered first."""

TURNS_KEPT = 4
"""Messages that then stay as they were told, with what followed; no rule or story looks farther back."""

VERSION = "spotwise_version"
"""The attribute of a tracker with the number of its last stored row; None where nothing could be read."""

T = TypeVar("T")
events = SQLTrackerStore.SQLEvent.__table__
probe = sa.Table(
    "store_probe",
    SQLTrackerStore.Base.metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Float, nullable=False),
)
_ADD = events.insert()
_LAST_ROW = sa.select(sa.func.max(events.c.id)).where(events.c.sender_id == sa.bindparam("name"))
"""Statements of every turn, put together once."""
logger = logging.getLogger(__name__)


class NotKept(Exception):
    """A turn could not be stored; the person must not be left to think that it was."""


class Store(SQLTrackerStore):  # type: ignore[misc]  # Rasa's types are not seen
    """Rasa's table of events, kept with care."""

    def __init__(
        self,
        domain: Domain | None = None,
        host: str | None = None,
        event_broker: EventBroker | None = None,
        dialect: str = "sqlite",
        port: int | str | None = None,
        db: str = "var/conversations.db",
        username: str | None = None,
        password: str | None = None,
        query: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Know the database, which may be down. Raises StartError where STORE_KEY is no key."""
        url = self.get_db_url(dialect, host, validate_port(port), db, username, password, query=query)
        self.engine = engine_for(url)
        self.sessionmaker = sessionmaker(bind=self.engine)
        self.works = True
        self._cipher = Cipher.from_environment()
        self._prepared = False
        at_once = 1 if self.engine.dialect.name == "sqlite" else AT_ONCE
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="store")
        self._closing: asyncio.TimerHandle | None = None
        self._at_hand: OrderedDict[str, tuple[float, DialogueStateTracker]] = OrderedDict()
        TrackerStore.__init__(self, domain, event_broker)  # not Rasa's, which waits for the database

    # --- what Rasa calls ---

    def init_tracker(self, sender_id: str) -> DialogueStateTracker:
        """A conversation that begins."""
        return Conversation(sender_id, self.domain.slots)

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """The latest session of a conversation; a blank one that can't be saved while nothing can be read.

        One that was saved here and is still as it was is not read again: a turn costs the same late in a
        long conversation as early. It is handed out once, so that a turn that breaks leaves nothing behind.
        """
        self._let_go_of_old()
        _, at_hand = self._at_hand.pop(sender_id, (None, None))
        try:
            if at_hand and await self._attempt(self._version, sender_id) == getattr(at_hand, VERSION):
                return self._summed_up(at_hand)
            recalled = await self._recalled(sender_id, all_sessions=False)
            return recalled and self._summed_up(recalled)
        except NotKept:
            blank = self.init_tracker(sender_id)
            setattr(blank, VERSION, None)
            return blank

    async def latest_session(self, sender_id: str) -> DialogueStateTracker | None:
        """The latest session of a conversation as it was told. Raises NotKept while nothing can be read."""
        return await self._recalled(sender_id, all_sessions=False)

    async def retrieve_full_tracker(self, conversation_id: str) -> DialogueStateTracker | None:
        """All sessions of a conversation. Raises NotKept while nothing can be read."""
        return await self._recalled(conversation_id, all_sessions=True)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Store what is new. Raises NotKept where that is impossible, or would mix two turns."""
        version = getattr(tracker, VERSION, 0)
        if version is None:
            raise NotKept("the conversation could not be read")
        new = list(islice(tracker.events, _stored_events(tracker), None))
        if not new:
            return
        rows = [self._row(tracker.sender_id, event) for event in new]
        _remember(tracker, await self._attempt(self._write, tracker.sender_id, version, rows))
        self._keep_at_hand(tracker)
        metrics.told(new, tracker.get_slot("urgency"))
        if self.event_broker is not None:
            for event in new:
                self.event_broker.publish(event.as_dict())

    async def keys(self) -> Iterable[str]:
        """The names of all conversations."""
        return await self._attempt(self._names)

    # --- what the rest of the assistant calls ---

    async def check(self) -> bool:
        """Whether something can be written just now."""
        try:
            await self._attempt(self._write_probe)
        except NotKept:
            return False
        return True

    def check_key(self) -> None:
        """Refuse to start with keys that don't fit what is stored. Raises StartError."""
        try:
            self._prepare()
            with self.engine.connect() as connection:
                ends = [
                    connection.execute(sa.select(events.c.data).order_by(order).limit(1)).scalar()
                    for order in (events.c.id.asc(), events.c.id.desc())
                ]
        except sa.exc.SQLAlchemyError as error:
            self._note(error)  # down: the assistant starts, and says so in /ready
            return
        try:
            for stored in filter(None, ends):
                self._cipher.decrypt(stored)
        except Unreadable:
            fault = "does not fit" if self._cipher.on else "is not set, but is needed for"
            raise StartError(
                f"{KEY} {fault} the conversations that are stored. Nothing was changed."
            ) from None

    def at_once(self, work: Callable[..., T], *args: Any) -> T:
        """Do something with the database while everything else waits, but not for long. Raises NotKept."""
        future = self._threads.submit(work, *args)
        try:
            return future.result(PATIENCE)
        except (sa.exc.SQLAlchemyError, FutureTimeoutError) as error:
            future.cancel()
            self._note(error)
            raise NotKept(type(error).__name__) from None
        finally:
            self._close_soon()

    def forget(self, sender_id: str) -> None:
        """Delete a conversation, with no other turn in between. Raises NotKept where it is still there."""
        self._at_hand.pop(sender_id, None)
        self.at_once(self._delete, sender_id)

    def _summed_up(self, tracker: DialogueStateTracker) -> DialogueStateTracker:
        """A conversation as Rasa needs it for a turn: a long one begins with the state before its last turns.

        What is stored stays whole. The state is told by events, so that who replays them comes to the same.
        The conversation's own beginning stays: Rasa's policies leave out the turns of rules, and break where
        no other is left.
        """
        told = list(tracker.events)
        turns = [at for at, event in enumerate(told) if isinstance(event, UserUttered)]
        if len(told) < LONG or len(turns) <= TURNS_KEPT:
            return tracker
        name, slots, kept_from = tracker.sender_id, self.domain.slots, turns[-TURNS_KEPT]
        before = DialogueStateTracker.from_events(name, told[:kept_from], slots)
        began = [event for event in told[: turns[0]] if isinstance(event, (ActionExecuted, SessionStarted))]
        state = [
            SlotSet(slot.name, slot.value)
            for slot in before.slots.values()
            if slot.value != slot.initial_value
        ]
        loop = [ActiveLoop(before.active_loop_name)] if before.active_loop_name else []
        short = Conversation.from_events(name, [*began, *state, *loop, *told[kept_from:]], slots)
        _remember(short, getattr(tracker, VERSION))
        return short

    def let_go(self) -> None:
        """Keep no conversation in memory."""
        self._at_hand.clear()

    def _keep_at_hand(self, tracker: DialogueStateTracker) -> None:
        """Keep a conversation for its next turn, unless it has an earlier session that is not read again."""
        self._at_hand.pop(tracker.sender_id, None)
        if sum(isinstance(event, SessionStarted) for event in tracker.events) > 1:
            return
        self._at_hand[tracker.sender_id] = time.monotonic(), tracker
        self._let_go_of_old()
        last = tracker.events[-1]
        turn_is_over = isinstance(last, ActionExecuted) and last.action_name == ACTION_LISTEN_NAME
        if turn_is_over and len(tracker.events) >= LONG:
            asyncio.get_running_loop().call_later(LATER, self._sum_up_at_hand, tracker)

    def _sum_up_at_hand(self, tracker: DialogueStateTracker) -> None:
        """Sum up a conversation between two turns, if it is still at hand as it was."""
        since, at_hand = self._at_hand.get(tracker.sender_id, (0.0, None))
        if at_hand is tracker:
            self._at_hand[tracker.sender_id] = since, self._summed_up(tracker)

    def _let_go_of_old(self) -> None:
        """Keep the latest conversations only."""
        while self._at_hand:
            since, _ = next(iter(self._at_hand.values()))
            if len(self._at_hand) <= AT_HAND and time.monotonic() - since < AT_HAND_FOR:
                break
            self._at_hand.popitem(last=False)

    # --- with the database, in a thread ---

    async def _attempt(self, work: Callable[..., T], *args: Any) -> T:
        """Do something with the database, beside the other conversations. Raises NotKept."""
        loop = asyncio.get_running_loop()
        try:
            result = await asyncio.wait_for(
                loop.run_in_executor(self._threads, self._prepared_for, work, *args), PATIENCE
            )
        except (sa.exc.SQLAlchemyError, asyncio.TimeoutError, Unreadable, ValueError) as error:
            self._note(error)
            raise NotKept(type(error).__name__) from None
        finally:
            self._close_soon()
        self._note(None)
        return result

    def _close_soon(self) -> None:
        """Close SQLite's file once there is nothing more to do with it."""
        if not keeps_open(self.engine):
            return
        if self._closing is not None:
            self._closing.cancel()
        loop = asyncio.get_running_loop()
        self._closing = loop.call_later(OPEN_FOR, self._threads.submit, self.engine.dispose)

    def _prepared_for(self, work: Callable[..., T], *args: Any) -> T:
        self._prepare()
        return work(*args)

    def _prepare(self) -> None:
        """Make the tables where they are missing."""
        if not self._prepared:
            self.Base.metadata.create_all(self.engine)
            self._prepared = True

    def _note(self, error: Exception | None) -> None:
        """Keep in mind whether the database works, and log each change."""
        if error is not None:
            self._prepared = False  # it may come back empty
        if self.works != (error is None):
            self.works = error is None
            metrics.up("store", self.works)
            if error is None:
                logger.warning("Conversations can be kept again.")
            else:
                logger.error("Conversations can't be kept: %s", type(error).__name__)

    async def _recalled(self, sender_id: str, all_sessions: bool) -> DialogueStateTracker | None:
        rows = await self._attempt(self._read, sender_id, all_sessions)
        if not rows:
            return None
        told = [event for _, data in rows if (event := _event(data)) is not None]
        tracker = Conversation.from_events(sender_id, told, self.domain.slots)
        _remember(tracker, rows[-1][0])
        return tracker

    def _read(self, sender_id: str, all_sessions: bool) -> list[tuple[int, dict[str, Any]]]:
        """The number and content of each event, oldest first.

        A session begins where its row is, not where its time is: the clock may have been moved since.
        """
        of_sender = events.c.sender_id == sender_id
        query = sa.select(events.c.id, events.c.data).where(of_sender).order_by(events.c.id)
        if not all_sessions:
            begin = sa.select(sa.func.max(events.c.id)).where(
                of_sender, events.c.type_name == SessionStarted.type_name
            )
            query = query.where(events.c.id >= sa.func.coalesce(begin.scalar_subquery(), 0))
        with self.engine.connect() as connection:
            rows = connection.execute(query).all()
        return [(number, json.loads(self._cipher.decrypt(data))) for number, data in rows]

    def _row(self, sender_id: str, event: Event) -> dict[str, Any]:
        """What to store of an event; with a key, the names that would tell what it is about are left out."""
        data = event.as_dict()
        intent = data.get("parse_data", {}).get("intent", {}).get("name")
        return {
            "sender_id": sender_id,
            "type_name": event.type_name,
            "timestamp": data.get("timestamp"),
            "intent_name": None if self._cipher.on else intent,
            "action_name": None if self._cipher.on else data.get("name"),
            "data": self._cipher.encrypt(json.dumps(data)),
        }

    def _write(self, sender_id: str, version: int, rows: list[dict[str, Any]]) -> int:
        """Add rows to a conversation that is still as it was read; give the last one's number."""
        with self.engine.begin() as connection:
            alone(connection, sender_id)
            if _last_row(connection, sender_id) != version:
                # Another server has answered in between, or the conversation was deleted.
                raise NotKept("the conversation changed")
            connection.execute(_ADD, rows)
            return _last_row(connection, sender_id)

    def _version(self, sender_id: str) -> int:
        with self.engine.connect() as connection:
            return _last_row(connection, sender_id)

    def _delete(self, sender_id: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(events.delete().where(events.c.sender_id == sender_id))
        wipe(self.engine)

    def _names(self) -> list[str]:
        with self.engine.connect() as connection:
            return list(connection.execute(sa.select(events.c.sender_id).distinct()).scalars())

    def _write_probe(self) -> None:
        now = {"at": time.time()}
        with self.engine.begin() as connection:
            if not connection.execute(probe.update().where(probe.c.id == 1).values(now)).rowcount:
                connection.execute(probe.insert().values(id=1, **now))


@cache
def _class_of(name: str) -> type[Event] | None:
    """The class of an event; Rasa looks for it among all of them, for each event of a conversation."""
    found: type[Event] | None = Event.resolve_by_type(name)
    return found


def _event(data: dict[str, Any]) -> Event | None:
    """An event as it was stored. Raises ValueError where it is none."""
    kind = _class_of(data["event"])
    return kind._from_parameters(data) if kind else None


def _last_row(connection: Connection, sender_id: str) -> int:
    """The number of a conversation's last row; 0 where there is none."""
    return int(connection.execute(_LAST_ROW, {"name": sender_id}).scalar() or 0)


def _stored_events(tracker: DialogueStateTracker) -> int:
    """How many of a tracker's events are stored already."""
    return int(getattr(tracker, "spotwise_stored", 0))


def _remember(tracker: DialogueStateTracker, version: int) -> None:
    """Note that all of a tracker is stored, the last of it in this row."""
    setattr(tracker, VERSION, version)
    tracker.spotwise_stored = len(tracker.events)


# --- databases ---


def engine_for(url: Any) -> Engine:
    """An engine that gives up soon and never shows what is stored in an error."""
    if sa.engine.make_url(url).get_backend_name() != "sqlite":
        return sa.create_engine(
            url,
            hide_parameters=True,
            pool_size=AT_ONCE,
            pool_timeout=PATIENCE,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": 2,  # the least that PostgreSQL's library allows
                "options": f"-c statement_timeout={int(PATIENCE * 1000)}",
            },
        )
    path = sa.engine.make_url(url).database
    if path in (None, "", ":memory:"):
        engine = sa.create_engine(url, hide_parameters=True)
    else:
        engine = sa.create_engine(
            url,
            hide_parameters=True,
            poolclass=sa.pool.QueuePool,
            pool_size=1,
            pool_recycle=OPEN_AT_MOST,
            connect_args={"timeout": LOCKED_FOR, "check_same_thread": False},
        )
        sa_event.listen(engine, "connect", lambda _, record: record.info.update(file=_identity(path)))
        sa_event.listen(engine, "checkout", lambda _, record, __: _is_still(record.info.get("file"), path))
    sa_event.listen(engine, "connect", _set_up_sqlite, insert=True)
    return engine


def keeps_open(engine: Engine) -> bool:
    """Whether it is SQLite in a file, which stays open between two uses."""
    return engine.dialect.name == "sqlite" and isinstance(engine.pool, sa.pool.QueuePool)


def _identity(path: str) -> tuple[int, int] | None:
    """Which file lies there; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_still(file: tuple[int, int] | None, path: str) -> None:
    """Have the file opened anew where another lies there now, as when a backup was put back."""
    if file != _identity(path):
        raise sa.exc.DisconnectionError("another file")


def _set_up_sqlite(connection: Any, _: Any) -> None:
    """Let people be answered while somebody writes, and leave nothing of what is deleted in the file."""
    try:
        with contextlib.suppress(sqlite3.OperationalError):  # a disk that can't be written to can be read
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA secure_delete = ON")
    except sqlite3.Error:
        connection.close()  # SQLAlchemy would leave it open, and the file with it
        raise


def alone(connection: Connection, name: str) -> None:
    """Let nobody else write to the same conversation until this transaction ends."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif connection.dialect.name == "postgresql":
        connection.execute(
            sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name}
        )


def wipe(engine: Engine) -> None:
    """Empty SQLite's log of latest changes, where deleted words would stay readable."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
