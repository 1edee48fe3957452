"""Deleting a conversation, in every store that holds it."""

from __future__ import annotations

from collections.abc import Iterator

from rasa.core.tracker_store import (
    AwaitableTrackerStore,
    FailSafeTrackerStore,
    InMemoryTrackerStore,
    SQLTrackerStore,
    TrackerStore,
)

from assistant.tracker_store import Store


def forget(tracker_store: TrackerStore, sender_id: str) -> None:
    """Delete all that is stored of a conversation. It never waits, so no other turn can come between."""
    for store in unwrapped(tracker_store):
        if isinstance(store, Store):
            store.forget(sender_id)
        elif isinstance(store, SQLTrackerStore):
            with store.session_scope() as session:
                if session.get_bind().dialect.name == "sqlite":
                    # Otherwise the words stay readable in the database's file.
                    session.connection().exec_driver_sql("PRAGMA secure_delete = ON")
                session.query(store.SQLEvent).filter_by(sender_id=sender_id).delete()
                session.commit()
        elif isinstance(store, InMemoryTrackerStore):
            store.store.pop(sender_id, None)
        else:
            raise TypeError(f"{type(store).__name__} can't forget")


def unwrapped(store: TrackerStore | None) -> Iterator[TrackerStore]:
    """The stores that hold conversations, below Rasa's wrappers."""
    if isinstance(store, FailSafeTrackerStore):
        yield from unwrapped(store._tracker_store)
        yield from unwrapped(store._fallback_tracker_store)
    elif isinstance(store, AwaitableTrackerStore):
        yield from unwrapped(store._tracker_store)
    elif store is not None:
        yield store
