"""A stand-in for Telegram's Bot API on loopback, as strict as the real one or more, and people who use it.

What it refuses (400) is kept in `refused`, so that a test can say that nothing was. Faults are ordered with
`fail`: a chat's next calls get a status, are answered late, or break off.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import requests

BOT_TOKEN = "7712345678:AAFakeTokenOfTheTests-0123456789abcd"
SECRET = "secret_of-the-tests-0123456789"
HEADER = "X-Telegram-Bot-Api-Secret-Token"
PATH = "/webhooks/telegram/webhook"
VARIABLES = {"TELEGRAM_TOKEN": BOT_TOKEN, "TELEGRAM_SECRET": SECRET}

BOT = {"id": 7712345678, "is_bot": True, "first_name": "Spotwise", "username": "spotwise_bot"}

# What each method takes here: name -> (required, optional).
METHODS: dict[str, tuple[set[str], set[str]]] = {
    "sendMessage": ({"chat_id", "text"}, {"reply_markup", "link_preview_options", "parse_mode"}),
    "answerCallbackQuery": ({"callback_query_id"}, {"text", "show_alert", "cache_time"}),
    "editMessageText": (
        {"chat_id", "message_id", "text"},
        {"reply_markup", "link_preview_options", "parse_mode"},
    ),
    "editMessageReplyMarkup": ({"chat_id", "message_id"}, {"reply_markup"}),
    "setWebhook": ({"url"}, {"secret_token", "allowed_updates", "drop_pending_updates"}),
    "deleteWebhook": (set(), {"drop_pending_updates"}),
    "setMyCommands": ({"commands"}, {"scope", "language_code"}),
    "getUpdates": (set(), {"offset", "timeout", "limit", "allowed_updates"}),
}


class Refusal(Exception):
    """An answer other than ok."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.status = status
        self.parameters = parameters


@dataclass
class Fault:
    """What becomes of the next calls of a method for a chat (None: for all)."""

    chat: int | None
    method: str
    times: int
    status: int = 200
    retry_after: int = 0
    delay: float = 0.0
    seen: int = 0


@dataclass
class Chat:
    """A chat as Telegram keeps it: the bot's messages, in order."""

    id: int
    blocked: bool = False
    not_before: float = 0.0
    messages: list[dict[str, Any]] = field(default_factory=list)

    def find(self, message_id: int) -> dict[str, Any]:
        for message in self.messages:
            if message["message_id"] == message_id:
                return message
        raise Refusal(400, "Bad Request: message to edit not found")


class TelegramApi:
    """The Bot API for one bot."""

    def __init__(self) -> None:
        self.url = ""
        self.chats: dict[int, Chat] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.refused: list[str] = []
        self.queries: dict[str, bool] = {}
        self.webhook: dict[str, Any] = {}
        self.commands: dict[str, Any] = {}
        self.pending: list[dict[str, Any]] = []
        self.faults: list[Fault] = []
        self.down = False
        self._lock = threading.Lock()
        self._numbers = itertools.count(1000)

    def number(self) -> int:
        """A number that was not used."""
        return next(self._numbers)

    def chat(self, number: int) -> Chat:
        """Open a chat with the bot."""
        return self.chats.setdefault(number, Chat(number))

    def query(self) -> str:
        """Begin to wait for the answer to a press."""
        number = f"q{self.number()}"
        self.queries[number] = False
        return number

    def fail(self, chat: int | None, times: int = 1, method: str = "sendMessage", **how: Any) -> Fault:
        """Order a fault."""
        fault = Fault(chat, method, times, **how)
        self.faults.append(fault)
        return fault

    # --- how it answers ---

    def answer(self, token: str, method: str, given: dict[str, Any]) -> Any:
        """The result of a call."""
        if token != BOT_TOKEN:
            raise Refusal(401, "Unauthorized")
        if method not in METHODS:
            raise Refusal(404, "Not Found")
        with self._lock:
            self.calls.append((method, given))
        self._fault(method, given)
        required, optional = METHODS[method]
        if required - set(given):
            raise Refusal(400, f"Bad Request: {method} lacks {required - set(given)}")
        if set(given) - required - optional:
            raise Refusal(400, f"Bad Request: {method} does not know {set(given) - required - optional}")
        with self._lock:
            return getattr(self, f"_{method}")(**given)

    def _fault(self, method: str, given: dict[str, Any]) -> None:
        chat = self.chats.get(int(given["chat_id"])) if "chat_id" in given else None
        if chat and time.monotonic() < chat.not_before:
            self.refused.append("called again before retry_after had passed")
        for fault in self.faults:
            if fault.seen < fault.times and fault.method == method and fault.chat in (None, chat and chat.id):
                fault.seen += 1
                time.sleep(fault.delay)
                if fault.status == 429 and chat:
                    chat.not_before = time.monotonic() + fault.retry_after
                    raise Refusal(429, "Too Many Requests", retry_after=fault.retry_after)
                if fault.status != 200:
                    raise Refusal(fault.status, "Bad Request: no" if fault.status == 400 else "Bad Gateway")
                return

    def _open_chat(self, chat_id: Any) -> Chat:
        chat = self.chats.get(int(chat_id))
        if chat is None:
            raise Refusal(400, "Bad Request: chat not found")
        if chat.blocked:
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        return chat

    def _sendMessage(self, chat_id: Any, **content: Any) -> dict[str, Any]:
        chat = self._open_chat(chat_id)
        kind = "private" if chat.id > 0 else "supergroup"
        message = {
            "message_id": self.number(),
            "date": int(time.time()),
            "from": BOT,
            "chat": {"id": chat.id, "type": kind, "first_name": "A"},
            **content_of(**content),
        }
        chat.messages.append(message)
        return message

    def _editMessageText(self, chat_id: Any, message_id: Any, **content: Any) -> dict[str, Any]:
        message = self._open_chat(chat_id).find(int(message_id))
        new = content_of(**content)
        if all(message.get(part) == new.get(part) for part in ("text", "reply_markup")):
            raise Refusal(400, "Bad Request: message is not modified")
        message.pop("reply_markup", None)
        message.update(new)
        return message

    def _editMessageReplyMarkup(
        self, chat_id: Any, message_id: Any, reply_markup: str = "null"
    ) -> dict[str, Any]:
        message = self._open_chat(chat_id).find(int(message_id))
        new = markup_of(reply_markup)
        if message.get("reply_markup") == new:
            raise Refusal(400, "Bad Request: message is not modified")
        message.pop("reply_markup", None)
        message.update({"reply_markup": new} if new else {})
        return message

    def _answerCallbackQuery(self, callback_query_id: str, **_: Any) -> bool:
        if self.queries.get(callback_query_id, True):
            raise Refusal(
                400, "Bad Request: query is too old and response timeout expired or query ID is invalid"
            )
        self.queries[callback_query_id] = True
        return True

    def _setWebhook(self, url: str, **given: Any) -> bool:
        if not re.fullmatch(r"https://[\w.-]+(:(443|80|88|8443))?/\S*", url):
            raise Refusal(400, "Bad Request: bad webhook: an HTTPS URL must be provided for webhook")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", given.get("secret_token", "x")):
            raise Refusal(400, "Bad Request: secret token contains unallowed characters")
        self.webhook = {
            "url": url,
            **given,
            "allowed_updates": json.loads(given.get("allowed_updates", "[]")),
        }
        return True

    def _deleteWebhook(self, **_: Any) -> bool:
        self.webhook = {}
        return True

    def _setMyCommands(self, commands: str, **given: Any) -> bool:
        listed = json.loads(commands)
        for command in listed:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]):
                raise Refusal(400, "Bad Request: BOT_COMMAND_INVALID")
            if not 1 <= len(command["description"]) <= 256:
                raise Refusal(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
        self.commands = {"commands": listed, "scope": json.loads(given.get("scope", "{}"))}
        return True

    def _getUpdates(self, offset: Any = 0, **_: Any) -> list[dict[str, Any]]:
        if self.webhook:
            raise Refusal(409, "Conflict: can't use getUpdates method while webhook is active")
        self.pending = [update for update in self.pending if update["update_id"] >= int(offset)]
        return self.pending[:100]


def content_of(
    text: str, reply_markup: str = "null", link_preview_options: str = "{}", parse_mode: str = ""
) -> dict[str, Any]:
    """A message's text and buttons, checked."""
    if parse_mode:
        raise Refusal(400, "Bad Request: can't parse entities: everything here is plain text")
    if not text.strip():
        raise Refusal(400, "Bad Request: message text is empty")
    if len(text.encode("utf-16-le")) > 2 * 4096:
        raise Refusal(400, "Bad Request: message is too long")
    if json.loads(link_preview_options).get("is_disabled") is not True:
        raise Refusal(400, "Bad Request: link previews would show to those who look on")
    markup = markup_of(reply_markup)
    return {"text": text.strip(), **({"reply_markup": markup} if markup else {})}


def markup_of(given: str) -> dict[str, Any] | None:
    """A keyboard, checked; None where there is none."""
    try:
        markup = json.loads(given)
    except ValueError:
        raise Refusal(400, "Bad Request: can't parse reply keyboard markup JSON object") from None
    if markup is None:
        return None
    if set(markup) != {"inline_keyboard"}:
        raise Refusal(400, "Bad Request: object expected as reply markup")
    rows = markup["inline_keyboard"]
    if sum(map(len, rows)) > 100:
        raise Refusal(400, "Bad Request: reply markup is too long")
    for row in rows:
        if len(row) != 1:
            raise Refusal(400, "Bad Request: each button has a row of its own here")
        for button in row:
            if set(button) != {"text", "callback_data"} or not button["text"].strip():
                raise Refusal(400, "Bad Request: inline keyboard button is invalid")
            if not 1 <= len(button["callback_data"].encode()) <= 64:
                raise Refusal(400, "Bad Request: BUTTON_DATA_INVALID")
    return markup if rows else None


@contextlib.contextmanager
def telegram_api() -> Iterator[TelegramApi]:
    """Run the stand-in on a free port."""
    api = TelegramApi()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if api.down:
                self.close_connection = True
                return
            _, bot, method = self.path.split("/")
            given = dict(parse_qsl(body.decode(), keep_blank_values=True))
            try:
                status, answer = (
                    200,
                    {"ok": True, "result": api.answer(bot.removeprefix("bot"), method, given)},
                )
            except Refusal as refusal:
                status = refusal.status
                answer = {"ok": False, "error_code": status, "description": str(refusal)}
                if refusal.parameters:
                    answer["parameters"] = refusal.parameters
                if status == 400:
                    api.refused.append(str(refusal))
            data = json.dumps(answer).encode()
            with contextlib.suppress(OSError):
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# --- people ---


def deliver(url: str, update: Any, secret: str | None = SECRET, timeout: float = 60) -> requests.Response:
    """Send an update to the assistant, as Telegram does."""
    headers = {"content-type": "application/json"} | ({HEADER: secret} if secret is not None else {})
    body = update if isinstance(update, bytes) else json.dumps(update).encode()
    return requests.post(url + PATH, data=body, headers=headers, timeout=timeout)


class Person:
    """Somebody with a private chat with the bot."""

    def __init__(self, api: TelegramApi, url: str) -> None:
        self.api = api
        self.url = url
        self.id = 5_000_000_000 + api.number()
        self.chat = api.chat(self.id)

    @property
    def user(self) -> dict[str, Any]:
        """Who they are, for Telegram."""
        return {"id": self.id, "is_bot": False, "first_name": "Alexandra", "last_name": "Privatov"}

    def message(self, **content: Any) -> dict[str, Any]:
        """An update with a message of this person."""
        message = {
            "message_id": self.api.number(),
            "date": int(time.time()),
            "from": self.user,
            "chat": {"id": self.id, "type": "private", "first_name": "Alexandra"},
            **content,
        }
        return {"update_id": self.api.number(), "message": message}

    def press_on(self, message: dict[str, Any], data: str) -> dict[str, Any]:
        """An update with a press of a button of a message."""
        query = {
            "id": self.api.query(),
            "from": self.user,
            "chat_instance": "1",
            "message": message,
            "data": data,
        }
        return {"update_id": self.api.number(), "callback_query": query}

    def send(self, update: dict[str, Any]) -> list[dict[str, Any]]:
        """Have an update delivered; what the bot said until it was acknowledged."""
        before = len(self.chat.messages)
        assert deliver(self.url, update).status_code == 200
        return self.chat.messages[before:]

    def write(self, text: str) -> list[dict[str, Any]]:
        """Write something; what the bot says."""
        return self.send(self.message(text=text))

    def press(self, title: str) -> list[dict[str, Any]]:
        """Press a button of the newest message that has it; what the bot says."""
        for message in reversed(self.chat.messages):
            for button in buttons_of(message):
                if button["text"] == title:
                    return self.send(self.press_on(json.loads(json.dumps(message)), button["callback_data"]))
        raise AssertionError(f"there is no button {title!r}")


def buttons_of(message: dict[str, Any]) -> list[dict[str, str]]:
    """The buttons of a message."""
    return [button for row in message.get("reply_markup", {}).get("inline_keyboard", ()) for button in row]


def texts_of(messages: list[dict[str, Any]]) -> list[str]:
    """The texts of messages."""
    return [message["text"] for message in messages]
