"""The conversations that the store keeps at hand: as good as read anew, and never stale."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from rasa.core.featurizers.tracker_featurizers import MaxHistoryTrackerFeaturizer
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    BotUttered,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker, EventVerbosity

from assistant import tracker_store
from assistant.tracker_store import NotKept, Store

DOMAIN = Domain.from_yaml(
    """
    version: "3.1"
    intents: [greet]
    slots:
      pain: {type: text, influence_conversation: true, mappings: [{type: custom}]}
    forms:
      spotting_form: {required_slots: [pain]}
    """
)


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Where the conversations are."""
    return str(tmp_path / "conversations.db")


async def tell(store: Store, text: str, sender: str = "s", by_rule: bool = False) -> DialogueStateTracker:
    """Have a conversation go on by one turn; gives the tracker that went on."""
    tracker = await store.retrieve(sender) or store.init_tracker(sender)
    if not tracker.events:
        tracker.update(ActionExecuted("action_session_start"))
        tracker.update(SessionStarted())
        tracker.update(ActionExecuted("action_listen"))
    for event in (
        UserUttered(text, {"name": "greet"}),
        SlotSet("pain", text),
        BotUttered(f"you said {text}"),
    ):
        tracker.update(event)
    tracker.update(ActionExecuted("action_listen", hide_rule_turn=by_rule))
    await store.save(tracker)
    return tracker


async def test_a_conversation_at_hand_is_as_if_read_anew(file: str) -> None:
    store = Store(DOMAIN, db=file)
    first = await tell(store, "one")
    at_hand = await store.retrieve("s")
    assert at_hand is first
    read = await Store(DOMAIN, db=file).retrieve("s")
    assert read is not None
    ours, theirs = (tracker.current_state(EventVerbosity.AFTER_RESTART) for tracker in (at_hand, read))
    assert ours.pop("events")[1:] == theirs.pop("events")  # what began the session is not read again
    assert ours == theirs


async def test_it_is_handed_out_once(file: str) -> None:
    store = Store(DOMAIN, db=file)
    await tell(store, "one")
    broken = await store.retrieve("s")
    assert broken is not None
    broken.update(SlotSet("pain", "from a turn that broke"))
    again = await store.retrieve("s")
    assert again is not None and again.get_slot("pain") == "one"


async def test_what_another_server_stored_is_read(file: str) -> None:
    one, two = Store(DOMAIN, db=file), Store(DOMAIN, db=file)
    await tell(one, "one")
    await tell(two, "two")
    read = await one.retrieve("s")
    assert read is not None and read.get_slot("pain") == "two"


async def test_a_deleted_conversation_is_gone(file: str) -> None:
    one, two = Store(DOMAIN, db=file), Store(DOMAIN, db=file)
    for other in (one, two):
        await tell(one, "one")
        other.forget("s")
        assert await one.retrieve("s") is None


async def test_a_new_session_is_read_from_where_it_began(file: str) -> None:
    store = Store(DOMAIN, db=file)
    tracker = await tell(store, "before")
    tracker.update(SessionStarted())
    await store.save(tracker)
    read = await store.retrieve("s")
    assert read is not None and [type(event) for event in read.events] == [SessionStarted]


async def test_only_the_latest_are_kept(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(DOMAIN, db=file)
    monkeypatch.setattr(tracker_store, "AT_HAND", 2)
    kept = [await tell(store, "one", sender) for sender in "abc"]
    assert [await store.retrieve(sender) is tracker for sender, tracker in zip("abc", kept, strict=True)] == [
        False,
        True,
        True,
    ]
    tracker = await tell(store, "two", "a")
    now = time.monotonic() + tracker_store.AT_HAND_FOR
    monkeypatch.setattr(tracker_store.time, "monotonic", lambda: now)
    assert await store.retrieve("a") is not tracker


async def test_two_turns_are_never_mixed(file: str) -> None:
    store = Store(DOMAIN, db=file)
    tracker = await tell(store, "one")
    await tell(Store(DOMAIN, db=file), "two")
    tracker.update(SlotSet("pain", "late"))
    with pytest.raises(NotKept):
        await store.save(tracker)


# ------------------------------------------------------------------ long conversations
async def long_conversation(store: Store, turns: int = 40) -> DialogueStateTracker:
    """A conversation of many turns in a form; gives the tracker as the next turn gets it."""
    tracker = await tell(store, "0")
    tracker.update(ActiveLoop("spotting_form"))
    await store.save(tracker)
    for turn in range(1, turns):
        await tell(store, str(turn))
    found = await store.retrieve("s")
    assert found is not None
    return found


async def test_a_long_conversation_is_summed_up_and_stored_whole(file: str) -> None:
    store = Store(DOMAIN, db=file)
    short = await long_conversation(store)
    assert len(short.events) < tracker_store.LONG
    whole = await store.latest_session("s")
    assert whole is not None
    told = [event.text for event in whole.events if isinstance(event, UserUttered)]
    assert told == [str(turn) for turn in range(40)]
    kept = [event.text for event in short.events if isinstance(event, UserUttered)]
    assert kept == told[-len(kept) :] and len(kept) >= tracker_store.TURNS_KEPT
    ours, theirs = (tracker.current_state(EventVerbosity.NONE) for tracker in (short, whole))
    for state in (ours, theirs):
        del state["active_loop"]["trigger_message"]  # the message that began the loop is long gone
    assert ours == theirs


async def test_whoever_replays_a_summed_up_conversation_comes_to_the_same_states(file: str) -> None:
    store = Store(DOMAIN, db=file)
    short = await long_conversation(store)
    whole = await store.latest_session("s")
    assert whole is not None
    last = [list(tracker.past_states(DOMAIN))[-6:] for tracker in (short, whole)]
    assert last[0] == last[1] and all("active_loop" in state for state in last[0])


async def test_it_is_summed_up_between_two_turns(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracker_store, "LATER", 0)
    store = Store(DOMAIN, db=file)
    lengths = []
    for turn in range(40):
        await tell(store, str(turn))
        await asyncio.sleep(0.01)
        lengths.append(len(store._at_hand["s"][1].events))
    assert max(lengths) < tracker_store.LONG and len(lengths) > tracker_store.TURNS_KEPT
    assert (await tell(store, "40")).get_slot("pain") == "40"
    assert len((await Store(DOMAIN, db=file)._recalled("s", True)).events) > tracker_store.LONG


async def test_it_goes_on_after_it_was_summed_up(file: str) -> None:
    store = Store(DOMAIN, db=file)
    await long_conversation(store)
    for turn in range(40, 80):
        await tell(store, str(turn))
    whole = await Store(DOMAIN, db=file).latest_session("s")
    assert whole is not None
    assert [e.text for e in whole.events if isinstance(e, UserUttered)] == [str(turn) for turn in range(80)]
    assert whole.get_slot("pain") == "79" and whole.active_loop_name == "spotting_form"


async def test_a_policy_that_leaves_out_the_turns_of_rules_still_has_a_state(file: str) -> None:
    """Rasa's MemoizationPolicy does, and breaks where there is none."""
    store = Store(DOMAIN, db=file)
    tracker = await tell(store, "0", by_rule=True)
    tracker.update(ActiveLoop("spotting_form"))
    await store.save(tracker)
    for turn in range(1, 60):
        await tell(store, str(turn), by_rule=True)
    short = await store.retrieve("s")
    assert short is not None and len(short.events) < tracker_store.LONG
    for event in (UserUttered("60"), ActionExecuted("spotting_form", hide_rule_turn=True)):
        short.update(event)
    featurizer = MaxHistoryTrackerFeaturizer(max_history=6)
    (states,) = featurizer.prediction_states([short], DOMAIN, ignore_rule_only_turns=True)
    assert states


async def test_it_never_grows_for_being_summed_up_again(file: str) -> None:
    store = Store(DOMAIN, db=file)
    for turn in range(200):
        tracker = await tell(store, str(turn))
        assert len(tracker.events) < tracker_store.LONG + 10


# ------------------------------------------------------------------ SQLite's file
def opened(file: str) -> set[str]:
    """Which of the database's files this process holds open."""
    held = {entry.path for entry in psutil.Process().open_files()}
    return {name for suffix in ("", "-wal") if (name := file + suffix) in held}


async def test_the_file_is_closed_when_there_is_nothing_more_to_do(
    file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker_store, "OPEN_FOR", 0.2)
    store = Store(DOMAIN, db=file)
    await tell(store, "one")
    await tell(store, "two")
    assert opened(file) == {file, f"{file}-wal"}
    await asyncio.sleep(0.6)
    assert opened(file) == set() and not Path(f"{file}-wal").exists()
    assert (await tell(store, "three")).slots["pain"].value == "three"


async def test_another_file_in_its_place_is_seen(file: str) -> None:
    store = Store(DOMAIN, db=file)
    await tell(store, "one")
    with closing(sqlite3.connect(file)) as one, closing(sqlite3.connect(f"{file}.backup")) as two:
        one.backup(two)
    await tell(store, "two")
    for leftover in Path(file).parent.glob("conversations.db-*"):
        leftover.unlink()
    Path(f"{file}.backup").replace(file)
    read = await store.retrieve("s")
    assert read is not None and read.get_slot("pain") == "one"
    await tell(store, "three")
    read = await Store(DOMAIN, db=file).retrieve("s")
    assert read is not None and read.get_slot("pain") == "three"


async def test_a_file_that_is_gone_is_made_anew(file: str) -> None:
    store = Store(DOMAIN, db=file)
    await tell(store, "one")
    for part in Path(file).parent.glob("conversations.db*"):
        part.unlink()
    assert not await store.check() or await store.retrieve("s") is None
    assert await store.check()
    await tell(store, "two", "other")
    assert list(await Store(DOMAIN, db=file).keys()) == ["other"]
