"""Counts for Prometheus: how many and how fast, never who and what."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from rasa.shared.core.events import ActionExecuted, Event, SlotSet, UserUttered

registry = CollectorRegistry()
ProcessCollector(registry=registry)

turns = Counter("spotwise_turns", "Messages taken", ["channel"], registry=registry)
seconds = Histogram(
    "spotwise_turn_seconds",
    "Seconds until a person was answered",
    buckets=(0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 4.5, 5, 10),
    registry=registry,
)
errors = Counter(
    "spotwise_turn_errors", "Turns that broke, by the kind of error", ["error"], registry=registry
)
late = Counter("spotwise_late_turns", "Turns that were answered in their place", registry=registry)
safe_words = Counter("spotwise_safe_words", "Safe words said in place of a turn", registry=registry)
fallbacks = Counter("spotwise_fallbacks", "Messages that were not understood", registry=registry)
levels = Counter("spotwise_levels", "Levels of urgency given", ["level"], registry=registry)
parts = Gauge("spotwise_up", "Whether a part works (1) or not (0)", ["part"], registry=registry)
dropped = Counter("spotwise_events_dropped", "Events that the broker never got", registry=registry)


def told(events: Iterable[Event], level: str | None) -> None:
    """Count what a turn that was stored came to: a level is given in an emergency, and at the end."""
    given = False
    for event in events:
        if isinstance(event, UserUttered) and event.intent_name == "nlu_fallback":
            fallbacks.inc()
        elif isinstance(event, SlotSet) and event.key == "urgency":
            given = given or event.value == "emergency"
        elif isinstance(event, ActionExecuted):
            given = given or event.action_name == "action_give_assessment"
    if given and level is not None:
        levels.labels(level).inc()


def up(part: str, works: bool) -> None:
    """Note whether a part works."""
    parts.labels(part).set(works)
