"""One turn of a conversation, on any channel: never silent, never late."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import yaml
from rasa.core.channels.channel import OutputChannel, UserMessage

from assistant import metrics
from assistant.checks import ROOT

TURN_LIMIT = 4.5
"""Seconds until a turn that has not ended is answered in its place: a person is answered within 5."""

DELETE = {"spotwise": "delete"}
"""The payload by which action_delete_data asks for the conversation to be deleted."""

LAST_RESORT = (
    "Sorry, something went wrong on my side. If you bleed a lot, faint or have very bad pain, "
    "call 112, 911 or 999 now. Try not to panic. Any bleeding after sex is worth a check with a doctor. "
    "Contact a doctor soon if it goes on past 24 hours, gets heavy, hurts or comes back. "
    "I give information. I am not a doctor and cannot diagnose."
)
"""Said where even the domain file can't be read."""

OnNewMessage = Callable[[UserMessage], Awaitable[Any]]

logger = logging.getLogger(__name__)

_running: set[asyncio.Task[Any]] = set()
"""Turns that go on; asyncio itself would let go of a task that nobody holds."""


async def answer(
    on_new_message: OnNewMessage, message: UserMessage, safe_words: str, delete: Callable[[], None]
) -> None:
    """Play one turn; where it breaks, is late or says nothing, send the safe words.

    A turn that is only late goes on, so that nothing the person told is lost, but says nothing more. (One
    that has not even begun by then is dropped: see lock_store.)
    `delete` is called after a turn that asked for the conversation to be deleted.
    """
    began = time.monotonic()
    turn = Turn(message.output_channel)
    message.output_channel = turn
    metrics.turns.labels(message.input_channel or "none").inc()
    task = keep(turn.play(on_new_message, message, delete))
    await asyncio.wait({task}, timeout=TURN_LIMIT)
    metrics.seconds.observe(time.monotonic() - began)
    if turn.ended and turn.spoke:
        return
    if not task.done():
        metrics.late.inc()
        logger.warning("A turn took more than %s seconds.", TURN_LIMIT)
    elif turn.ended:
        logger.warning("A turn said nothing.")
    turn.open = False
    metrics.safe_words.inc()
    await turn.output.send_text_message(message.sender_id, safe_words)


class Turn(OutputChannel):  # type: ignore[misc]  # Rasa's types are not seen
    """What Rasa says in one turn, on its way to the channel."""

    def __init__(self, output: OutputChannel) -> None:
        """Pass on to this channel what is said."""
        self.output = output
        self.open = True
        self.spoke = False
        self.ended = False
        self._deletes = False
        self._held: list[tuple[str, dict[str, Any]]] = []

    def name(self) -> str:
        """The name of the channel, for responses that differ by channel."""
        return str(self.output.name())

    async def play(
        self, on_new_message: OnNewMessage, message: UserMessage, delete: Callable[[], None]
    ) -> None:
        """Let Rasa answer a message. What breaks is logged by name only, for its text can be the person's."""
        try:
            await on_new_message(message)
            if self._deletes:
                delete()
                self._deletes = False
                for held in self._held:
                    await self.send_response(*held)
            self.ended = True
        except Exception as error:
            metrics.errors.labels(type(error).__name__).inc()
            logger.error("A turn broke: %s", type(error).__name__)

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Pass one message on; what follows a wish to delete waits until it was done, and is true."""
        if message.get("custom") == DELETE:
            self._deletes = True
        elif self._deletes:
            self._held.append((recipient_id, message))
        elif self.open:
            text = (message.get("text") or "").strip()
            says = bool(text) or any(map(message.get, ("image", "attachment", "custom", "elements")))
            await self.output.send_response(recipient_id, message)
            self.spoke = self.spoke or says


def keep(turn: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Start something that goes on when the request that began it is gone."""
    task = asyncio.ensure_future(turn)
    _running.add(task)
    task.add_done_callback(_running.discard)
    return task


# --- the words for when nothing else can be said ---


def read_domain(path: Path = ROOT / "domain.yml") -> dict[str, Any]:
    """The domain, or nothing: a channel has to work without it."""
    try:
        domain = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        logger.error("%s can't be read: %s", path.name, type(error).__name__)
        return {}
    return domain if isinstance(domain, dict) else {}


def words_of(domain: Mapping[str, Any], response: str, otherwise: str = LAST_RESORT) -> str:
    """The words of a response that a channel says by itself, or others where there are none."""
    try:
        return str(domain["responses"][response][0]["text"])
    except (KeyError, IndexError, TypeError):
        return otherwise


def safe_words_of(domain: Mapping[str, Any]) -> str:
    """What to say when nothing else can be said."""
    return words_of(domain, "utter_safe_words")
