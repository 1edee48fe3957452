"""What the assistant survives. `make faults` writes the results into docs/reliability.md.

In every row: an emergency is answered, what was acknowledged is there afterwards and the conversation goes on
at the same question, no conversation has another's facts, and nobody has to repair anything.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

import pytest
import requests
from people import (
    ANSWER_LIMIT,
    SAFE_WORDS,
    Person,
    all_go_on,
    an_emergency_is_answered,
    kill,
    nobody_is_left_alone,
    people,
    processes,
    said,
)
from running import (
    MODEL,
    TOKEN,
    Assistant,
    WithFaults,
    copied,
    own_command,
    started,
    started_with_faults,
    wait_until,
)

fault = pytest.mark.fault


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk of its own, of 8 MB, for the database."""
    disk = tmp_path_factory.mktemp("disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "spotwise-test", str(disk)], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, disk: Path) -> Iterator[Assistant]:
    """An assistant as `make serve` runs it, with a disk that the tests can break."""
    folder = copied(tmp_path_factory.mktemp("faults"))
    endpoints = folder / "endpoints.yml"
    endpoints.write_text(
        endpoints.read_text().replace("var/conversations.db", str(disk / "conversations.db"))
    )
    with started(folder) as assistant:
        yield assistant


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with what the assistant's clock is off by."""
    file = tmp_path_factory.mktemp("clock") / "offset"
    file.write_text("+0\n")
    return file


@pytest.fixture(scope="module")
def clocked(tmp_path_factory: pytest.TempPathFactory, clock: Path) -> Iterator[Assistant]:
    """An assistant whose clock the tests can set."""
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    faketime = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with started_with_faults(copied(tmp_path_factory.mktemp("clocked")), **faketime) as assistant:
        yield assistant


def parts(assistant: Assistant) -> dict[str, object]:
    """What /ready says."""
    found: dict[str, object] = assistant.get("ready").json()
    return found


def is_well(assistant: Assistant) -> bool:
    """Whether every part works again."""
    with contextlib.suppress(requests.RequestException, ValueError):
        return assistant.get("ready").status_code == 200
    return False


def recovers(assistant: Assistant) -> None:
    """Wait until every part works again, by itself."""
    wait_until(lambda: is_well(assistant), "every part of the assistant", limit=90)


# ------------------------------------------------------------------ processes
@fault("`kill -9` of the Rasa server in the middle of turns", "the connection breaks; up again by itself")
def test_the_rasa_server_is_killed(running: Assistant) -> None:
    everybody = people(running, "killed")
    writers = [Person(running, f"writer-{number}", 2) for number in range(24)]

    def write(person: Person) -> bool:
        try:
            person.answer_next(running)
        except requests.RequestException:
            return False
        return True

    (server,) = processes(running, "rasa-server")
    with ThreadPoolExecutor(len(writers)) as pool:
        turns = [pool.submit(write, person) for person in writers]
        wait(turns, return_when=FIRST_COMPLETED)
        server.kill()  # at once: all 24 turns are over in half a second
    server.wait(10)
    acknowledged = [person for person, turn in zip(writers, turns, strict=True) if turn.result()]
    assert 1 <= len(acknowledged) < len(writers)
    recovers(running)
    an_emergency_is_answered(running, "killed")
    for person in acknowledged:
        person.is_where_they_were(running)
    for person in set(writers) - set(acknowledged):
        person.tell(running, "a few spots")  # told again, as people do
        assert running.tracker(person.name)["slots"]["bleeding_amount"] == "spotting"
    all_go_on(running, everybody)


@fault("`kill -9` of the action server", "questions and emergencies go on; the rest gets the safe words")
def test_the_action_server_is_killed(running: Assistant) -> None:
    everybody = people(running, "no-actions")
    kill(running, "actions")
    nobody_is_left_alone(running, "no-actions", everybody)
    recovers(running)
    all_go_on(running, everybody)


@fault("`kill -9` of both", "the connection breaks; up again by itself")
def test_both_are_killed(running: Assistant) -> None:
    everybody = people(running, "both")
    kill(running, "actions")
    kill(running, "rasa-server")
    recovers(running)
    an_emergency_is_answered(running, "both")
    all_go_on(running, everybody)


@fault("action server frozen (`SIGSTOP`)", "an answer within 5 seconds: the safe words where it was needed")
def test_the_action_server_is_frozen(running: Assistant) -> None:
    everybody = people(running, "frozen")
    (actions,) = processes(running, "actions")
    actions.suspend()
    try:
        wait_until(lambda: parts(running)["actions"] == "down", "/ready to say so")
        nobody_is_left_alone(running, "frozen", everybody)
    finally:
        actions.resume()
    recovers(running)
    all_go_on(running, everybody)


@pytest.mark.parametrize("state", ["hung", "slow", "500", "garbage"])
@fault("action server {state}", "an answer within 5 seconds: the safe words where it was needed")
def test_the_action_server_answers_nonsense(assistant_with_faults: WithFaults, state: str) -> None:
    assistant_with_faults.action_server("up")
    everybody = people(assistant_with_faults, f"nonsense-{state}")
    assistant_with_faults.action_server(state)
    nobody_is_left_alone(assistant_with_faults, f"nonsense-{state}", everybody)
    assistant_with_faults.action_server("up")
    all_go_on(assistant_with_faults, everybody)


# ------------------------------------------------------------------ the database
def is_told_that_it_was_not_kept(assistant: Assistant, person: Person) -> None:
    """Somebody answers a question and hears the safe words too, for the answer could not be stored."""
    messages, took = assistant.say(person.name, "it hurts a lot")
    assert SAFE_WORDS in said(messages)
    assert took < ANSWER_LIMIT


@fault("database file locked by another process", "the answer and the safe words; told in `/ready`")
def test_the_database_is_locked(running: Assistant, disk: Path) -> None:
    everybody = people(running, "locked")
    with contextlib.closing(sqlite3.connect(disk / "conversations.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        nobody_is_left_alone(running, "locked", everybody)
        is_told_that_it_was_not_kept(running, everybody[0])
        wait_until(lambda: parts(running)["store"] == "down", "/ready to say so")
        other.execute("ROLLBACK")
    recovers(running)
    all_go_on(running, everybody)


@fault("disk full", "the answer and the safe words; told in `/ready`")
def test_the_disk_is_full(running: Assistant, disk: Path) -> None:
    everybody = people(running, "full")
    filler = disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    # The database may still have some room of its own: it is used up first.
    for number in range(200):
        if SAFE_WORDS in said(running.say(f"fills-{number}", "I bleed after sex")[0]):
            break
    nobody_is_left_alone(running, "full", everybody)
    is_told_that_it_was_not_kept(running, everybody[0])
    filler.unlink()
    recovers(running)
    all_go_on(running, everybody)


@fault("disk read-only", "the answer and the safe words; told in `/ready`")
def test_the_disk_is_read_only(running: Assistant, disk: Path) -> None:
    everybody = people(running, "read-only")
    wait_until(lambda: remounted(disk, "ro"), "the disk to become read-only")
    try:
        nobody_is_left_alone(running, "read-only", everybody)
        is_told_that_it_was_not_kept(running, everybody[0])
        wait_until(lambda: parts(running)["store"] == "down", "/ready to say so")
    finally:
        assert remounted(disk, "rw")
    recovers(running)
    all_go_on(running, everybody)


def remounted(disk: Path, mode: str) -> bool:
    """Remount a disk; not possible while somebody writes."""
    command = ["mount", "-o", f"remount,{mode},size=8m", str(disk)]
    return subprocess.run(command, capture_output=True).returncode == 0


@fault("database file damaged", "the answer and the safe words; told in `/ready`, until a backup is put back")
def test_the_database_is_damaged(running: Assistant, disk: Path) -> None:
    everybody = people(running, "damaged")
    database = disk / "conversations.db"
    whole = disk / "backup.db"
    with (
        contextlib.closing(sqlite3.connect(database)) as one,
        contextlib.closing(sqlite3.connect(whole)) as two,
    ):
        one.backup(two)
    log = disk / "conversations.db-wal"
    wait_until(lambda: not log.exists(), "the log to be emptied: what is in it would mend the damage")
    with database.open("r+b") as file:
        file.write(b"this is no database any more" * 40)
    nobody_is_left_alone(running, "damaged", everybody)
    wait_until(lambda: parts(running)["store"] == "down", "/ready to say so")
    for leftover in disk.glob("conversations.db*"):
        leftover.unlink()
    shutil.move(whole, database)
    recovers(running)
    all_go_on(running, everybody)


# ------------------------------------------------------------------ files
@fault(
    "model or knowledge file damaged under a running server", "goes on; a new start says in one line why not"
)
def test_files_are_damaged(running: Assistant) -> None:
    everybody = people(running, "files")
    model, rules = running.folder / MODEL, running.folder / "knowledge" / "rules.yml"
    before = model.read_bytes(), rules.read_bytes()
    try:
        rules.write_bytes(b"- id: [broken\n")
        said_why = own_command("serve", running.folder).stderr
        assert "The knowledge base has faults" in said_why and "rules.yml" in said_why
        rules.write_bytes(before[1])
        model.write_bytes(before[0][:1000])
        said_why = own_command("serve", running.folder).stderr
        assert said_why.count("\n") == 1 and "is damaged" in said_why
        an_emergency_is_answered(running, "files")
        all_go_on(running, everybody)
    finally:
        model.write_bytes(before[0])
        rules.write_bytes(before[1])


# ------------------------------------------------------------------ the clock
OFFSETS = {"+0": 0, "-1d": -24 * 3600, "+20m": 20 * 60, "+30d": 30 * 24 * 3600}
"""Seconds by which the clock is off."""


def set_clock(assistant: Assistant, clock: Path, offset: str) -> None:
    """Have the assistant's clock off by this, and wait until it is; it looks once a second."""
    clock.write_text(f"{offset}\n")
    number = iter(range(1000))

    def is_set() -> bool:
        name = f"looks-at-the-clock-{offset}-{time.monotonic()}-{next(number)}"
        assistant.say(name, "hello")
        events = assistant.tracker(name)["events"]
        # Both servers look for themselves, and each event has the time of the one that it comes from.
        return all(abs(event["timestamp"] - time.time() - OFFSETS[offset]) < 60 for event in events)

    wait_until(is_set, "the clock to be set", limit=60)


@pytest.mark.parametrize("offset", ["-1d", "+20m"])
@fault("clock set by {offset}", "nothing: the conversation goes on")
def test_the_clock_is_moved(clocked: Assistant, clock: Path, offset: str) -> None:
    everybody = people(clocked, f"clock{offset}")
    set_clock(clocked, clock, offset)
    try:
        an_emergency_is_answered(clocked, f"clock{offset}")
        all_go_on(clocked, everybody)
        for person in everybody:
            if person.answers < 4:
                person.is_where_they_were(clocked)
    finally:
        set_clock(clocked, clock, "+0")


@fault("clock set by +30d", "a new conversation, as after a long pause; nothing is deleted")
def test_the_clock_is_set_a_month_ahead(clocked: Assistant, clock: Path) -> None:
    person = Person(clocked, "month", 2)
    set_clock(clocked, clock, "+30d")
    try:
        an_emergency_is_answered(clocked, "month")
        assert said(clocked.say("month", "hello")[0])
    finally:
        set_clock(clocked, clock, "+0")
    texts = [event.get("text") for event in clocked.tracker(person.name)["events"]]
    assert "no, not pregnant" in texts and "hello" in texts


# ------------------------------------------------------------------ crowds
@fault("200 people at once", "answered as they came; who would wait longer than 5 seconds, the safe words")
def test_two_hundred_people_at_once(running: Assistant) -> None:
    def arrive(number: int) -> bool:
        messages, _ = running.say(f"crowd-{number}", "I bleed after sex")
        assert said(messages)
        return SAFE_WORDS not in said(messages)

    before = slow_turns(running)
    with ThreadPoolExecutor(200) as pool:
        heard = list(pool.map(arrive, range(200)))
    # Seen from the server: the 200 clients are slow themselves on a small machine.
    assert slow_turns(running) == before
    assert sum(heard) > 20
    comes_to_rest(running)
    for number in range(0, 200, 5):
        told = [e["text"] for e in running.tracker(f"crowd-{number}")["events"] if e["event"] == "user"]
        assert told == ["I bleed after sex"] or (told == [] and not heard[number])
    an_emergency_is_answered(running, "crowd")


def slow_turns(assistant: Assistant) -> float:
    """How many turns were answered later than after 10 seconds."""
    text = assistant.get("metrics", Authorization=f"Bearer {TOKEN}").text
    counted = {line.split()[0]: float(line.split()[1]) for line in text.splitlines() if line[0] != "#"}
    name = "spotwise_turn_seconds_bucket"
    return counted[f'{name}{{le="+Inf"}}'] - counted[f'{name}{{le="10.0"}}']


def comes_to_rest(assistant: Assistant) -> None:
    """Wait until new people are answered as usual."""
    number = iter(range(1000))
    wait_until(
        lambda: SAFE_WORDS not in said(assistant.say(f"rest-{next(number)}", "hello")[0]), "rest", limit=60
    )


@fault("one person sends 50 messages in a second", "each is answered, heard in order; others hardly wait")
def test_one_person_sends_fifty_messages(running: Assistant) -> None:
    everybody = people(running, "beside")
    person = Person(running, "hasty", 2)
    with ThreadPoolExecutor(51) as pool:
        hasty = [pool.submit(running.say, person.name, "why do you ask that?") for _ in range(50)]
        nobody_is_left_alone(running, "hasty", everybody)
        answers = [said(turn.result()[0]) for turn in hasty]
    assert all(answers)
    acknowledged = sum(SAFE_WORDS not in answer for answer in answers)
    assert acknowledged > 5
    comes_to_rest(running)
    assert 3 + acknowledged <= heard(running, person.name) <= 53
    person.is_where_they_were(running)
    all_go_on(running, everybody)


def heard(assistant: Assistant, name: str) -> int:
    """How many messages of somebody are stored."""
    return sum(event["event"] == "user" for event in assistant.tracker(name)["events"])


@fault("30 clients that ask and never read", "others hardly notice; what was told is kept")
def test_clients_never_read(running: Assistant) -> None:
    everybody = people(running, "reads")
    host, port = running.url.removeprefix("http://").split(":")
    lazy = []
    for number in range(30):
        body = json.dumps({"sender": f"lazy-{number}", "message": "I bleed after sex"}).encode()
        client = socket.create_connection((host, int(port)))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        head = f"POST /webhooks/rest/webhook?token={TOKEN} HTTP/1.1\r\nHost: x\r\n"
        head += f"Content-Length: {len(body)}\r\n\r\n"
        client.sendall(head.encode() + body)
        lazy.append(client)
    nobody_is_left_alone(running, "reads", everybody)
    wait_until(lambda: all(heard(running, f"lazy-{n}") == 1 for n in (0, 15, 29)), "what was told to be kept")
    for client in lazy:
        client.close()
    all_go_on(running, everybody)


# ------------------------------------------------------------------ and nothing is left behind
def test_nothing_of_all_this_is_left_open(running: Assistant) -> None:
    (server,) = processes(running, "rasa-server")
    wait_until(lambda: len(server.connections()) < 20, "the connections to close")
    assert server.num_fds() < 200
    assert len(processes(running, "actions")) == 1
