"""How often somebody may write: token buckets, in memory."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

MOST_KEPT = 20_000
"""Buckets that are kept; the one that was used longest ago goes first."""


class Buckets:
    """A bucket for each key: `burst` requests at once, refilled by `per_minute`."""

    def __init__(self, burst: float, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with every bucket full. Raises ValueError where nothing would ever be let through."""
        if burst < 1 or per_minute <= 0:
            raise ValueError("a limit needs a burst of at least 1 and more than 0 per minute")
        self._burst = burst
        self._per_second = per_minute / 60
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, key: str) -> float:
        """Take one request; the seconds until it would be let through, 0 where it is."""
        now = self._clock()
        left, since = self._buckets.pop(key, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._per_second)
        allowed = left >= 1
        self._buckets[key] = (left - 1 if allowed else left, now)
        if len(self._buckets) > MOST_KEPT:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - left) / self._per_second
