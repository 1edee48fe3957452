"""People at human pace: how many are answered well at once.

    make load                      # finds the highest number; writes it into docs/reliability.md
    .venv/bin/python -m bench.load 40 60      # 40 people for 60 seconds, and no more
    .venv/bin/python -m bench.load servers    # turns a second with two servers against one, as a ratio

Each person goes through a whole conversation, thinks between two messages as people do, and is followed by
another. A turn is lost when it fails, when the safe words had to stand in for it, or when it is not stored.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bench.pages import ROOT, write_between
from bench.rivals import rivals
from bench.talk import CONVERSATION, TOKEN, percentile

THINKING = (3.0, 15.0)
"""Seconds between an answer and the next message, evenly spread: for reading, and typing on a phone."""

GOOD = 500.0
"""Milliseconds that 95 of 100 turns may take."""

STEPS = (10, 50, 100, 150, 200, 250, 300)
SECONDS = 60.0
SAFE_WORDS = "something went wrong on my side"


@dataclass
class Outcome:
    """What a number of people saw."""

    people: int
    seconds: list[float] = field(default_factory=list)
    lost: int = 0
    conversations: int = 0

    @property
    def p95(self) -> float:
        """Milliseconds that 95 of 100 turns did not exceed."""
        return percentile(self.seconds, 0.95) if self.seconds else 0.0

    @property
    def good(self) -> bool:
        """Whether all were answered well."""
        return self.p95 < GOOD and self.lost == 0

    def row(self) -> str:
        """A row of the table."""
        p50 = percentile(self.seconds, 0.5)
        return f"| {self.people} | {len(self.seconds)} | {p50:.0f} | {self.p95:.0f} | {self.lost} |"


class Crowd:
    """Talks to a server at a URL."""

    def __init__(self, url: str, session: aiohttp.ClientSession, token: str = TOKEN) -> None:
        """Use this session for all requests."""
        self._token = {"token": token}
        self._url = url
        self._session = session

    async def turn(self, name: str, text: str, outcome: Outcome) -> bool:
        """Send a message; whether it was answered by more than the safe words."""
        began = time.perf_counter()
        try:
            async with self._session.post(
                f"{self._url}/webhooks/rest/webhook",
                params=self._token,
                json={"sender": name, "message": text},
            ) as response:
                said = await response.text() if response.status == 200 else SAFE_WORDS
        except (aiohttp.ClientError, asyncio.TimeoutError):
            said = SAFE_WORDS
        outcome.seconds.append(time.perf_counter() - began)
        good = SAFE_WORDS not in said and said != "[]"
        outcome.lost += not good
        return good

    async def stored(self, name: str) -> int:
        """How many messages of somebody are stored."""
        url = f"{self._url}/conversations/{name}/tracker"
        async with self._session.get(url, params=self._token) as response:
            return sum(event["event"] == "user" for event in (await response.json())["events"])

    async def one_after_the_other(
        self, place: int, end: float, outcome: Outcome, chance: random.Random, told: dict[str, int]
    ) -> None:
        """People who come one after the other, until the time is over."""
        await asyncio.sleep(chance.uniform(0, THINKING[1]))
        while time.monotonic() < end:
            name = f"load-{outcome.people}-{place}-{chance.getrandbits(48)}"
            told[name] = 0
            for text in CONVERSATION:
                told[name] += await self.turn(name, text, outcome)
                if time.monotonic() >= end:
                    return
                await asyncio.sleep(chance.uniform(*THINKING))
            outcome.conversations += 1


async def measured(url: str, people: int, seconds: float) -> Outcome:
    """What so many people see, and whether all that they told is stored."""
    outcome, told = Outcome(people), dict[str, int]()
    timeout = aiohttp.ClientTimeout(total=30)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        crowd = Crowd(url, session)
        end = time.monotonic() + seconds
        await asyncio.gather(
            *(
                crowd.one_after_the_other(place, end, outcome, random.Random(place), told)
                for place in range(people)
            )
        )
        for name, count in told.items():
            outcome.lost += max(0, count - await crowd.stored(name))
    return outcome


def find_highest() -> None:
    """Raise the number of people until they are no longer answered well, and write the figures."""
    outcomes: list[Outcome] = []
    with rivals()[0].started() as running:
        url = f"http://127.0.0.1:{running.port}"
        asyncio.run(measured(url, 5, 20))  # to warm up
        for people in STEPS:
            outcome = asyncio.run(measured(url, people, SECONDS))
            outcomes.append(outcome)
            print(outcome.row(), flush=True)
            if not outcome.good:
                break
    highest = max((outcome.people for outcome in outcomes if outcome.good), default=0)
    table = ["| people at once | turns | p50 ms | p95 ms | lost |", "|---|---|---|---|---|"]
    table += [outcome.row() for outcome in outcomes]
    words = f"**{highest} people at once**, one server, p95 of a turn under {GOOD:.0f} ms and nothing lost."
    write_between("load", "\n".join([words, "", *table]))
    write_between("load", f"{words} `make load` repeats it.", ROOT / "README.md")
    print(words)


async def as_fast_as_it_goes(url: str, people: int, token: str) -> float:
    """Turns a second of people who never think, each through one conversation."""
    outcome = Outcome(people)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        crowd = Crowd(url, session, token)

        async def converse(place: int) -> None:
            name = f"fast-{people}-{place}"
            for text in CONVERSATION:
                await crowd.turn(name, text, outcome)

        began = time.perf_counter()
        await asyncio.gather(*(converse(place) for place in range(people)))
        return len(outcome.seconds) / (time.perf_counter() - began)


def compare_servers() -> None:
    """Measure the same work with one server and with two, behind nginx with all engines."""
    sys.path.insert(0, str(ROOT / "tests"))
    from cluster import started_cluster  # type: ignore[import-not-found, unused-ignore]
    from running import TOKEN as token  # type: ignore[import-not-found, unused-ignore]

    figures: dict[int, float] = {}
    for count in (1, 2):
        with tempfile.TemporaryDirectory() as folder, started_cluster(Path(folder), count) as cluster:
            asyncio.run(as_fast_as_it_goes(cluster.url, 4, token))  # to warm up
            figures[count] = asyncio.run(as_fast_as_it_goes(cluster.url, 16, token))
            print(f"{count} servers: {figures[count]:.1f} turns a second", flush=True)
    ratio = figures[2] / figures[1]
    words = (
        f"One server {figures[1]:.1f}, two servers {figures[2]:.1f} turns a second: "
        f"**{ratio:.2f} times as many**. "
        "The two cores also run PostgreSQL, Redis, RabbitMQ, nginx, the action server and the people."
    )
    write_between("servers", words)
    print(words)


def main() -> None:
    """Do what was asked for."""
    arguments = sys.argv[1:]
    if arguments == ["servers"]:
        compare_servers()
    elif arguments:
        people, seconds = int(arguments[0]), float(arguments[1])
        with rivals()[0].started() as running:
            print(asyncio.run(measured(f"http://127.0.0.1:{running.port}", people, seconds)).row())
    else:
        find_highest()


if __name__ == "__main__":
    main()
