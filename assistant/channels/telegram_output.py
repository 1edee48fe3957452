"""Words and buttons on their way to a person on Telegram, within its limits."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Any, TypeVar

from rasa.core.channels.channel import OutputChannel
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.error import BadRequest, Forbidden, TelegramError

from assistant.channels.telegram_api import Call, patiently
from assistant.channels.telegram_updates import Pressed
from assistant.channels.turns import keep

TEXT_LIMIT = 4096
"""Characters of a message, as Telegram counts them: an emoji can be two."""

DATA_LIMIT = 64
"""Bytes of a button's payload."""

WORDS_PATIENCE = 600.0
"""Seconds in which words are sent again; what comes later than that helps nobody."""

PRESS_PATIENCE = 15.0
"""Seconds in which a press is answered and marked; later, Telegram does not take it."""

OF_THE_MOMENT = {"/affirm", "/deny", "/dont_know", "/skip_question"}
"""Payloads that answer whatever is asked when they come, so another question than they stood below."""

MOST_REMEMBERED = 10_000
"""Entries of a memory that must not grow for ever."""

NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

logger = logging.getLogger(__name__)

Key = TypeVar("Key")
Value = TypeVar("Value")


class Outbox:
    """What waits to be sent to one chat: one after the other, while other chats have their own."""

    def __init__(self) -> None:
        """Begin with nothing to send."""
        self._waiting: deque[Call] = deque()
        self._sending: asyncio.Task[None] | None = None

    def put(self, call: Call) -> None:
        """Send this after all that waits."""
        self._waiting.append(call)
        if self._sending is None or self._sending.done():
            self._sending = keep(self._send())

    async def empty(self) -> None:
        """Wait until all was sent, or given up."""
        if self._sending is not None:
            await asyncio.wait({self._sending})

    async def _send(self) -> None:
        while self._waiting:
            try:
                await self._waiting.popleft()()
            except Forbidden:
                pass  # blocked by the person, who does not want to hear more
            except Exception as error:
                logger.error("Telegram did not take a message: %s", type(error).__name__)


class Recent(OrderedDict[Key, Value]):
    """A memory that forgets the oldest entries."""

    def __setitem__(self, key: Key, value: Value) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > MOST_REMEMBERED:
            self.popitem(last=False)


class TelegramOutput(OutputChannel):  # type: ignore[misc]
    """Says to one chat what Rasa says. It never waits and never breaks: a turn can't hang on the network."""

    def __init__(self, bot: Bot, chat: int, outbox: Outbox, open_buttons: dict[int, int]) -> None:
        """Send to this chat, through its outbox; note which message of it has buttons of the moment."""
        self._bot = bot
        self._chat = chat
        self._outbox = outbox
        self._open_buttons = open_buttons

    @classmethod
    def name(cls) -> str:
        """The name of the channel."""
        return "telegram"

    async def send_text_message(self, recipient_id: str, text: str, **kwargs: Any) -> None:
        """Say a text."""
        self._say(text, None)

    async def send_text_with_buttons(
        self, recipient_id: str, text: str, buttons: list[dict[str, Any]], **kwargs: Any
    ) -> None:
        """Say a text with buttons below it."""
        self._say(text, keyboard(buttons))

    def _say(self, text: str, markup: InlineKeyboardMarkup | None) -> None:
        end = time.monotonic() + WORDS_PATIENCE
        parts = list(parts_of(text))
        for number, part in enumerate(parts, 1):
            self._put(part, markup if number == len(parts) else None, end)

    def _put(self, text: str, markup: InlineKeyboardMarkup | None, end: float) -> None:
        async def send() -> None:
            try:
                await patiently(lambda: self._send(text, markup), end)
            except BadRequest:
                if markup is None:
                    raise
                # The words matter more than the buttons.
                logger.error("Telegram refused a message; it is sent without buttons.")
                await patiently(lambda: self._send(text, None), end)

        self._outbox.put(send)

    async def _send(self, text: str, markup: InlineKeyboardMarkup | None) -> None:
        # No parse_mode: what is said is plain text, and no sign in it means anything.
        sent = await self._bot.send_message(
            self._chat, text, reply_markup=markup, link_preview_options=NO_PREVIEW
        )
        if markup and any(row[0].callback_data in OF_THE_MOMENT for row in markup.inline_keyboard):
            self._open_buttons[self._chat] = sent.message_id


async def acknowledge(bot: Bot, press: Pressed) -> None:
    """End the waiting sign on a button, and show in place of the buttons which was chosen."""
    end = time.monotonic() + PRESS_PATIENCE

    async def mark() -> None:
        chosen = f"{press.text}\n\n✓ {press.title}"
        if press.text and press.title and length(chosen) <= TEXT_LIMIT:
            await bot.edit_message_text(chosen, press.chat, press.message_id, link_preview_options=NO_PREVIEW)
        else:
            await bot.edit_message_reply_markup(press.chat, press.message_id)

    calls: list[Call] = [lambda: bot.answer_callback_query(press.query)]
    if press.chat is not None and press.data is not None:
        calls.append(mark)
    await asyncio.gather(*(at_best(call, end) for call in calls))


async def withdraw_buttons(bot: Bot, chat: int, message_id: int) -> None:
    """Take the buttons off a message, once it was answered in words."""
    end = time.monotonic() + PRESS_PATIENCE
    await at_best(lambda: bot.edit_message_reply_markup(chat, message_id), end)


async def at_best(call: Call, end: float) -> None:
    """Make a call that nothing hangs on."""
    try:
        await patiently(call, end)
    except (BadRequest, Forbidden):
        pass  # too old, or done already: no fault
    except TelegramError as error:
        logger.warning("Telegram did not take the answer to a press: %s", type(error).__name__)


def keyboard(buttons: list[dict[str, Any]]) -> InlineKeyboardMarkup | None:
    """The buttons, one in a row; one that Telegram would refuse is left out, for it would refuse them all."""
    rows = []
    for button in buttons:
        title, payload = str(button.get("title") or ""), str(button.get("payload") or "")
        if title and 0 < len(payload.encode()) <= DATA_LIMIT:
            rows.append([InlineKeyboardButton(title, callback_data=payload)])
        else:
            logger.error("A button does not fit into Telegram's limits.")
    return InlineKeyboardMarkup(rows) if rows else None


def parts_of(text: str) -> Iterator[str]:
    """A text in parts that Telegram takes, cut at the ends of sentences or, failing that, of words."""
    text = text.strip()
    while length(text) > TEXT_LIMIT:
        window = text.encode("utf-16-le")[: 2 * TEXT_LIMIT].decode("utf-16-le", "ignore")
        ends = [end.end() for end in re.finditer(r"\n|[.!?…][\"')]*\s", window)]
        cut = (ends[-1] if ends else 0) or window.rfind(" ") + 1 or len(window)
        yield text[:cut].rstrip()
        text = text[cut:].lstrip()
    if text:
        yield text


def length(text: str) -> int:
    """How many characters a text has for Telegram, which counts as UTF-16 does."""
    return len(text.encode("utf-16-le")) // 2
