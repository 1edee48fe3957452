"""REST, for those who know the token, and the shell."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from rasa.core.channels.channel import CollectingOutputChannel, OutputChannel, UserMessage
from rasa.core.channels.rest import QueueOutputChannel, RestInput
from rasa.utils.endpoints import bool_arg
from sanic import Blueprint
from sanic.exceptions import PayloadTooLarge
from sanic.request import Request
from sanic.response import HTTPResponse
from sanic.response import json as json_response

from assistant.channels.forgetting import forget
from assistant.channels.reading import reader_for
from assistant.channels.turns import OnNewMessage, answer, keep, read_domain, safe_words_of
from assistant.tokens import sends_token

BODY_LIMIT = 64 * 1024
"""Bytes of a request; a text of TEXT_LIMIT fits in any script."""

SENDER_LIMIT = 200
"""Characters of a conversation's name; the tracker store's column holds 255."""


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
        if not sends_token(request, self._token):
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


async def json_of(request: Request, limit: int) -> dict[str, Any]:
    """The JSON object of a request that may have this many bytes."""
    try:
        if request.stream is not None:
            request.stream.request_max_size = limit
            await request.receive_body()  # type: ignore[no-untyped-call]
        body = json.loads(request.body)
    except PayloadTooLarge:
        raise Refused(413, f"This is too long. Please send at most {limit // 1024} kB.") from None
    except (ValueError, RecursionError):
        raise Refused(400, "This is not JSON. Please send an object.") from None
    if not isinstance(body, dict):
        raise Refused(400, "Please send a JSON object.")
    return body


async def received(request: Request) -> tuple[str, str]:
    """The conversation's name and the message of a request."""
    body = await json_of(request, BODY_LIMIT)
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
