"""What was told stays here, for a week, readable by nobody else, and is gone when it is deleted."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml
from cryptography.fernet import Fernet
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, SessionStarted, UserUttered
from running import Assistant, WithFaults, copied, own_command, started_with_faults, wait_until

from assistant import purge as purging
from assistant.channels import handled
from assistant.channels.forgetting import forget
from assistant.checks import KEEP_DAYS, StartError, keep_days
from assistant.encryption import Cipher
from assistant.purge import DAY, Clock, keep_purging, purge
from assistant.tracker_store import NotKept, Store, events

ROOT = Path(__file__).parent.parent
MARKER = "zebrafinch"
"""A word that nobody says, to be looked for afterwards."""

DOMAIN = Domain.from_yaml("version: '3.1'\nintents: [greet]\n")
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def files_with(word: str, folder: Path) -> list[str]:
    """The files anywhere in a folder that hold a word, databases and their logs included."""
    needle = word.encode()
    return [str(path) for path in folder.rglob("*") if path.is_file() and needle in path.read_bytes().lower()]


def store_in(folder: Path) -> Store:
    """A store with an SQLite file."""
    return Store(DOMAIN, db=str(folder / "conversations.db"))


async def tell(store: Store, sender: str, text: str, at: float | None = None) -> None:
    """Have a conversation go on by one message."""
    tracker = await store.retrieve(sender) or store.init_tracker(sender)
    at = at or time.time()
    if not tracker.events:
        tracker.update(ActionExecuted("action_session_start", timestamp=at))
        tracker.update(SessionStarted(timestamp=at))
    tracker.update(UserUttered(text, {"name": "greet"}, timestamp=at))
    await store.save(tracker)


async def told(store: Store, sender: str) -> list[str]:
    """The messages that are stored of a conversation."""
    tracker = await store.retrieve(sender)
    return [event.text for event in tracker.events if isinstance(event, UserUttered)] if tracker else []


# ------------------------------------------------------------------ deleted when asked
def test_delete_my_data_leaves_nothing_anywhere(assistant: Assistant) -> None:
    for text in ("hi", f"I bleed after sex, my {MARKER} hurts", f"my friend {MARKER} said so", "skip"):
        assistant.say(f"{MARKER}-person", text)
    var = assistant.folder / "var"
    assert files_with(MARKER, var)
    assistant.say(f"{MARKER}-person", "delete my data")
    answer, _ = assistant.say(f"{MARKER}-person", "/affirm")
    assert "It's done. I have forgotten" in answer[0]["text"]
    assert files_with(MARKER, assistant.folder) == []
    with closing(sqlite3.connect(var / "conversations.db")) as database:
        assert MARKER not in "\n".join(database.iterdump())


async def test_a_turn_that_was_running_does_not_bring_deleted_words_back(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    await tell(store, "s", MARKER)
    running = await store.retrieve("s")
    assert running is not None
    forget(store, "s")
    running.update(UserUttered("more"))
    with pytest.raises(NotKept):
        await store.save(running)
    assert files_with(MARKER, tmp_path) == []


# ------------------------------------------------------------------ purged when old
async def test_what_is_old_is_purged_and_the_rest_stays(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    now = time.time()
    await tell(store, "gone", f"{MARKER} long ago", now - 8 * DAY)
    await tell(store, "back", f"{MARKER} long ago", now - 7.1 * DAY)
    await tell(store, "back", "again", now - 6.9 * DAY)
    assert purge(store, 7, now) == 6
    assert await told(store, "gone") == []
    assert await told(store, "back") == ["again"]
    assert files_with(MARKER, tmp_path) == []
    assert purge(store, 7, now) == 0


async def test_updates_that_were_taken_are_purged_too(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    await tell(store, "s", "hi")
    assert handled.Handled("telegram").first_time(store, MARKER)
    purge(store, 7, time.time() + handled.KEPT + 60)
    assert files_with(MARKER, tmp_path) == []


async def test_the_job_goes_on_while_the_database_is_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(purging, "EVERY", 0.05)
    store = store_in(tmp_path)
    await tell(store, "s", MARKER, time.time() - 2 * DAY)
    with closing(sqlite3.connect(tmp_path / "conversations.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        job = asyncio.ensure_future(keep_purging(store, 1))
        await until(lambda: "Nothing could be purged" in caplog.text)
        other.execute("ROLLBACK")
    await until(lambda: files_with(MARKER, tmp_path) == [])
    job.cancel()


async def until(holds: object) -> None:
    """Wait for something, ten seconds at most."""
    for _ in range(200):
        if holds():  # type: ignore[operator]
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never happened")


def test_a_clock_that_is_set_forward_makes_nothing_old(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, now, real = Clock(), time.time(), time.time
    monkeypatch.setattr(time, "time", lambda: real() + 30 * DAY)
    assert clock.now() < now + 60
    monkeypatch.setattr(time, "time", lambda: real() - 30 * DAY)
    assert clock.now() < now - 29 * DAY


@pytest.mark.parametrize("days", ["x", "0", "-1", "nan", "inf", "9999"])
def test_the_days_must_be_days(days: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEP_DAYS", days)
    with pytest.raises(StartError):
        keep_days()


def test_make_purge_says_what_it_did(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "var").mkdir()
    store = Store(DOMAIN, db=str(folder / "var" / "conversations.db"))
    asyncio.run(tell(store, "s", MARKER, time.time() - 2 * DAY))
    done = own_command("purge", folder, KEEP_DAYS="1")
    assert (done.stdout, done.stderr) == ("Purged 3 events that were older than 1 days.\n", "")
    assert files_with(MARKER, folder / "var") == []


# ------------------------------------------------------------------ encrypted where there is a key
async def test_with_a_key_nothing_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_KEY", NEW)
    store = store_in(tmp_path)
    await tell(store, "s", MARKER)
    await tell(store, "s", "again")
    assert await told(store, "s") == [MARKER, "again"]
    assert files_with(MARKER, tmp_path) == []
    assert files_with("greet", tmp_path) == []


async def test_what_was_stored_before_there_was_a_key_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tell(store_in(tmp_path), "s", "plain")
    monkeypatch.setenv("STORE_KEY", OLD)
    await tell(store_in(tmp_path), "s", "with the old key")
    monkeypatch.setenv("STORE_KEY", f"{NEW}, {OLD}")
    store = store_in(tmp_path)
    store.check_key()
    await tell(store, "s", "with the new key")
    assert await told(store, "s") == ["plain", "with the old key", "with the new key"]


@pytest.mark.parametrize(("key", "words"), [(OLD, "does not fit"), ("", "is not set")])
async def test_a_wrong_key_is_refused_at_start(
    key: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE_KEY", NEW)
    await tell(store_in(tmp_path), "s", MARKER)
    monkeypatch.setenv("STORE_KEY", key)
    with pytest.raises(StartError, match=words):
        store_in(tmp_path).check_key()


async def test_rows_that_cannot_be_read_are_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE_KEY", NEW)
    await tell(store_in(tmp_path), "s", MARKER)
    monkeypatch.setenv("STORE_KEY", OLD)
    with pytest.raises(NotKept):
        await tell(store_in(tmp_path), "s", "again")
    monkeypatch.setenv("STORE_KEY", NEW)
    assert await told(store_in(tmp_path), "s") == [MARKER]


@pytest.mark.parametrize("key", ["x", "a" * 44, f"{OLD},short"])
def test_a_key_must_be_a_key(key: str) -> None:
    with pytest.raises(StartError, match="Make one with"):
        Cipher(key)


def test_serve_says_in_one_line_that_the_key_is_wrong(tmp_path: Path) -> None:
    done = own_command("serve", copied(tmp_path), STORE_KEY="no key")
    assert done.returncode != 0
    assert done.stderr.count("\n") == 1 and "STORE_KEY is not a key" in done.stderr


# ------------------------------------------------------------------ in no log
@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WithFaults]:
    """An assistant of which everything can fail, and that keeps what is told for 3 days."""
    folder = copied(tmp_path_factory.mktemp("broken"))
    (folder / "var").mkdir()
    store = Store(DOMAIN, db=str(folder / "var" / "conversations.db"))
    asyncio.run(tell(store, "of-last-week", f"{MARKER} of last week", time.time() - 4 * DAY))
    store.engine.dispose()  # nobody may hold the file open who reads its bytes: SQLite would lose its locks
    with started_with_faults(folder, KEEP_DAYS="3") as running:
        yield running


def test_the_server_purges_by_itself(broken: WithFaults) -> None:
    wait_until(lambda: "Purged 3 events that were older than 3 days." in broken.log(), "the job", limit=30)
    assert files_with(f"{MARKER} of last week", broken.folder) == []


PAYLOADS = (
    f"my {MARKER} hurts and I bleed after sex",
    f'/describe_spotting{{"pain":"{MARKER}"}}',
    f"/{MARKER}",
    f"/greet{{{MARKER}",
    f"what is {MARKER}?",
    f"{MARKER} " * 300,
)


def test_no_log_has_a_word_of_it_whatever_fails(broken: WithFaults) -> None:
    sender = f"{MARKER}-account"
    database = broken.folder / "var" / "conversations.db"
    for state in ("up", "down", "500", "garbage", "wrong shape", "404", "empty", "hung"):
        broken.action_server(state)
        for text in PAYLOADS if state == "up" else PAYLOADS[:1]:
            assert broken.say(f"{sender}-{state}", text)[0]
        assert broken.say(f"{sender}-{state}", f"what is a polyp, {MARKER}?")[0]
    broken.action_server("down")
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert broken.say(sender, f"{MARKER} in a locked database")[0]
        other.execute("ROLLBACK")
        other.execute("UPDATE events SET data = ? WHERE sender_id = ?", (f"{MARKER} no JSON", f"{sender}-up"))
        assert broken.say(f"{sender}-up", f"{MARKER} beside a broken row")[0]
        other.execute("ALTER TABLE events RENAME COLUMN data TO moved")
        assert broken.say(sender, f"{MARKER} without a table that fits")[0]
        other.execute("ALTER TABLE events RENAME COLUMN moved TO data")
    assert broken.get(f"conversations/{sender}/tracker").status_code == 401
    wait_until(lambda: "A turn broke: NotKept" in broken.log(), "the line", limit=10)
    assert MARKER not in broken.log().lower()
    logs = broken.folder / "var" / "log"
    assert not logs.exists() or files_with(MARKER, logs) == []
    metrics = broken.get("metrics", Authorization="Bearer token-of-the-tests").text
    assert "spotwise_safe_words_total" in metrics and MARKER not in metrics


def test_the_log_level_that_ships_is_warning() -> None:
    shipped = subprocess.run(
        [sys.executable, "-c", "import assistant, os; print(os.environ['LOG_LEVEL'])"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "LOG_LEVEL"},
        capture_output=True,
        text=True,
    )
    assert shipped.stdout == "WARNING\n"


# ------------------------------------------------------------------ told alike everywhere
def test_the_answer_on_privacy_has_the_days_that_are_kept() -> None:
    says = yaml.safe_load((ROOT / "domain.yml").read_text())["responses"]["utter_privacy"][0]["text"]
    page = (ROOT / "docs" / "privacy.md").read_text()
    days = f"{KEEP_DAYS:g} days"
    assert f"for {days}" in says and days in page
    for fact in ("delete my data", "Telegram or Slack", "name, number or photos"):
        assert fact in says and fact in page


def test_the_answer_on_privacy_has_the_days_that_are_set(broken: WithFaults) -> None:
    answer, _ = broken.say("asks", "/ask_privacy")
    assert "for 3 days" in answer[0]["text"]


async def test_the_page_names_every_table(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.check_key()
    handled.Handled("telegram").first_time(store, "1")
    page = (ROOT / "docs" / "privacy.md").read_text()
    tables = sa.inspect(store.engine).get_table_names()
    assert {events.name, "handled_updates", "store_probe"} == set(tables)
    assert all(f"`{table}`" in page for table in tables)


async def test_two_servers_cannot_answer_one_person_at_once(tmp_path: Path) -> None:
    one, two = store_in(tmp_path), store_in(tmp_path)
    await tell(one, "s", "first")
    first, second = await one.retrieve("s"), await two.retrieve("s")
    assert first is not None and second is not None
    first.update(UserUttered("of one"))
    second.update(UserUttered("of two"))
    await one.save(first)
    with pytest.raises(NotKept):
        await two.save(second)
    assert await told(two, "s") == ["first", "of one"]
