"""The web page and its widget: what the browser loads, and the conversation behind it.

The server gives out the ids of conversations, and takes no other. Messages may be sent again after a fault
of the network: each has a number, and one that was heard already is not heard twice.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from rasa.core.channels.channel import InputChannel, OutputChannel, UserMessage
from rasa.core.lock_store import LockError
from sanic import Blueprint, Sanic
from sanic.exceptions import PayloadTooLarge
from sanic.request import Request
from sanic.response import HTTPResponse
from sanic.response import json as json_response

from assistant import webpage
from assistant.channels.accounts import account_key
from assistant.channels.forgetting import forget
from assistant.channels.limits import Buckets
from assistant.channels.passes import conversation_behind, issue
from assistant.channels.reading import clean, reader_for
from assistant.channels.turns import OnNewMessage, answer, keep, read_domain, safe_words_of
from assistant.channels.web_card import Cards
from assistant.channels.web_history import Message, Titles, Told, turns_of
from assistant.webpage import MESSAGE_LIMIT
from spotwise.knowledge import load_knowledge

BODY_LIMIT = 16 * 1024
"""Bytes of a request; a message of MESSAGE_LIMIT fits in any script."""

REMEMBERED = 600.0
"""Seconds that an answer is kept for a browser that asks again, and that a deleted id stays refused."""

MOST_REMEMBERED = 2_000

LIMITS = {"per_address": (120, 120.0), "per_conversation": (30, 40.0)}
"""At most so many requests at once, and so many a minute. Many people can share an address."""

Reply = dict[str, Any]

logger = logging.getLogger(__name__)


class Refused(Exception):
    """A request that can't be taken, with kind words on why."""

    def __init__(self, status: int, why: str, wait: float = 0) -> None:
        """Keep the HTTP status, the name of the words, and the seconds to wait."""
        super().__init__(why)
        self.status = status
        self.wait = wait


class Collected(OutputChannel):  # type: ignore[misc]  # Rasa's types are not seen
    """Keeps what is said, with the name of the response it came from."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        self.messages: list[Message] = []

    @classmethod
    def name(cls) -> str:
        """The channel's name, for responses that differ by channel."""
        return "web"

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Keep a message as it is."""
        self.messages.append(message)

    async def send_text_message(self, recipient_id: str, text: str, **_: Any) -> None:
        """Keep a text, such as the safe words."""
        self.messages.append({"text": text})


class WebChannel(InputChannel):  # type: ignore[misc]
    """Serves the page, the widget and the conversations that are held there."""

    @classmethod
    def name(cls) -> str:
        """The name in the conversations."""
        return "web"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> WebChannel:
        """Take the settings of credentials.yml; none is needed."""
        return cls(credentials or {})

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Load what has to be at hand when things break. Raises ValueError for a setting that can't be."""
        domain = read_domain()
        knowledge = load_knowledge()
        responses = domain.get("responses") or {}
        self._page = webpage.WebPage(settings, os.environ.get(webpage.ORIGINS, ""))
        self._safe_words = safe_words_of(domain)
        self._reader = reader_for(domain)
        self._cards = Cards(responses, knowledge)
        self._titles = Titles(responses, knowledge)
        self._key = account_key()
        self._addresses, self._conversations = (
            Buckets(*(settings.get(name) or default)) for name, default in LIMITS.items()
        )
        self._replies: OrderedDict[tuple[str, str], tuple[float, asyncio.Task[Reply]]] = OrderedDict()
        self._deleted: OrderedDict[str, float] = OrderedDict()

    def url_prefix(self) -> str:
        """The root: people open the server's bare address."""
        return "/"

    def blueprint(self, on_new_message: OnNewMessage) -> Blueprint:
        """The routes of the channel."""
        web = Blueprint("spotwise_web", __name__)

        async def deliver(request: Request) -> HTTPResponse:
            return self._static(request)

        for number, path in enumerate(self._page.files):
            if path != "/":
                web.add_route(deliver, path, methods=["GET", "HEAD"], name=f"file_{number}")

        @web.listener("before_server_start")  # type: ignore[untyped-decorator, unused-ignore]
        async def take_the_root(app: Sanic, _: Any) -> None:
            # Rasa has a greeting of its own at "/"; this answers before that route is asked.
            app.register_middleware(self._root, "request")

        def takes(path: str, handle: Callable[[Request, dict[str, Any]], Awaitable[Reply]]) -> None:
            async def receive(request: Request) -> HTTPResponse:
                return await self._received(request, handle)

            web.add_route(receive, f"{webpage.API}/{path}", methods=["POST"], stream=True, name=path)

        async def begin(_: Request, __: dict[str, Any]) -> Reply:
            return {"id": issue(self._key)}

        async def hear(request: Request, body: dict[str, Any]) -> Reply:
            return await self._hear(request, body, on_new_message)

        takes("conversation", begin)
        takes("message", hear)
        takes("history", self._history)
        takes("delete", self._delete)
        return web

    # --- the files ---

    async def _root(self, request: Request) -> HTTPResponse | None:
        is_page = request.path == "/" and request.method in ("GET", "HEAD")
        return self._static(request) if is_page else None

    def _static(self, request: Request) -> HTTPResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        status, sent, body = self._page.respond(request.path, headers)
        return HTTPResponse(body if request.method == "GET" else b"", status, sent, sent.get("content-type"))

    # --- requests ---

    async def _received(
        self, request: Request, handle: Callable[[Request, dict[str, Any]], Awaitable[Reply]]
    ) -> HTTPResponse:
        """Check a request and answer it."""
        origin = request.headers.get("origin")
        allowed = self._page.allows(origin, request.host)
        headers = self._page.api_headers(origin, allowed)
        try:
            if not allowed:
                raise Refused(403, "other_site")
            wait = self._addresses.wait(request.remote_addr or request.ip)
            if wait:
                raise Refused(429, "too_many", wait)
            return json_response(await handle(request, await _body(request)), headers=headers)
        except Refused as refusal:
            if refusal.wait:
                headers["retry-after"] = str(int(refusal.wait) + 1)
            error = {"error": self._page.labels[str(refusal)], "why": str(refusal)}
            return json_response(error, refusal.status, headers)

    def _conversation(self, body: Mapping[str, Any]) -> str:
        """The conversation that a request is about."""
        sender = conversation_behind(body.get("id"), self._key)
        if sender is None:
            raise Refused(401, "unknown_id")
        if time.monotonic() - self._deleted.get(sender, -REMEMBERED) < REMEMBERED:
            raise Refused(410, "unknown_id")
        return sender

    # --- the conversation ---

    async def _hear(self, request: Request, body: dict[str, Any], on_new_message: OnNewMessage) -> Reply:
        """Answer a message; one that was sent before gets the answer it had."""
        sender = self._conversation(body)
        number, text = body.get("number"), body.get("message")
        if (
            not isinstance(text, str)
            or not isinstance(number, str)
            or not re.fullmatch(r"[\w-]{8,64}", number)
        ):
            raise Refused(400, "not_understood")
        if len(text) > MESSAGE_LIMIT:
            raise Refused(413, "too_long")
        known = self._replies.get((sender, number))
        if known is None:
            wait = self._conversations.wait(sender)
            if wait:
                raise Refused(429, "too_many", wait)
            task = asyncio.ensure_future(
                self._play(request.app, on_new_message, sender, text, number, bool(body.get("again")))
            )
            known = (time.monotonic(), task)
            _remember(self._replies, (sender, number), known, known[0])
            task.add_done_callback(lambda played: self._drop_broken((sender, number), played))
        # The turn goes on when the browser has gone.
        return await asyncio.shield(known[1])

    def _drop_broken(self, key: tuple[str, str], played: asyncio.Task[Reply]) -> None:
        """Keep no answer that broke: the same message may go well the next time."""
        if played.cancelled() or played.exception():
            self._replies.pop(key, None)

    async def _play(
        self, app: Sanic, on_new_message: OnNewMessage, sender: str, text: str, number: str, again: bool
    ) -> Reply:
        """Play one turn, unless it was played before the server was last started."""
        if again:
            heard = [told for told in await self._turns(app, sender) or () if told.number == number]
            if heard and heard[-1].messages:
                return self._reply(heard[-1].messages, heard[-1])
        output = Collected()
        deleted = False

        def delete() -> None:
            nonlocal deleted
            forget(app.ctx.agent.tracker_store, sender)
            deleted = True
            self._end(sender)

        message = UserMessage(
            self._reader.read(text), output, sender, input_channel=self.name(), message_id=number
        )
        await answer(on_new_message, message, self._safe_words, delete)
        if deleted:
            return {**self._reply(output.messages, None), "deleted": True}
        failed = output.messages[-1:] == [{"text": self._safe_words}]
        turns = await self._turns(app, sender)
        told = turns[-1] if turns and turns[-1].number == number else None
        # Nothing is stored of a turn that went well: the conversation began again with it.
        fresh = turns == [] and not failed
        return {**self._reply(output.messages, told), "failed": failed, "fresh": fresh}

    async def _history(self, request: Request, body: dict[str, Any]) -> Reply:
        """The conversation so far, for who holds its id."""
        sender = self._conversation(body)
        return {
            "turns": [
                {
                    "you": self._titles.shown(clean(told.text)),
                    "number": told.number,
                    **self._reply(told.messages, told),
                }
                for told in await self._turns(request.app, sender) or ()
            ]
        }

    async def _delete(self, request: Request, body: dict[str, Any]) -> Reply:
        """Forget a conversation, once a turn that goes on is over and stored."""
        sender = conversation_behind(body.get("id"), self._key)
        if sender is None:
            raise Refused(401, "unknown_id")
        agent = request.app.ctx.agent

        async def once_it_is_still() -> None:
            try:
                async with agent.lock_store.lock(sender, wait_time_in_seconds=0.1):
                    forget(agent.tracker_store, sender)
            except LockError:
                forget(agent.tracker_store, sender)

        self._end(sender)
        deletion = keep(once_it_is_still())
        await asyncio.shield(deletion)
        return {"deleted": True}

    def _end(self, sender: str) -> None:
        """Refuse what still comes for a conversation, and drop the answers that were kept."""
        now = time.monotonic()
        _remember(self._deleted, sender, now, now)
        for key in [key for key in self._replies if key[0] == sender]:
            del self._replies[key]

    async def _turns(self, app: Sanic, sender: str) -> list[Told] | None:
        """What is stored of a conversation; None where the store can't say."""
        try:
            tracker = await app.ctx.agent.tracker_store.latest_session(sender)
        except Exception as error:
            logger.warning("A conversation can't be read: %s", type(error).__name__)
            return None
        return turns_of(tracker.events) if tracker else []

    def _reply(self, messages: list[Message], told: Told | None) -> Reply:
        """What the page shows of a turn: the messages, and beside them what can be worked out."""
        said = [self._shown(message) for message in messages if message.get("text")]
        try:
            return {"messages": said, **self._beside(said, told)} if told else {"messages": said}
        except Exception as error:
            logger.error("A card can't be made: %s", type(error).__name__)
            return {"messages": said}

    def _beside(self, said: list[Message], told: Told) -> Reply:
        """The progress and the card. A message that the card says line by line is left to the card."""
        beside: Reply = {"told": self._cards.told(told.slots)}
        if told.slots.get("requested_slot"):
            beside["progress"] = self._cards.progress(told.slots)
        made = self._cards.card(told.actions, told.slots)
        if made is not None:
            beside["card"], says = made
            covered = [not m["buttons"] and says.issuperset(m["text"].splitlines()) for m in said]
            first = covered.index(True) if True in covered else 0
            beside["card"]["at"] = first  # nothing before it is left out
            beside["messages"] = [
                message for message, by_card in zip(said, covered, strict=True) if not by_card
            ]
        return beside

    def _shown(self, message: Message) -> Message:
        """A message as the page needs it."""
        buttons = [
            {"title": str(button.get("title") or ""), "payload": str(button.get("payload") or "")}
            for button in message.get("buttons") or ()
        ]
        question = self._cards.question(str(message.get("utter_action") or ""))
        return {"text": str(message["text"]), "buttons": buttons, "question": question}


async def _body(request: Request) -> dict[str, Any]:
    """The JSON object that was sent, if it is not too big."""
    try:
        if request.stream is not None:
            request.stream.request_max_size = BODY_LIMIT
            await request.receive_body()  # type: ignore[no-untyped-call]
        body = json.loads(request.body or b"{}")
    except PayloadTooLarge:
        raise Refused(413, "too_long") from None
    except (ValueError, RecursionError):
        raise Refused(400, "not_understood") from None
    if not isinstance(body, dict):
        raise Refused(400, "not_understood")
    return body


def _remember(kept: OrderedDict[Any, Any], key: Any, value: Any, now: float) -> None:
    """Keep something for REMEMBERED seconds, or until there is too much of it."""
    kept[key] = value
    for old, held in list(kept.items()):
        since = held[0] if isinstance(held, tuple) else held
        if len(kept) <= MOST_REMEMBERED and now - since < REMEMBERED:
            break
        del kept[old]
