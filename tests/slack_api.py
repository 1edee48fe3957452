"""A stand-in for Slack: its Web API on loopback, as strict as the real one, and what people do on Slack.

`SlackStandIn` answers the assistant's calls and keeps what was posted. `Workspace` sends the assistant what
Slack would send, signed. Neither knows anything of the assistant's code.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import itertools
import json
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode

import requests

BOT_TOKEN = "xoxb-11111-of-the-tests"
SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TEAM = "T0TEAM0001"
APP = "A0APP00001"
BOT_USER = "U0BOT00001"
CHANNEL = "C0GENERAL1"
"""A public channel that the bot is in."""

# Which arguments each method that the stand-in has takes, those that it can't do without, and its scope.
METHODS: dict[str, tuple[set[str], set[str], str]] = {
    "chat.postMessage": (
        {"channel", "text", "blocks", "thread_ts", "unfurl_links", "unfurl_media", "mrkdwn"},
        {"channel", "text"},
        "chat:write",
    ),
    "chat.update": ({"channel", "ts", "text", "blocks"}, {"channel", "ts", "text"}, "chat:write"),
    "chat.postEphemeral": (
        {"channel", "user", "text", "blocks", "thread_ts"},
        {"channel", "user", "text"},
        "chat:write",
    ),
    "conversations.open": ({"users", "channel", "return_im"}, {"users"}, "im:write"),
}

EVENT_SCOPES = {"message.im": "im:history", "app_mention": "app_mentions:read"}


Fault = Callable[[BaseHTTPRequestHandler], None]


class Mistake(Exception):
    """A call that Slack refuses, by its word for why."""


# --- what Slack checks ---


def check_blocks(blocks: object) -> None:
    """Refuse blocks that Slack would refuse, and mentions."""
    if isinstance(blocks, str):
        try:
            blocks = json.loads(blocks)
        except ValueError:
            raise Mistake("invalid_blocks_format") from None
    if not isinstance(blocks, list):
        raise Mistake("invalid_blocks_format")
    check(1 <= len(blocks) <= 50, "1 to 50 blocks")
    ids: list[str] = []
    actions: list[str] = []
    for block in blocks:
        check(isinstance(block, dict), "a block is an object")
        ids += [block["block_id"]] if "block_id" in block else []
        if block.get("type") == "section":
            check(set(block) <= {"type", "text", "block_id", "expand"}, "fields of a section")
            check_text(block.get("text"), 3000)
        elif block.get("type") == "actions":
            check(set(block) <= {"type", "elements", "block_id"}, "fields of actions")
            elements = block.get("elements")
            check(isinstance(elements, list) and 1 <= len(elements) <= 25, "1 to 25 elements")
            actions += [check_button(element) for element in elements]
        else:
            raise Mistake(f"invalid_blocks: type {block.get('type')}")
    check(len(set(ids)) == len(ids) and all(len(i) <= 255 for i in ids), "unique block_id")
    check(len(set(actions)) == len(actions), "unique action_id")
    # Slack does not tell this limit; messages of 13,200 characters are known to have been refused.
    check(len(json.dumps(blocks, ensure_ascii=False)) <= 13_000, "msg_blocks_too_long")


def check_button(button: Any) -> str:
    """Refuse a button that Slack would refuse; gives its action_id."""
    check(isinstance(button, dict) and button.get("type") == "button", "only buttons")
    check(set(button) <= {"type", "text", "action_id", "value", "style"}, "fields of a button")
    check_text(button.get("text"), 75, kinds=("plain_text",))
    check(isinstance(button.get("value"), str) and 1 <= len(button["value"]) <= 2000, "value of a button")
    check(isinstance(button.get("action_id"), str) and 1 <= len(button["action_id"]) <= 255, "action_id")
    return str(button["action_id"])


def check_text(text: Any, most: int, kinds: tuple[str, ...] = ("plain_text", "mrkdwn")) -> None:
    """Refuse a text object that Slack would refuse."""
    check(isinstance(text, dict) and text.get("type") in kinds, "type of a text")
    allowed = {"type", "text", "emoji"} if text["type"] == "plain_text" else {"type", "text", "verbatim"}
    check(set(text) <= allowed, "fields of a text")
    check(isinstance(text.get("text"), str) and 1 <= len(text["text"]) <= most, "length of a text")
    if text["type"] == "mrkdwn":
        check_markup(text["text"])


def check_markup(text: str) -> None:
    """Refuse a mention, a half-open sign or a lone ampersand: Slack would show something else."""
    without_links = re.sub(r"<https?://[^<>|\s]+>", "", text)
    check(not re.search(r"[<>]|&(?!amp;|lt;|gt;)", without_links), "escaped text")


def check(holds: object, what: str) -> None:
    """Refuse where something does not hold."""
    if not holds:
        raise Mistake(f"invalid_blocks: {what}")


# --- the Web API ---


@dataclass
class Message:
    """A message that is shown somewhere."""

    channel: str
    ts: str
    text: str
    blocks: list[dict[str, Any]]
    thread: str | None = None
    only_for: str | None = None

    @property
    def shown(self) -> str:
        """The words in it, as a person reads them."""
        texts = [block["text"]["text"] for block in self.blocks if block["type"] == "section"]
        joined = "\n".join(texts or [self.text])
        joined = re.sub(r"<(https?://[^<>|\s]+)>", r"\1", joined)
        return joined.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

    @property
    def buttons(self) -> list[dict[str, Any]]:
        """The buttons in it."""
        return [e for block in self.blocks if block["type"] == "actions" for e in block["elements"]]


@dataclass
class SlackStandIn:
    """Slack's Web API at `url`. What is posted is in `messages`, what was refused in `mistakes`."""

    port: int = 0
    messages: list[Message] = field(default_factory=list)
    calls: list[tuple[float, str, str]] = field(default_factory=list)
    """When, which method, and for which channel or user."""
    mistakes: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """What was refused, for each channel or user."""
    faults: dict[str, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    """What the next calls for a channel or user are answered with instead; each is used once."""
    down: bool = False
    held: dict[str, threading.Event] = field(default_factory=dict)
    """Channels whose calls wait until their event is set."""
    unknown_channels: set[str] = field(default_factory=set)
    arrived: threading.Condition = field(default_factory=threading.Condition)
    _opened: dict[str, str] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def url(self) -> str:
        """The address for SLACK_API_URL."""
        return f"http://127.0.0.1:{self.port}/api/"

    def direct(self, user: str) -> str:
        """The channel of the private messages with somebody."""
        return self._opened.setdefault(user, "D0" + user[2:])

    def of(self, channel: str) -> list[Message]:
        """What is shown in a channel."""
        return [message for message in self.messages if message.channel == channel]

    def wait(self, holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
        """Wait until something holds, looking again at each call that arrives."""
        end = time.monotonic() + seconds
        with self.arrived:
            while not holds():
                left = end - time.monotonic()
                assert left > 0, f"no {what} within {seconds} s; refused: {dict(self.mistakes)}"
                self.arrived.wait(min(left, 0.2))

    # what the assistant may call

    def answer(self, method: str, given: dict[str, Any], token: str) -> dict[str, Any]:
        """Do what a call asks for, or say why not."""
        if token != BOT_TOKEN:
            raise Mistake("invalid_auth" if token else "not_authed")
        if method not in METHODS:
            raise Mistake("unknown_method")
        known, needed, _ = METHODS[method]
        if set(given) - known:
            raise Mistake(f"invalid_arg_name: {sorted(set(given) - known)}")
        for name in sorted(needed):
            if not given.get(name):
                raise Mistake("no_text" if name == "text" else f"invalid_arguments: no {name}")
        if method == "conversations.open":
            if not re.fullmatch(r"[UW][A-Z0-9]+", str(given["users"])):
                raise Mistake("user_not_found")
            return {"channel": {"id": self.direct(str(given["users"]))}}
        return self._show(method, given)

    def _show(self, method: str, given: dict[str, Any]) -> dict[str, Any]:
        channel = str(given["channel"])
        if channel not in {CHANNEL, *self._opened.values()} or channel in self.unknown_channels:
            raise Mistake("channel_not_found")
        if len(given["text"]) > 4000:
            raise Mistake("msg_too_long")
        check_markup(given["text"])
        blocks = given.get("blocks") or []
        if blocks:
            try:
                check_blocks(blocks)
            except (TypeError, AttributeError, KeyError):
                raise Mistake("invalid_blocks: odd") from None
        if isinstance(blocks, str):
            blocks = json.loads(blocks)
        blocks = [{"block_id": f"b{next(self._numbers)}", **block} for block in blocks]
        if method == "chat.update":
            for message in self.of(channel):
                if message.ts == given["ts"] and not message.only_for:
                    message.text, message.blocks = given["text"], blocks
                    return {"channel": channel, "ts": message.ts, "text": message.text}
            raise Mistake("message_not_found")
        only_for = str(given["user"]) if method == "chat.postEphemeral" else None
        ts = f"{int(time.time())}.{next(self._numbers):06}"
        self.messages.append(Message(channel, ts, given["text"], blocks, given.get("thread_ts"), only_for))
        return {"channel": channel, "ts": ts, "message": {"text": given["text"], "blocks": blocks, "ts": ts}}


@contextlib.contextmanager
def slack() -> Iterator[SlackStandIn]:
    """A stand-in that runs on a free port."""
    stand_in = SlackStandIn()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if stand_in.down:
                self.close_connection = True
                return
            kind = self.headers.get("content-type", "").partition(";")[0]
            given = (
                json.loads(body or b"{}") if kind == "application/json" else dict(parse_qsl(body.decode()))
            )
            method = self.path.removeprefix("/api/")
            whose = str(given.get("channel") or given.get("users"))
            with stand_in.arrived:
                stand_in.calls.append((time.monotonic(), method, whose))
                faults = stand_in.faults[whose]
                fault = faults.pop(0) if faults else None
                stand_in.arrived.notify_all()
            if whose in stand_in.held:
                stand_in.held[whose].wait(60)
            if fault:
                fault(self)
                return
            token = self.headers.get("authorization", "").removeprefix("Bearer ")
            with stand_in.arrived:
                try:
                    result = {"ok": True, **stand_in.answer(method, given, token)}
                except Mistake as mistake:
                    stand_in.mistakes[whose].append(f"{method}: {mistake}")
                    result = {"ok": False, "error": str(mistake).partition(":")[0]}
                stand_in.arrived.notify_all()
            reply(self, 200, json.dumps(result).encode())

        def log_message(self, *_: Any) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stand_in.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield stand_in
    finally:
        for event in stand_in.held.values():
            event.set()
        server.shutdown()
        thread.join()
        server.server_close()


def reply(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    """Answer a call."""
    handler.send_response(status)
    for name, value in {"content_type": "application/json; charset=utf-8", **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    with contextlib.suppress(OSError):
        handler.wfile.write(body)


def limited(seconds: int) -> Fault:
    """Too many calls: try again after so many seconds."""
    body = b'{"ok": false, "error": "ratelimited"}'
    return lambda handler: reply(handler, 429, body, retry_after=str(seconds))


def broken(status: int, body: bytes, kind: str = "text/html") -> Fault:
    """An answer that is not what was asked for."""
    return lambda handler: reply(handler, status, body, content_type=kind)


# --- what Slack sends ---


def signed(body: bytes, secret: str = SIGNING_SECRET, at: float | None = None) -> dict[str, str]:
    """The headers with which Slack signs a body."""
    timestamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


class Workspace:
    """Sends an assistant what Slack would send."""

    def __init__(self, assistant_url: str) -> None:
        """Send to this assistant."""
        self.url = f"{assistant_url}/webhooks/slack/webhook"
        self._session = requests.Session()
        self._session.trust_env = False

    def post(self, body: bytes, headers: dict[str, str]) -> requests.Response:
        """Send anything."""
        return self._session.post(self.url, data=body, headers=headers, timeout=30)

    def send_json(self, value: Any, **headers: str) -> requests.Response:
        """Send an event as Slack does."""
        body = json.dumps(value).encode()
        kind = {"Content-Type": "application/json"}
        return self.post(
            body, {**kind, **signed(body), **{k.replace("_", "-"): v for k, v in headers.items()}}
        )

    def send_form(self, form: dict[str, str]) -> requests.Response:
        """Send a form as Slack does."""
        body = urlencode(form).encode()
        return self.post(body, {"Content-Type": "application/x-www-form-urlencoded", **signed(body)})


_ids = itertools.count(1)


def escaped(text: str) -> str:
    """A text as Slack sends it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def new_id(start: str) -> str:
    """An id that was not used before, in any run."""
    return f"{start}{time.time_ns():X}{next(_ids)}"


def event_of(event: dict[str, Any]) -> dict[str, Any]:
    """What Slack sends around an event."""
    return {
        "token": "one-long-verification-token",
        "team_id": TEAM,
        "context_team_id": TEAM,
        "context_enterprise_id": None,
        "api_app_id": APP,
        "event": event,
        "type": "event_callback",
        "event_id": new_id("Ev"),
        "event_time": int(time.time()),
        "authorizations": [
            {"enterprise_id": None, "team_id": TEAM, "user_id": BOT_USER, "is_bot": True},
        ],
        "is_ext_shared_channel": False,
        "event_context": "4-eyJldCI6Im1lc3NhZ2UifQ",
    }


def message_of(user: str, channel: str, text: str, /, **more: Any) -> dict[str, Any]:
    """A private message."""
    ts = f"{time.time():.6f}"
    rich = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return event_of(
        {
            "client_msg_id": "0b1b4c1e-6a1f-4f4c-9d2d-5a1b6c7d8e9f",
            "type": "message",
            "text": escaped(text),
            "user": user,
            "ts": ts,
            "blocks": [{"type": "rich_text", "block_id": "x1y2", "elements": [rich]}],
            "team": TEAM,
            "channel": channel,
            "event_ts": ts,
            "channel_type": "im",
            **more,
        }
    )


def mention_of(user: str, text: str, channel: str = CHANNEL) -> dict[str, Any]:
    """A message in a channel that names the bot."""
    ts = f"{time.time():.6f}"
    return event_of(
        {
            "type": "app_mention",
            "user": user,
            "text": f"<@{BOT_USER}> {escaped(text)}",
            "ts": ts,
            "team": TEAM,
            "channel": channel,
            "event_ts": ts,
        }
    )


def press_of(user: str, message: Message, button: dict[str, Any]) -> dict[str, Any]:
    """The press of a button."""
    return {
        "type": "block_actions",
        "user": {"id": user, "username": "sam", "name": "sam", "team_id": TEAM},
        "api_app_id": APP,
        "token": "one-long-verification-token",
        "container": {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": message.channel,
            "is_ephemeral": False,
        },
        "trigger_id": f"{next(_ids)}.{time.time_ns()}.abcdef",
        "team": {"id": TEAM, "domain": "tests"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": message.channel, "name": "directmessage"},
        "message": {
            "user": BOT_USER,
            "type": "message",
            "ts": message.ts,
            "bot_id": "B0BOT00001",
            "app_id": APP,
            "text": message.text,
            "team": TEAM,
            "blocks": message.blocks,
            **({"thread_ts": message.thread} if message.thread else {}),
        },
        "state": {"values": {}},
        "response_url": "https://hooks.slack.com/actions/T0TEAM0001/1/abc",
        "actions": [
            {**button, "block_id": "b1", "action_ts": f"{time.time():.6f}"},
        ],
    }


def command_of(user: str, text: str = "", channel: str = CHANNEL) -> dict[str, str]:
    """The command /spotwise."""
    return {
        "token": "one-long-verification-token",
        "team_id": TEAM,
        "team_domain": "tests",
        "channel_id": channel,
        "channel_name": "general",
        "user_id": user,
        "user_name": "sam",
        "command": "/spotwise",
        "text": escaped(text),
        "api_app_id": APP,
        "is_enterprise_install": "false",
        "response_url": "https://hooks.slack.com/commands/T0TEAM0001/1/abc",
        "trigger_id": f"{next(_ids)}.{time.time_ns()}.abcdef",
    }
