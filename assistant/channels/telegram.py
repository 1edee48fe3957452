"""Telegram: private chats with one bot."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from typing import Any
from weakref import WeakValueDictionary

from rasa.core.channels.channel import InputChannel, UserMessage
from rasa.shared.core.events import BotUttered, UserUttered
from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse, empty
from sanic.response import json as json_response

from assistant.channels.accounts import account_key, conversation_of
from assistant.channels.forgetting import forget
from assistant.channels.handled import Handled, State
from assistant.channels.reading import reader_for
from assistant.channels.rest import Refused, json_of
from assistant.channels.telegram_api import bot_for
from assistant.channels.telegram_output import Outbox, Recent, TelegramOutput, acknowledge, withdraw_buttons
from assistant.channels.telegram_updates import SECRET_HEADER, Elsewhere, Pressed, Written, read_update
from assistant.channels.turns import OnNewMessage, answer, keep, read_domain, safe_words_of, words_of
from assistant.tracker_store import NotKept, Store

BODY_LIMIT = 1024 * 1024
"""Bytes of an update; Telegram's longest, with a message that it replies to, are far below."""

LARGEST_ID = 2**63 - 1

ACK_LIMIT = 10.0
"""Seconds until an update that is not done is acknowledged; Telegram has few connections for all people."""

PRESSED_AGAIN = 10.0
"""Seconds in which a second press of the same button is the same press: a finger that trembles."""

logger = logging.getLogger(__name__)


class Chat:
    """One private chat: its turns one after the other, and what is on its way to it."""

    def __init__(self) -> None:
        """Begin with nothing going on."""
        self.turn = asyncio.Lock()
        self.outbox = Outbox()


class TelegramChannel(InputChannel):  # type: ignore[misc]
    """Takes updates from Telegram over its webhook, and answers through its Bot API.

    An update is acknowledged when its answer was sent, at most ACK_LIMIT seconds later. Telegram sends again
    what was not acknowledged, and until then nothing newer of the same chat. So an update whose turn is cut
    off by a kill comes again and is played then; one whose turn was stored, but whose words may not have
    been sent, is not played a second time: its words are sent again.
    """

    @classmethod
    def name(cls) -> str:
        """The name of the channel, and the part of its address."""
        return "telegram"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> TelegramChannel:
        """Take the bot's token, and the secret that Telegram sends with each update."""
        given = credentials or {}
        if not (given.get("token") and given.get("secret")):
            cls.raise_missing_credentials_exception()
        return cls(str(given["token"]), str(given["secret"]))

    def __init__(self, token: str, secret: str) -> None:
        """Be open to those who send the secret. Telegram need not be reachable."""
        self._bot = bot_for(token)
        self._secret = secret.encode()
        self._key = account_key()
        domain = read_domain()
        self._safe_words = safe_words_of(domain)
        self._only_text = words_of(domain, "utter_only_text")
        self._in_groups = words_of(domain, "utter_write_privately", otherwise="")
        self._reader = reader_for(domain)
        self._handled = Handled(self.name())
        self._going_on: dict[int, asyncio.Task[None]] = {}
        self._chats: WeakValueDictionary[int, Chat] = WeakValueDictionary()
        self._presses: Recent[tuple[int, int, str], float] = Recent()
        self._open_buttons: Recent[int, int] = Recent()

    def blueprint(self, on_new_message: OnNewMessage) -> Blueprint:
        """The routes of the channel."""
        webhook = Blueprint("telegram_webhook", __name__)

        @webhook.get("/")  # type: ignore[untyped-decorator, unused-ignore]
        async def health(_: Request) -> HTTPResponse:
            return json_response({"status": "ok"})

        @webhook.post("/webhook", stream=True)  # type: ignore[untyped-decorator, unused-ignore]
        async def receive(request: Request) -> HTTPResponse:
            try:
                self._check_secret(request)
                update = await json_of(request, BODY_LIMIT)
                update_id = id_of(update)
            except Refused as refusal:
                return json_response({"error": str(refusal)}, refusal.status)
            task = self._going_on.get(update_id)
            if task is None:
                task = keep(self._take(request.app, on_new_message, update_id, update))
                self._going_on[update_id] = task
                task.add_done_callback(lambda _: self._going_on.pop(update_id, None))
            await asyncio.wait({task}, timeout=ACK_LIMIT)
            return empty(200)

        return webhook

    def _check_secret(self, request: Request) -> None:
        """Refuse those who don't know the secret; in constant time, so that it can't be found bit by bit."""
        given = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(given.encode(errors="surrogatepass"), self._secret):
            raise Refused(401, f"Please send the secret in the header {SECRET_HEADER}.")

    async def _take(
        self, app: Any, on_new_message: OnNewMessage, update_id: int, update: dict[str, Any]
    ) -> None:
        """Handle an update, once."""
        said = read_update(update)
        store = app.ctx.agent.tracker_store
        if said is None:
            return
        state = self._handled.begin(store, str(update_id))
        if state is State.DONE:
            return
        try:
            if isinstance(said, Elsewhere):
                await self._point_to_private(store, said)
            else:
                await self._respond(store, on_new_message, said, str(update_id), state is State.BEGUN)
        except Exception as error:
            logger.error("An update broke: %s", type(error).__name__)
        self._handled.end(store, str(update_id))

    async def _point_to_private(self, store: Store, said: Elsewhere) -> None:
        """Ask a group once to write in private; a group is no place for this."""
        group = conversation_of(self.name(), str(said.chat), self._key)
        if self._in_groups and self._handled.first_time(store, group):
            outbox = Outbox()
            output = TelegramOutput(self._bot, said.chat, outbox, self._open_buttons)
            await output.send_text_message(group, self._in_groups)
            await outbox.empty()

    async def _respond(
        self,
        store: Store,
        on_new_message: OnNewMessage,
        said: Written | Pressed,
        update_id: str,
        broken_off: bool,
    ) -> None:
        """Answer what a person wrote or pressed in their private chat."""
        text = said.text
        if isinstance(said, Pressed):
            keep(acknowledge(self._bot, said))
            if said.chat is not None and self._open_buttons.get(said.chat) == said.message_id:
                del self._open_buttons[said.chat]
            text = said.data
            if text is None or self._is_pressed_again(said):
                return
        if said.chat is None:
            return
        chat = self._chats.setdefault(said.chat, Chat())
        output = TelegramOutput(self._bot, said.chat, chat.outbox, self._open_buttons)
        sender = conversation_of(self.name(), str(said.chat), self._key)
        async with chat.turn:
            if isinstance(said, Written) and said.more:
                await output.send_text_message(sender, self._only_text)
            before = await answered_before(store, sender, update_id) if broken_off else None
            if before is not None:
                for words in before or [{"text": self._safe_words}]:
                    await output.send_response(sender, words)
            elif text is not None:
                if isinstance(said, Written) and said.chat in self._open_buttons:
                    keep(withdraw_buttons(self._bot, said.chat, self._open_buttons.pop(said.chat)))
                message = UserMessage(
                    self._reader.read(text), output, sender, input_channel=self.name(), message_id=update_id
                )
                await answer(on_new_message, message, self._safe_words, lambda: forget(store, sender))
        await chat.outbox.empty()

    def _is_pressed_again(self, press: Pressed) -> bool:
        """Whether this button was pressed a moment ago: "Not sure" twice would skip a question unseen."""
        now = time.monotonic()
        this = (press.chat or 0, press.message_id, press.data or "")
        before = self._presses.get(this)
        self._presses[this] = now
        return before is not None and now - before < PRESSED_AGAIN


def id_of(update: dict[str, Any]) -> int:
    """The number of an update."""
    number = update.get("update_id")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= LARGEST_ID:
        raise Refused(400, "This is no update: it has no update_id.")
    return number


async def answered_before(store: Store, sender: str, message_id: str) -> list[dict[str, Any]] | None:
    """What answered a message, if its turn is stored; else None."""
    try:
        tracker = await store.latest_session(sender)
    except NotKept:
        return None
    answers: list[dict[str, Any]] = []
    for event in reversed(tracker.events if tracker else ()):
        if isinstance(event, BotUttered):
            answers.insert(0, event.message())
        elif isinstance(event, UserUttered):
            if event.message_id == message_id:
                return answers
            answers = []
    return None
