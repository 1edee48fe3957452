"""A client of Telegram's Bot API that is patient with it. It knows nothing of Rasa."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from telegram import Bot
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

MOST_TRIES = 8
"""How often a call is made that fails for another reason than haste; pauses double, about a minute in all."""

FIRST_PAUSE = 0.5
"""Seconds."""

FINAL = (BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken)
"""What no second try can mend. (BadRequest is a NetworkError for the library.)"""

Call = Callable[[], Awaitable[Any]]


def bot_for(token: str) -> Bot:
    """A client of the Bot API, at TELEGRAM_API_URL where that is set. It calls nobody yet."""
    # They log each address that is called, and the token is a part of it.
    for name in ("httpx", "httpcore", "telegram"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    url = os.environ.get("TELEGRAM_API_URL") or "https://api.telegram.org"
    # Long to read, for after a time-out nobody knows if the words arrived.
    request = HTTPXRequest(connect_timeout=10, read_timeout=30, write_timeout=10, pool_timeout=30)
    return Bot(token, base_url=f"{url.rstrip('/')}/bot", request=request)


async def patiently(call: Call, end: float) -> Any:
    """Make a call, again after a pause where that can help and until `end`; TelegramError where it can't."""
    pause = FIRST_PAUSE
    tries = 1
    while True:
        try:
            return await call()
        except FINAL:
            raise
        except RetryAfter as error:
            wait = seconds(error.retry_after)
            if time.monotonic() + wait > end:
                raise
        except TelegramError:
            wait = pause
            if tries == MOST_TRIES or time.monotonic() + wait > end:
                raise
            tries += 1
            pause *= 2
        await asyncio.sleep(wait)


def seconds(time_period: int | timedelta) -> float:
    """Seconds of a time as the library gives it, which is about to change."""
    return time_period.total_seconds() if isinstance(time_period, timedelta) else float(time_period)
