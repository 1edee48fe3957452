"""Measure the assistant as people use it: whole conversations over HTTP, action server included.

    make bench        # prints a table, and writes results/bench.json

Times depend on the machine, so each is also given as a ratio to an empty request to the same server.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parent.parent
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
REPEATS = 20
AT_ONCE = (1, 8)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(port: int) -> tuple[subprocess.Popen[bytes], float]:
    """The running assistant, and the seconds from its start to its first answer."""
    environment = {**os.environ, "PORT": str(port), "ACTIONS_PORT": str(free_port()), "API_TOKEN": TOKEN}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "assistant.run", "serve"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    while time.perf_counter() - began < 180:
        try:
            if say(requests.Session(), port, "cold-start", "hi"):
                return process, time.perf_counter() - began
        except requests.RequestException:
            time.sleep(0.2)
    process.terminate()
    raise SystemExit("The assistant did not start within 3 minutes.")


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


def converse(port: int, sender: str) -> list[float]:
    """The seconds of each turn of one conversation."""
    session, seconds = requests.Session(), []
    for text in CONVERSATION:
        began = time.perf_counter()
        if not say(session, port, sender, text):
            raise SystemExit(f"No answer to: {text}")
        seconds.append(time.perf_counter() - began)
    return seconds


def empty_request(port: int) -> float:
    """The median seconds of a request that does nothing: the floor of every turn."""
    session, seconds = requests.Session(), []
    for _ in range(100):
        began = time.perf_counter()
        session.get(f"http://127.0.0.1:{port}/", timeout=10)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def memory(parent: int) -> float:
    """Megabytes resident in a process and all it started (Linux)."""
    pages, pids = 0, [parent]
    for pid in pids:
        pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        for task in Path(f"/proc/{pid}/task").iterdir():
            pids += [int(child) for child in (task / "children").read_text().split()]
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def percentile(seconds: list[float], share: float) -> float:
    """The value that `share` of the measurements do not exceed, in milliseconds."""
    return sorted(seconds)[min(len(seconds) - 1, int(share * len(seconds)))] * 1000


def measure(port: int, at_once: int) -> dict[str, float]:
    """Latency and throughput of whole conversations, some at once."""
    began = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        runs = list(pool.map(lambda n: converse(port, f"bench-{at_once}-{n}"), range(REPEATS)))
    elapsed = time.perf_counter() - began
    turns = [seconds for run in runs for seconds in run]
    return {
        "p50_ms": percentile(turns, 0.50),
        "p95_ms": percentile(turns, 0.95),
        "p99_ms": percentile(turns, 0.99),
        "turns_per_second": len(turns) / elapsed,
    }


def main() -> None:
    """Run everything, print the table, write the figures."""
    port = free_port()
    process, cold_start = start(port)
    try:
        converse(port, "warm-up")
        floor = empty_request(port) * 1000
        results = {f"{n}_at_once": measure(port, n) for n in AT_ONCE}
        figures: dict[str, object] = {
            "turns": results,
            "empty_request_ms": floor,
            "p50_to_empty_request": results["1_at_once"]["p50_ms"] / floor,
            "cold_start_s": cold_start,
            "memory_mb": memory(process.pid),
            "model_mb": (ROOT / "models" / "spotwise.tar.gz").stat().st_size / 2**20,
        }
    finally:
        process.terminate()
        process.wait()
    print(f"{'at once':>8} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'turns/s':>8}")
    for name, row in results.items():
        cells = " ".join(f"{row[key]:8.1f}" for key in ("p50_ms", "p95_ms", "p99_ms", "turns_per_second"))
        print(f"{name.split('_')[0]:>8} {cells}")
    for name, value in figures.items():
        if isinstance(value, float):
            print(f"{name}: {value:.1f}")
    target = ROOT / "results" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(figures, indent=1))
    print(f"written to {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
