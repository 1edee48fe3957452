"""Where the server finds what it needs: endpoints.yml, or the file that ENDPOINTS names (see deploy/)."""

from __future__ import annotations

import os
from pathlib import Path

from rasa.core.tracker_store import TrackerStore
from rasa.core.utils import AvailableEndpoints

from assistant.checks import ROOT, StartError
from assistant.tracker_store import Store


def endpoints_file() -> Path:
    """The file to read. Raises StartError where there is none; Rasa would go on without any endpoint."""
    path = ROOT / (os.environ.get("ENDPOINTS") or "endpoints.yml")
    if not path.is_file():
        raise StartError(f"ENDPOINTS names {path}, which is no file.")
    return path


def store_from(endpoints: AvailableEndpoints) -> Store:
    """The store of conversations. Raises StartError where it is not ours, which knows how to forget."""
    store = TrackerStore.create(endpoints.tracker_store)
    if not isinstance(store, Store):
        raise StartError("The tracker_store of the endpoints must be of type assistant.tracker_store.Store.")
    return store
