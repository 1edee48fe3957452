"""Slack: private messages, the buttons in them, `/spotwise`, and a word to those who write in a channel."""

from __future__ import annotations

import json
import logging
import os
import re
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs

from rasa.core.channels.channel import InputChannel, UserMessage
from sanic import Blueprint
from sanic.exceptions import PayloadTooLarge
from sanic.request import Request
from sanic.response import HTTPResponse, empty
from sanic.response import json as json_response
from sanic.response import text as text_response
from slack_sdk.signature import SignatureVerifier

from assistant.channels.accounts import account_key, conversation_of
from assistant.channels.forgetting import forget
from assistant.channels.handled import Handled
from assistant.channels.order import InOrder
from assistant.channels.reading import reader_for
from assistant.channels.rest import Refused
from assistant.channels.slack_api import SLACK, Failed, Person, SlackApi, SlackOutput
from assistant.channels.slack_blocks import answered, escaped, section, written
from assistant.channels.turns import LAST_RESORT, OnNewMessage, answer, read_domain, safe_words_of

WRITTEN = {None, "file_share", "me_message", "thread_broadcast"}
"""Subtypes of messages that a person wrote. All others tell of edits, deletions, bots and the like."""

BODY_LIMIT = 256 * 1024
"""Bytes of a request. Slack sends a text twice, and six bytes for each letter that is not Latin."""

SHOW_TEXT = "SLACK_TEXT_IN_NOTIFICATIONS"
"""The environment variable that has notifications show the words. Screen readers read the same text."""

SHUTDOWN = 3.0
"""Seconds, twice, that the server waits for answers under way before it stops."""

WORDS = {
    "utter_notice": "Spotwise",
    "utter_chosen": "{choice}",
    "utter_only_text": LAST_RESORT,
    "utter_write_privately": LAST_RESORT,
    "utter_see_chat": LAST_RESORT,
}
"""What the channel itself says, and what to say where the domain file can't be read."""

USER = r"[UW][A-Z0-9]{2,30}"
TEAM = r"[TE][A-Z0-9]{2,30}"
DIRECT = r"D[A-Z0-9]{2,30}"
CHANNEL = r"[CDG][A-Z0-9]{2,30}"
TIMESTAMP = r"\d{1,12}\.\d{1,9}"
ANY = r"(?s).{1,200}"

logger = logging.getLogger(__name__)


class SlackChannel(InputChannel):  # type: ignore[misc]
    """Takes what Slack sends, if Slack signed it. Slack is answered at once, the person afterwards."""

    @classmethod
    def name(cls) -> str:
        """The name that is part of the address."""
        return "slack"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> SlackChannel:
        """Take the token and the secret from credentials.yml; there is no channel without both."""
        given = credentials or {}
        token, secret = (str(given.get(name) or "").strip() for name in ("bot_token", "signing_secret"))
        if not (token and secret):
            cls.raise_missing_credentials_exception()
        return cls(token, secret, os.environ.get("SLACK_API_URL") or SLACK, bool(os.environ.get(SHOW_TEXT)))

    def __init__(self, token: str, secret: str, api_url: str = SLACK, show_text: bool = False) -> None:
        """Write as the bot with this token, and believe what is signed with this secret.

        With `show_text`, notifications show what was said, else only that there is an answer.
        """
        self._show_text = show_text
        domain = read_domain()
        self._safe_words = safe_words_of(domain)
        self._words = {name: _words(domain, name, otherwise) for name, otherwise in WORDS.items()}
        self._reader = reader_for(domain)
        self._signed = SignatureVerifier(secret)
        self._api = SlackApi(token, api_url)
        self._handled = Handled(self.name())
        self._turns = InOrder()
        self._key = account_key()
        self._pressed: set[tuple[str, str, str]] = set()

    def blueprint(self, on_new_message: OnNewMessage) -> Blueprint:
        """The routes of the channel."""
        self._on_new_message = on_new_message
        webhook = Blueprint("custom_webhook_SlackChannel", __name__)

        @webhook.get("/")  # type: ignore[untyped-decorator, unused-ignore]
        async def health(_: Request) -> HTTPResponse:
            return json_response({"status": "ok"})

        @webhook.post("/webhook", stream=True)  # type: ignore[untyped-decorator, unused-ignore]
        async def receive(request: Request) -> HTTPResponse:
            try:
                return self._receive(request.app, await self._body(request), request.headers)
            except Refused as refusal:
                # What can't be read won't be any better when Slack sends it again.
                again = {} if refusal.status == 401 else {"X-Slack-No-Retry": "1"}
                return json_response({"error": str(refusal)}, refusal.status, headers=again)

        @webhook.listener("before_server_stop")  # type: ignore[untyped-decorator, unused-ignore]
        async def finish(*_: object) -> None:
            # Slack was told that what it sent is taken, and won't send it again.
            await self._turns.finish(SHUTDOWN)
            await self._api.close(SHUTDOWN)

        return webhook

    async def _body(self, request: Request) -> bytes:
        """The body of a request that Slack signed in the last five minutes."""
        try:
            if request.stream is not None:
                request.stream.request_max_size = BODY_LIMIT
                await request.receive_body()  # type: ignore[no-untyped-call]
        except PayloadTooLarge:
            raise Refused(413, f"This is too long. Please send at most {BODY_LIMIT // 1024} kB.") from None
        body: bytes = request.body
        timestamp, signature = (
            request.headers.get(f"X-Slack-{name}", "") for name in ("Request-Timestamp", "Signature")
        )
        try:
            signed = re.fullmatch(r"[0-9]{1,12}", timestamp) and self._signed.is_valid(
                body, timestamp, signature
            )
        except (ValueError, TypeError):  # a body or a signature of odd characters
            signed = False
        if not signed:
            raise Refused(401, "This is not signed by Slack, or it is older than five minutes.")
        return body

    def _receive(self, app: Any, body: bytes, headers: Any) -> HTTPResponse:
        """Take what Slack sent: an event, a press of a button or a command."""
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            if kind == "application/json":
                return self._event(app, _object(json.loads(body)))
            if kind != "application/x-www-form-urlencoded":
                raise Refused(400, "Please send JSON or a form, as Slack does.")
            fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=100, errors="strict")
            form = {name: values[0] for name, values in fields.items()}
            if "payload" in form:
                return self._press(app, _object(json.loads(form["payload"])))
        except (ValueError, RecursionError):
            raise Refused(400, "This can't be read.") from None
        if "command" in form:
            return self._command(app, form)
        if "ssl_check" in form:
            return empty(200)
        raise Refused(400, "This is neither a press of a button nor a command.")

    # --- the kinds of what Slack sends ---

    def _event(self, app: Any, body: dict[str, Any]) -> HTTPResponse:
        """Answer a message in private, and a mention with a word that only its author sees."""
        if body.get("type") == "url_verification":
            return text_response(_part(ANY, body, "challenge"))
        event = body.get("event")
        if body.get("type") != "event_callback" or not isinstance(event, dict):
            if body.get("type") == "app_rate_limited":
                logger.error("Slack holds events back, because there were too many.")
            return empty(200)
        subtype = event.get("subtype")
        if event.get("bot_id") or event.get("hidden") or not isinstance(subtype, (str, type(None))):
            return empty(200)
        if event.get("type") == "message" and event.get("channel_type") == "im" and subtype in WRITTEN:
            self._message(app, body, event, subtype)
        elif event.get("type") == "app_mention" and not str(event.get("channel")).startswith("D"):
            self._mention(app, body, event)
        return empty(200)

    def _message(self, app: Any, body: dict[str, Any], event: dict[str, Any], subtype: str | None) -> None:
        """Answer what a person wrote in private."""
        thread = event.get("thread_ts") if subtype != "thread_broadcast" else None
        person = Person(
            self._conversation(_part(TEAM, body, "team_id"), _part(USER, event, "user")),
            _part(DIRECT, event, "channel"),
            _part(TIMESTAMP, event, "thread_ts") if thread else None,
        )
        text = event.get("text") or ""
        if not isinstance(text, str):
            raise Refused(400, "The text of the message is none.")
        if self._is_new(app, _part(ANY, body, "event_id")):
            files = subtype == "file_share" or bool(event.get("files"))
            self._turns.then(person.conversation, self._answer(app, person, written(text), files))

    def _mention(self, app: Any, body: dict[str, Any], event: dict[str, Any]) -> None:
        """Ask for a message in private. What was written is not read."""
        user, channel = _part(USER, event, "user"), _part(CHANNEL, event, "channel")
        words = self._words["utter_write_privately"]
        if self._is_new(app, _part(ANY, body, "event_id")):
            self._api.send(
                f"{channel} {user}",
                "chat.postEphemeral",
                channel=channel,
                user=user,
                text=escaped(words),
                blocks=[section(words)],
            )

    def _press(self, app: Any, body: dict[str, Any]) -> HTTPResponse:
        """Take the press of a button as an answer, and show it in place of the buttons."""
        actions = body.get("actions")
        action = actions[0] if isinstance(actions, list) and actions else None
        if (
            body.get("type") != "block_actions"
            or not isinstance(action, dict)
            or action.get("type") != "button"
        ):
            return empty(200)
        channel = _part(CHANNEL, body, "channel", "id")
        if not re.fullmatch(DIRECT, channel):
            return empty(200)
        message = _object(body.get("message"))
        thread = _part(TIMESTAMP, message, "thread_ts") if message.get("thread_ts") else None
        team = _part(TEAM, body, "team", "id")
        person = Person(self._conversation(team, _part(USER, body, "user", "id")), channel, thread)
        ts, value = _part(TIMESTAMP, message, "ts"), _part(r"(?s).{1,2000}", action, "value")
        label = _part(r"(?s).{1,200}", action, "text", "text")
        press = (channel, ts, value)
        # Somebody may press twice before the buttons are gone.
        if self._is_new(app, _part(ANY, body, "trigger_id")) and press not in self._pressed:
            chosen = self._words["utter_chosen"].replace("{choice}", label)
            if blocks := answered(message.get("blocks"), chosen):
                self._output(person).show_answer(ts, blocks)
            self._pressed.add(press)
            task = self._turns.then(person.conversation, self._answer(app, person, value))
            task.add_done_callback(lambda _: self._pressed.discard(press))
        return empty(200)

    def _command(self, app: Any, form: dict[str, str]) -> HTTPResponse:
        """Begin in private where somebody types `/spotwise`, with what they wrote behind it."""
        user, team = _part(USER, form, "user_id"), _part(TEAM, form, "team_id")
        text = written(form.get("text", "")).strip() or "/greet"
        if self._is_new(app, _part(ANY, form, "trigger_id")):
            # Not in the order of the conversation: a message there must not wait for Slack.
            self._turns.then(f"{team} {user}", self._begin(app, team, user, text))
        return json_response({"response_type": "ephemeral", "text": escaped(self._words["utter_see_chat"])})

    # --- answering ---

    async def _begin(self, app: Any, team: str, user: str, text: str) -> None:
        """Open the conversation in private, and answer there."""
        try:
            opened = await self._api.call("conversations.open", {"users": user})
            channel = _part(DIRECT, opened, "channel", "id")
        except (Failed, Refused) as error:
            logger.error("Slack: no private message could be opened: %s", error)
            return
        person = Person(self._conversation(team, user), channel)
        self._turns.then(person.conversation, self._answer(app, person, text))

    async def _answer(self, app: Any, person: Person, text: str, files: bool = False) -> None:
        """Play a turn. Files are not looked at; what was written beside them is read."""
        output = self._output(person)
        if files:
            await output.send_text_message(person.conversation, self._words["utter_only_text"])
            if not text.strip():
                return
        message = UserMessage(self._reader.read(text), output, person.conversation, input_channel=self.name())
        await answer(
            self._on_new_message,
            message,
            self._safe_words,
            lambda: forget(app.ctx.agent.tracker_store, person.conversation),
        )

    def _output(self, person: Person) -> SlackOutput:
        return SlackOutput(self._api, person, "" if self._show_text else self._words["utter_notice"])

    def _conversation(self, team: str, user: str) -> str:
        """The name of the conversation with somebody; who it is can't be told from it."""
        return conversation_of(self.name(), f"{team}:{user}", self._key)

    def _is_new(self, app: Any, id: str) -> bool:
        """Whether this was not taken before. Slack's own id is not kept."""
        return self._handled.first_time(app.ctx.agent.tracker_store, sha256(id.encode()).hexdigest())


def _words(domain: dict[str, Any], name: str, otherwise: str) -> str:
    """The words of a response; others where the domain file can't be read."""
    try:
        return str(domain["responses"][name][0]["text"])
    except (KeyError, IndexError, TypeError):
        return otherwise


def _object(value: object) -> dict[str, Any]:
    """A JSON object. Refuses anything else."""
    if not isinstance(value, dict):
        raise Refused(400, "A part that has to be an object is none.")
    return value


def _part(pattern: str, value: object, *path: str) -> str:
    """A text deep in what Slack sent. Refuses what does not look as it has to."""
    for name in path:
        value = _object(value).get(name)
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise Refused(400, f"{'.'.join(path)} is missing or odd.")
    return value
