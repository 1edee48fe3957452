"""One turn of a conversation at a time, in the order in which the messages came, and few turns of all.

Within a server a queue for each conversation does it. Where several servers share the work, a lock in Redis
does it too. Rasa's own locks look only once a second whether it is their turn, and two servers can be given
the same ticket. When Redis is down, people are answered all the same: should two servers answer one person
at once, the tracker store refuses the second.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from rasa.core.lock_store import LockStore
from rasa.utils.endpoints import EndpointConfig
from redis.asyncio import Redis
from redis.asyncio.lock import Lock
from redis.exceptions import LockError, RedisError, TimeoutError

from assistant import metrics
from assistant.channels.turns import TURN_LIMIT, keep

HELD = 8
"""Seconds after which a lock is let go of, because the server that took it must be dead."""

WAIT = 3.0
"""Seconds to wait for another server's turn; after that the store sees to it that the two are not mixed."""

PATIENCE = 0.5
"""Seconds for one call to Redis."""

UNDONE = 60.0
"""Seconds to try to give back a lock that was given too late."""

PAUSE = 3.0
"""Seconds without calls after a failed one, so that nobody else waits for it."""

AT_ONCE = 8
"""Turns that are worked on at a time. With many more, none would end in time, and the safe words of those who
wait would come late too."""

logger = logging.getLogger(__name__)


class TooLate(Exception):
    """A turn has not begun when its person was answered with the safe words already.

    It is dropped: those who come now must not wait for what nobody waits for any more.
    """


class Locks(LockStore):  # type: ignore[misc]  # Rasa's types are not seen
    """Locks in this process, and in Redis where the endpoints give its URL."""

    def __init__(self, endpoint_config: EndpointConfig | None = None) -> None:
        """Know where Redis is; it may be down."""
        super().__init__()
        settings = dict(endpoint_config.kwargs) if endpoint_config else {}
        url = endpoint_config.url if endpoint_config else None
        self._redis: Redis | None = None
        if url:
            self._redis = Redis.from_url(
                url,
                password=settings.get("password") or None,
                socket_timeout=PATIENCE,
                socket_connect_timeout=PATIENCE,
            )
        self.works = True
        self._paused_until = 0.0
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._queues: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def lock(
        self, conversation_id: str, lock_lifetime: float = HELD, wait_time_in_seconds: float = 0.03
    ) -> AsyncIterator[None]:
        """Hold a conversation. Rasa's two numbers are for its own locks. Raises TooLate."""
        came = time.monotonic()
        async with self._turn_in_queue(conversation_id), self._gate:
            if time.monotonic() - came > TURN_LIMIT:
                raise TooLate
            shared = await self._taken_in_redis(conversation_id)
            try:
                yield
            finally:
                if shared is not None:
                    await self._let_go(shared)

    async def check(self) -> bool:
        """Whether locks can be taken on all servers."""
        if self._redis is not None:
            try:
                await self._redis.ping()
            except (RedisError, OSError, asyncio.TimeoutError) as error:
                self._note(error)
                return False
            self._note(None)
        return True

    @asynccontextmanager
    async def _turn_in_queue(self, conversation_id: str) -> AsyncIterator[None]:
        """Wait for those who came before, in this process."""
        queue, users = self._queues.get(conversation_id, (asyncio.Lock(), 0))
        self._queues[conversation_id] = queue, users + 1
        try:
            async with queue:
                yield
        finally:
            _, users = self._queues.pop(conversation_id)
            if users > 1:
                self._queues[conversation_id] = queue, users - 1

    async def _taken_in_redis(self, conversation_id: str) -> Lock | None:
        """The lock that all servers see; None where there is no Redis to ask."""
        if self._redis is None or time.monotonic() < self._paused_until:
            return None
        # Redis has no business to know whose conversation it is.
        name = "spotwise:" + hashlib.sha256(conversation_id.encode()).hexdigest()[:32]
        lock = self._redis.lock(name, timeout=HELD, sleep=0.03, blocking_timeout=WAIT)
        token = secrets.token_hex(16)
        try:
            taken = await lock.acquire(token=token)
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            self._note(error)
            if isinstance(error, (TimeoutError, asyncio.TimeoutError)):
                keep(_undo(lock, token))
            return None
        self._note(None)
        return lock if taken else None

    async def _let_go(self, lock: Lock) -> None:
        """Give a lock back; one that is gone already was held for too long, or lost with Redis."""
        with suppress(LockError):
            try:
                await lock.release()
            except (RedisError, OSError, asyncio.TimeoutError) as error:
                if isinstance(error, LockError):
                    raise
                self._note(error)

    def _note(self, error: Exception | None) -> None:
        """Keep in mind whether Redis works, and log each change."""
        if error is not None:
            self._paused_until = time.monotonic() + PAUSE
        if self.works != (error is None):
            self.works = error is None
            metrics.up("locks", self.works)
            if error is None:
                logger.warning("Conversations are locked in Redis again.")
            else:
                logger.error("Conversations are locked in this server only: %s", type(error).__name__)


async def _undo(lock: Lock, token: str) -> None:
    """Give back a lock that Redis, once it wakes, gives to a turn which went on without."""
    answers, end = 0, time.monotonic() + UNDONE
    while answers < 2 and time.monotonic() < end:
        await asyncio.sleep(0.5)
        with suppress(RedisError, OSError, asyncio.TimeoutError):
            try:
                await lock.do_release(token)
                return
            except LockError:  # not given yet, perhaps: Redis may read its connections in any order
                answers += 1


def locks_from(config: EndpointConfig | None) -> Locks:
    """The locks that the endpoints name; in this process only where they name none."""
    locks: Any = LockStore.create(config) if config else Locks()
    if not isinstance(locks, Locks):
        raise TypeError("The lock_store of the endpoints must be of type assistant.lock_store.Locks.")
    return locks
