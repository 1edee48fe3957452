"""Tells a RabbitMQ queue what happens, for those who count it; never what was said, nor by whom.

Rasa's own broker sends every event whole, and holds up the start of the server while RabbitMQ is down. This
one sends kinds and names only, in the background, and a turn never waits for it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from asyncio import AbstractEventLoop
from collections import deque
from typing import Any

import aio_pika
from rasa.core.brokers.broker import EventBroker
from rasa.utils.endpoints import EndpointConfig

from assistant import metrics

KEPT = 10_000
"""Events that wait for a broker that is down; the oldest are dropped after that."""

PATIENCE = 5
"""Seconds for one event to be taken, and between two tries to connect at most."""

MINUTE = 60

logger = logging.getLogger(__name__)


class Broker(EventBroker):  # type: ignore[misc]  # Rasa's types are not seen
    """Publishes to one durable queue, once RabbitMQ can be reached."""

    def __init__(self, url: str, queue: str = "spotwise-events") -> None:
        """Start to connect; needs a running event loop."""
        self.works = False
        self._url = url
        self._queue = queue
        self._waiting: deque[bytes] = deque(maxlen=KEPT)
        self._more = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._run())

    @classmethod
    async def from_endpoint_config(
        cls, broker_config: EndpointConfig, event_loop: AbstractEventLoop | None = None
    ) -> Broker:
        """Take the address, password included, from `url`."""
        return cls(broker_config.url, **broker_config.kwargs)

    def publish(self, event: dict[str, Any]) -> None:
        """Send an event's kind, the action's name and the minute: who reads the queue learns of nobody."""
        if len(self._waiting) == KEPT:
            metrics.dropped.inc()
        minute = int(event.get("timestamp") or 0) // MINUTE * MINUTE
        name = event.get("name") if event.get("event") == "action" else None
        self._waiting.append(json.dumps({"event": event.get("event"), "name": name, "at": minute}).encode())
        self._more.set()

    def is_ready(self) -> bool:
        """Whether RabbitMQ takes events."""
        return self.works

    async def close(self) -> None:
        """Stop; what still waits is dropped."""
        self._task.cancel()

    async def _run(self) -> None:
        """Stay connected and send what waits; an event leaves the row when RabbitMQ has it."""
        while True:
            try:
                connection = await aio_pika.connect(self._url, timeout=PATIENCE)
                async with connection:
                    channel = await connection.channel(publisher_confirms=True)
                    await channel.declare_queue(self._queue, durable=True)
                    self._note(True)
                    await self._send_all(channel)
            except asyncio.CancelledError:
                raise
            except Exception as error:  # whatever it is, it must not end the sending
                self._note(False, type(error).__name__)
            await asyncio.sleep(PATIENCE / 2)

    async def _send_all(self, channel: Any) -> None:
        while True:
            while self._waiting:
                body = self._waiting[0]
                message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
                await channel.default_exchange.publish(message, self._queue, timeout=PATIENCE)
                if self._waiting and self._waiting[0] is body:
                    self._waiting.popleft()
            self._more.clear()
            await self._more.wait()

    def _note(self, works: bool, why: str = "") -> None:
        if works != self.works:
            self.works = works
            metrics.up("broker", works)
            if works:
                logger.warning("Events are published.")
            else:
                logger.error("Events wait for the broker: %s", why)
