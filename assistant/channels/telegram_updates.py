"""What an update from Telegram says, of the little that the assistant takes."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Any

from telegram import CallbackQuery, Message, Update
from telegram.ext.filters import StatusUpdate

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"

COMMANDS = {
    "start": ("/greet", "Say hello and begin"),
    "help": ("/help", "What I can do"),
    "restart": ("/restart", "Start again from the first question"),
    "delete": ("/delete_my_data", "Delete what you told me"),
    "privacy": ("/ask_privacy", "What becomes of your words"),
}
"""What each command says to the assistant, and the words that Telegram shows beside it."""

TAKEN = ("message", "callback_query")
"""The kinds of update that the assistant asks Telegram for; all others are let go."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Written:
    """A person wrote in a private chat; `more` says that there was something other than words."""

    chat: int
    text: str | None
    more: bool = False

    def __post_init__(self) -> None:
        """Refuse another thing in the place of a text."""
        check_texts(self.text)


@dataclass(frozen=True)
class Pressed:
    """A person pressed a button, at `title` of `message`. Telegram may no longer say what the message was."""

    query: str
    chat: int | None
    data: str | None
    message_id: int
    text: str | None
    title: str | None

    def __post_init__(self) -> None:
        """Refuse another thing in the place of a text."""
        check_texts(self.data, self.text, self.title)


@dataclass(frozen=True)
class Elsewhere:
    """Somebody wrote in a group."""

    chat: int


def read_update(update: dict[str, Any]) -> Written | Pressed | Elsewhere | None:
    """What an update says; None for all that is not for the assistant.

    Anything can be in there: what Telegram invents next, too. It has to be answered 200 all the same, or
    Telegram sends it again and again and holds back all that comes after.
    """
    known = {name: update[name] for name in ("update_id", *TAKEN) if name in update}
    try:
        parsed = Update.de_json(known, None)
        if parsed.message:
            return read_message(parsed.message)
        if parsed.callback_query:
            return read_press(parsed.callback_query)
    except Exception as error:
        logger.warning("An update could not be read: %s", type(error).__name__)
    return None


def read_message(message: Message) -> Written | Elsewhere | None:
    """What a new message says."""
    chat, author = message.chat, message.from_user
    if author is None or author.is_bot is not False or not is_number(chat.id):
        return None
    if chat.type in ("group", "supergroup"):
        return Elsewhere(chat.id)
    if chat.type != "private" or chat.id < 0 or StatusUpdate.ALL.check_update(Update(0, message=message)):
        return None
    if message.text is not None:
        return Written(chat.id, command_or(message.text))
    return Written(chat.id, message.caption, more=True)


def read_press(query: CallbackQuery) -> Pressed | None:
    """What a press says. Without a private chat it is answered, and does nothing."""
    if not (isinstance(query.id, str) and query.id):
        return None
    message = query.message
    if message is None or message.chat.type != "private" or not is_number(message.chat.id):
        return Pressed(query.id, None, None, 0, None, None)
    text = title = None
    if isinstance(message, Message):
        rows = message.reply_markup.inline_keyboard if message.reply_markup else ()
        title = next((b.text for row in rows for b in row if b.callback_data == query.data), None)
        text = message.text
    return Pressed(query.id, message.chat.id, query.data, int(message.message_id), text, title)


def command_or(text: str) -> str:
    """What a command says (`/start`, `/help@a_bot words`); any other text as it is."""
    command = re.match(r"/(\w+)(@\w+)?(\s|$)", text)
    return COMMANDS.get(command[1].lower(), (text,))[0] if command else text


def check_texts(*values: object) -> None:
    """Raise TypeError for what is neither a text nor absent; the library takes what it is given."""
    if not all(value is None or isinstance(value, str) for value in values):
        raise TypeError("not a text")


def is_number(value: object) -> bool:
    """Whether this can be the number of a chat."""
    return isinstance(value, int) and not isinstance(value, bool) and value != 0
