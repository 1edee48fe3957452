"""Talking to a Rasa server over REST, and what that tells: times, and the memory behind it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

TOKEN = "bench"
CONVERSATION = (
    "hi",
    "I'm bleeding after sex",
    "none of those",
    "no, my period was on time",
    "a few spots",
    "it has stopped",
    "why do you ask?",
    "a little sore at the entrance",
    "yes, wanted, and I feel safe",
    "I am 29",
    "regular periods",
    "this is the first time",
    "none of those",
    "condoms",
    "none of those, smear was normal",
    "it was a bit dry",
    "what is a polyp?",
    "how is it treated?",
    "thanks",
)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def say(session: requests.Session, port: int, sender: str, text: str) -> list[dict[str, object]]:
    """One turn over REST; raises requests.RequestException where it fails."""
    answer = session.post(
        f"http://127.0.0.1:{port}/webhooks/rest/webhook",
        params={"token": TOKEN},
        json={"sender": sender, "message": text},
        timeout=60,
    )
    answer.raise_for_status()
    return list(answer.json())


def converse(port: int, sender: str, texts: Sequence[str]) -> list[float]:
    """The seconds of each turn of one conversation."""
    session, seconds = requests.Session(), []
    for text in texts:
        began = time.perf_counter()
        say(session, port, sender, text)
        seconds.append(time.perf_counter() - began)
    return seconds


def turns_per_second(port: int, at_once: int, texts: Sequence[str], seconds: float, name: str) -> float:
    """How many turns are answered a second to so many people who never think."""
    end = time.monotonic() + seconds

    def person(place: int) -> int:
        session, done, number = requests.Session(), 0, 0
        while time.monotonic() < end:
            number += 1
            for text in texts:
                say(session, port, f"{name}-{at_once}-{place}-{number}", text)
                if time.monotonic() >= end:
                    break
                done += 1
        return done

    with ThreadPoolExecutor(at_once) as pool:
        return sum(pool.map(person, range(at_once))) / seconds


def percentile(seconds: Sequence[float], share: float) -> float:
    """The value that `share` of the measurements do not exceed, in milliseconds."""
    return sorted(seconds)[min(len(seconds) - 1, int(share * len(seconds)))] * 1000


def memory(parent: int) -> float:
    """Megabytes resident in a process and all it started (Linux)."""
    pages, pids = 0, [parent]
    for pid in pids:
        pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        for task in Path(f"/proc/{pid}/task").iterdir():
            pids += [int(child) for child in (task / "children").read_text().split()]
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
