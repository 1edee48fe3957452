"""Conversations don't show whose they are, and an update that comes twice is taken once."""

from __future__ import annotations

from pathlib import Path

import pytest
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.domain import Domain

from assistant.channels import handled
from assistant.channels.accounts import KEY, account_key, conversation_of
from assistant.channels.handled import Handled, State
from assistant.run import channels_on


def store_at(path: Path) -> SQLTrackerStore:
    return SQLTrackerStore(Domain.empty(), dialect="sqlite", db=str(path / "conversations.db"))


def test_a_conversation_is_named_without_the_account() -> None:
    name = conversation_of("telegram", "77123456", b"key")
    assert name == conversation_of("telegram", "77123456", b"key")
    assert "77123456" not in name
    others = {
        conversation_of("telegram", "77123457", b"key"),
        conversation_of("slack", "77123456", b"key"),
        conversation_of("telegram", "77123456", b"other key"),
    }
    assert len(others - {name}) == 3


def test_a_key_is_made_once_and_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY, raising=False)
    key = account_key(tmp_path / "var")
    assert len(key) == 64
    assert account_key(tmp_path / "var") == key
    assert (tmp_path / "var" / "account.key").stat().st_mode & 0o077 == 0
    monkeypatch.setenv(KEY, "shared")
    assert account_key(tmp_path / "var") == b"shared"


def test_an_update_is_taken_once_after_a_restart_too(tmp_path: Path) -> None:
    before = Handled("telegram")
    assert before.first_time(store_at(tmp_path), "7")
    assert not before.first_time(store_at(tmp_path), "7")
    after = Handled("telegram")
    assert not after.first_time(store_at(tmp_path), "7")
    assert after.first_time(store_at(tmp_path), "8")
    assert Handled("slack").first_time(store_at(tmp_path), "7")


def test_an_update_that_was_broken_off_is_known_as_such(tmp_path: Path) -> None:
    broken_off = Handled("telegram")
    assert broken_off.begin(store_at(tmp_path), "7") is State.NEW
    assert broken_off.begin(store_at(tmp_path), "7") is State.BEGUN
    after = Handled("telegram")
    assert after.begin(store_at(tmp_path), "7") is State.BEGUN
    after.end(store_at(tmp_path), "7")
    assert after.begin(store_at(tmp_path), "7") is State.DONE
    assert Handled("telegram").begin(store_at(tmp_path), "7") is State.DONE
    assert Handled("telegram").begin(store_at(tmp_path), "8") is State.NEW


def test_old_updates_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handled.time, "time", lambda: 0.0)
    assert Handled("telegram").first_time(store_at(tmp_path), "7")
    monkeypatch.setattr(handled.time, "time", lambda: handled.KEPT + 1.0)
    assert Handled("telegram").first_time(store_at(tmp_path), "8")
    assert Handled("telegram").first_time(store_at(tmp_path), "7")


def test_without_a_database_memory_serves(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = store_at(tmp_path)
    store.engine = store.engine.execution_options()
    store.engine.dispose()
    (tmp_path / "conversations.db").unlink()
    (tmp_path / "conversations.db").mkdir()
    updates = Handled("telegram")
    assert updates.first_time(store, "7")
    assert not updates.first_time(store, "7")
    assert "in memory only" in caplog.text
    updates.end(store, "7")
    assert updates.begin(store, "7") is State.DONE
    assert Handled("telegram").first_time(None, "7")


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handled, "IN_MEMORY", 2)
    updates = Handled("telegram")
    assert all(updates.first_time(None, update) for update in "abc")
    assert not updates.first_time(None, "c")
    assert updates.first_time(None, "a")


def test_a_channel_without_its_variables_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    channels = {"web": None, "rest": {"token": "${API_TOKEN}"}, "two": {"a": "${ONE}", "b": "${TWO}"}}
    for name in ("API_TOKEN", "ONE", "TWO"):
        monkeypatch.delenv(name, raising=False)
    assert set(channels_on(channels)) == {"web"}
    monkeypatch.setenv("API_TOKEN", "t")
    monkeypatch.setenv("ONE", "1")
    assert channels_on(channels) == {"web": None, "rest": {"token": "${API_TOKEN}"}}
    monkeypatch.setenv("TWO", "2")
    assert set(channels_on(channels)) == {"web", "rest", "two"}
