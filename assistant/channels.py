"""The channels that people reach the assistant on, and what all of them share.

`answer` plays one turn so that it is never silent and never late, `Reader` makes what was written safe to
hand to Rasa, and `forget` deletes a conversation. Nothing that a person wrote is ever logged here.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from rasa.core.channels.channel import CollectingOutputChannel, OutputChannel, UserMessage
from rasa.core.channels.rest import QueueOutputChannel, RestInput
from rasa.core.tracker_store import (
    AwaitableTrackerStore,
    FailSafeTrackerStore,
    InMemoryTrackerStore,
    SQLTrackerStore,
    TrackerStore,
)
from rasa.utils.endpoints import bool_arg
from sanic import Blueprint
from sanic.exceptions import PayloadTooLarge
from sanic.request import Request
from sanic.response import HTTPResponse
from sanic.response import json as json_response

from assistant.checks import ROOT
from spotwise.conditions import Slot
from spotwise.knowledge import load_knowledge

TURN_LIMIT = 4.5
"""Seconds until a turn that has not ended is answered in its place: a person is answered within 5."""

TEXT_LIMIT = 8_000
"""Characters of a message that are read. Long stories fit; the rest would only slow the reading down."""

BODY_LIMIT = 64 * 1024
"""Bytes of a request; a text of TEXT_LIMIT fits in any script."""

SENDER_LIMIT = 200
"""Characters of a conversation's name; the tracker store's column holds 255."""

NOTHING_SAID = "/nlu_fallback"
"""What Rasa is handed for an empty message or a forged button: its intent for what it did not understand."""

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


# --- one turn: never silent, never late ---


async def answer(
    on_new_message: OnNewMessage, message: UserMessage, safe_words: str, delete: Callable[[], None]
) -> None:
    """Play one turn; where it breaks, is late or says nothing, send the safe words.

    A turn that is only late goes on, so that nothing the person told is lost, but says nothing more.
    `delete` is called after a turn that asked for the conversation to be deleted.
    """
    turn = Turn(message.output_channel)
    message.output_channel = turn
    task = keep(turn.play(on_new_message, message, delete))
    await asyncio.wait({task}, timeout=TURN_LIMIT)
    if turn.ended and turn.spoke:
        return
    if not task.done():
        logger.warning("A turn took more than %s seconds.", TURN_LIMIT)
    elif turn.ended:
        logger.warning("A turn said nothing.")
    turn.open = False
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


# --- deleting ---


def forget(tracker_store: TrackerStore, sender_id: str) -> None:
    """Delete all that is stored of a conversation. It never waits, so no other turn can come between."""
    for store in _unwrapped(tracker_store):
        if isinstance(store, SQLTrackerStore):
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


def _unwrapped(store: TrackerStore | None) -> Iterator[TrackerStore]:
    """The stores that hold conversations, below Rasa's wrappers."""
    if isinstance(store, FailSafeTrackerStore):
        yield from _unwrapped(store._tracker_store)
        yield from _unwrapped(store._fallback_tracker_store)
    elif isinstance(store, AwaitableTrackerStore):
        yield from _unwrapped(store._tracker_store)
    elif store is not None:
        yield store


# --- what people write ---


class Reader:
    """Makes a text safe to hand to Rasa: not too long, readable, and no payload but those of buttons."""

    def __init__(self, intents: Collection[str], entities: Mapping[str, Slot]) -> None:
        """Know the intents, and the values that each entity may have."""
        self._intents = intents
        self._entities = entities

    def read(self, text: str) -> str:
        """The text as Rasa may see it. Nothing, or a payload that no button could send, says nothing."""
        text = clean(text)[:TEXT_LIMIT].strip()
        if not text.startswith("/"):
            return text or NOTHING_SAID
        words = re.sub(r"^[/\s]+", "", text)
        typed = " " in words and not re.search(
            r"[{}\[\]]", words
        )  # somebody wrote a slash before their words
        return self._payload(text) or (words if typed else NOTHING_SAID)

    def _payload(self, text: str) -> str | None:
        """The payload `/intent` or `/intent{"slot":"value"}`, spelt as buttons do; None if it is not one."""
        parts = re.fullmatch(r"/(\w+)\s*(\{.*\})?", text, re.DOTALL)
        if parts is None or parts[1] not in self._intents:
            return None
        try:
            values = json.loads(parts[2] or "{}")
        except (ValueError, RecursionError):
            return None
        if not all(self._may_have(name, value) for name, value in values.items()):
            return None
        return f"/{parts[1]}" + (json.dumps(values, separators=(",", ":")) if values else "")

    def _may_have(self, name: str, value: object) -> bool:
        """Whether there is such an entity and it may have this value."""
        slot = self._entities.get(name)
        if slot is None:
            return False
        if slot.type == "number":
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            return is_number and slot.minimum <= value <= slot.maximum  # type: ignore[operator]
        if slot.type == "list" and isinstance(value, list):
            return all(isinstance(item, str) and item in slot.values for item in value)
        return isinstance(value, str) and value in slot.values


def clean(text: str) -> str:
    """The text without control characters and broken halves of characters; line breaks and tabs stay."""
    text = re.sub("\r\n?|[\v\f\x85]", "\n", text)
    return re.sub(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]", "", text)


# --- what all channels are made with ---


def read_domain(path: Path = ROOT / "domain.yml") -> dict[str, Any]:
    """The domain, or nothing: a channel has to work without it."""
    try:
        domain = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        logger.error("%s can't be read: %s", path.name, type(error).__name__)
        return {}
    return domain if isinstance(domain, dict) else {}


def safe_words_of(domain: Mapping[str, Any]) -> str:
    """What to say when nothing else can be said."""
    try:
        return str(domain["responses"]["utter_safe_words"][0]["text"])
    except (KeyError, IndexError, TypeError):
        return LAST_RESORT


def reader_for(domain: Mapping[str, Any]) -> Reader:
    """The reader for a domain's intents and the facts that the assistant can hold."""
    intents = {
        name
        for intent in domain.get("intents") or ()
        for name in ([intent] if isinstance(intent, str) else intent)
    }
    knowledge = load_knowledge()
    cause = Slot("cause", "scalar", tuple(cause.id for cause in knowledge.causes))
    return Reader(intents | {"restart"}, {**knowledge.vocabulary.slots, "cause": cause})


# --- REST and the shell ---


class Refused(Exception):
    """A request that can't be taken, with a word on why for its author."""

    def __init__(self, status: int, why: str) -> None:
        """Keep the HTTP status and the reason."""
        super().__init__(why)
        self.status = status


class Webhook(RestInput):  # type: ignore[misc]
    """Takes messages over HTTP, as Rasa's own REST channel does, and answers each.

    Only the message and the conversation's name are taken from a request. `metadata` and `input_channel`
    are not: Rasa would store whatever is in them.
    """

    def __init__(self) -> None:
        """Load what has to be at hand when things break."""
        domain = read_domain()
        self._safe_words = safe_words_of(domain)
        self._reader = reader_for(domain)

    def check_token(self, request: Request) -> None:
        """Refuse those who may not write; here, nobody."""

    def blueprint(self, on_new_message: OnNewMessage) -> Blueprint:
        """The routes of the channel."""
        webhook = Blueprint(f"custom_webhook_{type(self).__name__}", __name__)

        @webhook.get("/")  # type: ignore[untyped-decorator, unused-ignore]
        async def health(_: Request) -> HTTPResponse:
            return json_response({"status": "ok"})

        @webhook.post("/webhook", stream=True)  # type: ignore[untyped-decorator, unused-ignore]
        async def receive(request: Request) -> HTTPResponse | None:
            try:
                self.check_token(request)
                sender, text = await received(request)
            except Refused as refusal:
                return json_response({"error": str(refusal)}, refusal.status)
            reply = partial(self._reply, request, on_new_message, sender, self._reader.read(text))
            if bool_arg(request, "stream", default=False):
                await stream(request, reply)
                return None
            output = CollectingOutputChannel()
            await reply(output)
            return json_response(output.messages)

        return webhook

    async def _reply(
        self, request: Request, on_new_message: OnNewMessage, sender: str, text: str, output: OutputChannel
    ) -> None:
        """Answer one message through an output channel."""
        message = UserMessage(text, output, sender, input_channel=self.name())
        app = request.app
        await answer(
            on_new_message, message, self._safe_words, lambda: forget(app.ctx.agent.tracker_store, sender)
        )


class RestChannel(Webhook):
    """The REST channel, for those who know the token."""

    @classmethod
    def name(cls) -> str:
        """The name that Rasa knows REST by."""
        return "rest"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> RestChannel:
        """Take the token from credentials.yml; there is no channel without one."""
        token = (credentials or {}).get("token")
        if not token:
            cls.raise_missing_credentials_exception()
        return cls(str(token))

    def __init__(self, token: str) -> None:
        """Be open to those who send this token."""
        super().__init__()
        self._token = token

    def check_token(self, request: Request) -> None:
        """Want the token as `?token=` or `Authorization: Bearer`."""
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        given = bearer.strip() if scheme.lower() == "bearer" else request.args.get("token", "")
        # In constant time, so that the token can't be found letter by letter.
        if not hmac.compare_digest(given.encode(errors="surrogatepass"), self._token.encode()):
            raise Refused(401, "Please send the access token, as ?token=... or as Authorization: Bearer ...")


class ShellChannel(Webhook):
    """The channel of `rasa shell`, which writes to its own server's REST address, on loopback."""

    @classmethod
    def name(cls) -> str:
        """The name that makes Rasa start the shell."""
        return "cmdline"

    @classmethod
    def from_credentials(cls, _: dict[str, Any] | None) -> ShellChannel:
        """Need no credentials."""
        return cls()

    def url_prefix(self) -> str:
        """Where the shell writes to."""
        return "rest"


async def received(request: Request) -> tuple[str, str]:
    """The conversation's name and the message of a request."""
    try:
        if request.stream is not None:
            request.stream.request_max_size = BODY_LIMIT
            await request.receive_body()  # type: ignore[no-untyped-call]
        body = json.loads(request.body)
    except PayloadTooLarge:
        raise Refused(413, f"This is too long. Please send at most {BODY_LIMIT // 1024} kB.") from None
    except (ValueError, RecursionError):
        raise Refused(400, "This is not JSON. Please send an object with sender and message.") from None
    if not isinstance(body, dict):
        raise Refused(400, "Please send a JSON object with sender and message.")
    sender = body.get("sender")
    if not (
        isinstance(sender, str) and sender.strip() and sender.isprintable() and len(sender) <= SENDER_LIMIT
    ):
        raise Refused(400, f"Please name the conversation: sender, 1 to {SENDER_LIMIT} readable characters.")
    text = body.get("message", False)
    if text is not None and not isinstance(text, str):
        raise Refused(400, "Please send the person's words: message, a text. It may be empty.")
    return sender, text or ""


async def stream(request: Request, reply: Callable[[OutputChannel], Coroutine[Any, Any, None]]) -> None:
    """Send each message as soon as it is said, one JSON object a line."""
    response = await request.respond(content_type="text/event-stream")
    said: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
    task = keep(reply(QueueOutputChannel(said)))
    task.add_done_callback(lambda _: said.put_nowait(None))
    while (message := await said.get()) is not None:
        await response.send(json.dumps(message) + "\n")
