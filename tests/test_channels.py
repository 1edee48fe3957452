"""The channels: every turn is answered in time, nothing odd reaches Rasa, and nothing said reaches a log."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
import yaml
from rasa.core.channels import channel as rasa_channel
from rasa.core.channels import console
from rasa.core.channels.channel import UserMessage
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.core.tracker_store import (
    AwaitableTrackerStore,
    FailSafeTrackerStore,
    InMemoryTrackerStore,
    SQLTrackerStore,
    TrackerStore,
)
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.exceptions import RasaException
from sanic import Sanic

from assistant.channels import turns
from assistant.channels.forgetting import forget
from assistant.channels.reading import NOTHING_SAID, TEXT_LIMIT, clean, reader_for
from assistant.channels.rest import BODY_LIMIT, RestChannel, ShellChannel
from assistant.channels.turns import DELETE, LAST_RESORT, read_domain, safe_words_of

ROOT = Path(__file__).parent.parent
SECRET = "my secret about the bleeding"
TOKEN = "open sésame"
DOMAIN = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
READER = reader_for(DOMAIN)
SAFE_WORDS = safe_words_of(DOMAIN)
SHELL = ShellChannel.from_credentials(None)
REST = RestChannel.from_credentials({"token": TOKEN})

Handler = Callable[[UserMessage], Awaitable[Any]]
_names = itertools.count()


@pytest.fixture(autouse=True)
def several_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sanic rewrites its own methods when it starts, and starts a second time only in its test mode."""
    monkeypatch.setattr(Sanic, "test_mode", True)


class Agent:
    """Stands in for Rasa's agent: takes each message and answers as told."""

    def __init__(self, handler: Handler, tracker_store: TrackerStore | None = None) -> None:
        self.handler = handler
        self.tracker_store = tracker_store
        self.texts: list[str] = []
        self.messages: list[UserMessage] = []

    async def handle_message(self, message: UserMessage) -> None:
        self.texts.append(message.text)
        self.messages.append(message)
        await self.handler(message)


class Client:
    """Talks to a channel over HTTP."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    async def post(
        self, body: Any, query: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self._session.post(
            self.url, data=data, params=query or {}, headers=headers or {}
        ) as response:
            return response.status, json.loads(await response.read())

    async def say(self, text: str | None) -> list[str]:
        """The texts that answer a message."""
        status, messages = await self.post({"sender": "s", "message": text})
        assert status == 200
        return [message["text"] for message in messages]

    async def stream(self, text: str) -> list[str]:
        """The same, as `rasa shell` asks for them."""
        body = {"sender": "s", "message": text}
        async with self._session.post(self.url, params={"stream": "true"}, json=body) as response:
            assert response.status == 200
            return [json.loads(line)["text"] async for line in response.content]


@asynccontextmanager
async def serving(
    handler: Handler, channel: Any = None, store: TrackerStore | None = None
) -> AsyncIterator[tuple[Client, Agent]]:
    """A server with a channel, by default the shell's, on a free port of loopback."""
    app = Sanic(f"channels{next(_names)}", configure_logging=False)
    app.ctx.agent = agent = Agent(handler, store)
    rasa_channel.register([channel or SHELL], app, "/webhooks/")
    listener = socket.create_server(("127.0.0.1", 0))
    server = await app.create_server(sock=listener, return_asyncio_server=True, access_log=False)
    assert server is not None
    await server.startup()
    port = listener.getsockname()[1]
    try:
        async with aiohttp.ClientSession() as session:
            yield Client(f"http://127.0.0.1:{port}/webhooks/rest/webhook", session), agent
    finally:
        server.close()
        await server.wait_closed()


async def send(message: UserMessage, **parts: Any) -> None:
    """Say something as Rasa does."""
    await message.output_channel.send_response(message.sender_id, {"text": None, **parts})


async def hello(message: UserMessage) -> None:
    await send(message, text="hello")
    await send(message, text="again", buttons=[{"title": "a", "payload": "/greet"}])


def as_sent(text: str) -> list[str]:
    """The texts in which Rasa's REST channel sends a text: paragraph by paragraph."""
    return text.strip().split("\n\n")


# ------------------------------------------------------------------ never silent, never late
async def nothing(_: UserMessage) -> None:
    """Say nothing."""


async def blank(message: UserMessage) -> None:
    await send(message, text="  ")


async def breaking(message: UserMessage) -> None:
    raise ValueError(SECRET)


async def breaking_late(message: UserMessage) -> None:
    await send(message, text="hello")
    raise ValueError(SECRET)


@pytest.mark.parametrize("handler", [nothing, blank, breaking])
@pytest.mark.parametrize("way", ["say", "stream"])
async def test_a_turn_without_words_is_answered(handler: Handler, way: str) -> None:
    async with serving(handler) as (client, _):
        assert [text for text in await getattr(client, way)(SECRET) if text] == as_sent(SAFE_WORDS)


@pytest.mark.parametrize("way", ["say", "stream"])
async def test_a_turn_that_breaks_after_words_is_answered_too(way: str) -> None:
    async with serving(breaking_late) as (client, _):
        assert await getattr(client, way)(SECRET) == ["hello", *as_sent(SAFE_WORDS)]


@pytest.mark.parametrize("way", ["say", "stream"])
async def test_a_good_turn_is_left_as_it_is(way: str) -> None:
    async with serving(hello) as (client, agent):
        assert await getattr(client, way)(SECRET) == ["hello", "again"]
        assert agent.texts == [SECRET]


@pytest.mark.parametrize("way", ["say", "stream"])
async def test_a_slow_turn_is_answered_and_goes_on(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "TURN_LIMIT", 0.2)
    ended = asyncio.Event()

    async def slow(message: UserMessage) -> None:
        await send(message, text="hello")
        await asyncio.sleep(0.5)
        await send(message, text="too late")
        ended.set()

    async with serving(slow) as (client, _):
        start = time.monotonic()
        assert await getattr(client, way)(SECRET) == ["hello", *as_sent(SAFE_WORDS)]
        assert time.monotonic() - start < 0.45
        await asyncio.wait_for(ended.wait(), 2)


def test_the_limit_keeps_the_promise_of_five_seconds() -> None:
    assert turns.TURN_LIMIT < 5


async def test_a_turn_outlives_the_one_who_asked() -> None:
    ended = asyncio.Event()

    async def slow(message: UserMessage) -> None:
        await asyncio.sleep(0.4)
        ended.set()

    async with serving(slow) as (client, _):
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.say("hi"), 0.1)
        await asyncio.wait_for(ended.wait(), 2)


@pytest.mark.parametrize("handler", [hello, nothing, breaking, breaking_late])
@pytest.mark.parametrize("way", ["say", "stream"])
async def test_no_log_has_what_was_written(
    handler: Handler, way: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with serving(handler) as (client, _):
            await getattr(client, way)(SECRET)
            await client.post({"sender": ["s"], "message": SECRET})
            await client.post(f'{{"message": "{SECRET}'.encode())
    if handler is breaking:
        assert "A turn broke: ValueError" in caplog.text
    assert SECRET not in caplog.text + "".join(capfd.readouterr())


async def test_words_for_a_channel_are_found_by_its_name() -> None:
    async with serving(hello) as (client, agent):
        await client.say("hi")
        (message,) = agent.messages
        assert (message.output_channel.name(), message.input_channel) == ("collector", "cmdline")


async def test_the_shell_of_rasa_is_answered() -> None:
    async with serving(hello) as (client, _):
        server = client.url.removesuffix("/webhooks/rest/webhook")
        streamed = [m async for m in console._send_message_receive_stream(server, "", "s", "hi")]
        assert [message["text"] for message in streamed] == ["hello", "again"]
        assert streamed[1]["buttons"] == [{"title": "a", "payload": "/greet"}]
        assert await console.send_message_receive_block(server, "", "s", "hi") == streamed


# ------------------------------------------------------------------ the safe words
def test_the_safe_words_come_from_the_domain() -> None:
    assert DOMAIN["responses"]["utter_safe_words"][0]["text"] == SAFE_WORDS


@pytest.mark.parametrize(
    "domain", [{}, {"responses": {}}, {"responses": {"utter_safe_words": []}}, {"responses": []}]
)
def test_there_are_words_without_a_domain(domain: dict[str, Any]) -> None:
    assert safe_words_of(domain) == LAST_RESORT


@pytest.mark.parametrize("words", [LAST_RESORT, SAFE_WORDS], ids=["last resort", "domain"])
def test_the_safe_words_have_what_matters(words: str) -> None:
    for part in ("112, 911 or 999", "panic", "24 hours", "doctor", "heavy", "diagnose"):
        assert part in words


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"{unclosed: [", b"a string"])
def test_a_domain_that_cannot_be_read_is_no_reason_to_break(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "domain.yml"
    if content is not None:
        path.write_bytes(content)
    assert read_domain(path) == {}
    assert reader_for({}).read("/greet") == NOTHING_SAID


# ------------------------------------------------------------------ who may write
@asynccontextmanager
async def rest(handler: Handler = hello) -> AsyncIterator[tuple[Client, Agent]]:
    """A server with the REST channel."""
    async with serving(handler, REST) as both:
        yield both


BODY = {"sender": "s", "message": "hi"}


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ({"token": TOKEN}, {}),
        ({}, {"Authorization": f"Bearer {TOKEN}"}),
        ({}, {"authorization": f"bearer  {TOKEN}"}),
        ({"token": TOKEN}, {"Authorization": "Basic eDp5"}),
    ],
)
async def test_the_token_opens(query: dict[str, str], headers: dict[str, str]) -> None:
    async with rest() as (client, agent):
        assert (await client.post(BODY, query, headers))[0] == 200
        assert agent.messages[0].input_channel == "rest"


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ({}, {}),
        ({"token": ""}, {}),
        ({"token": "wrong"}, {}),
        ({"token": TOKEN + "x"}, {}),
        ({"token": "\N{SNOWMAN}"}, {}),
        ({}, {"Authorization": "Bearer wrong"}),
        ({}, {"Authorization": f"Basic {TOKEN}"}),
        ({}, {"Authorization": "Bearer"}),
        ({}, {"Authorization": TOKEN}),
    ],
)
async def test_all_else_does_not(query: dict[str, str], headers: dict[str, str]) -> None:
    async with rest() as (client, agent):
        status, body = await client.post(BODY, query, headers)
        assert (status, list(body)) == (401, ["error"])
        assert agent.texts == []


async def test_an_odd_header_is_refused_in_peace() -> None:
    async with rest() as (client, _):
        host, port = client.url.split("/")[2].split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /webhooks/rest/webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\n")
        writer.write(b"Authorization: Bearer \xff\xfe\r\nContent-Length: 0\r\n\r\n")
        assert (await reader.readline()).split()[1] == b"401"
        writer.close()


@pytest.mark.parametrize("credentials", [None, {}, {"token": ""}, {"token": None}])
def test_there_is_no_rest_without_a_token(credentials: dict[str, Any] | None) -> None:
    with pytest.raises(RasaException):
        RestChannel.from_credentials(credentials)


# ------------------------------------------------------------------ what a request may be
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"{",
        b"\xff\xfe",
        b"[" * 20_000,
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        {"message": "hi"},
        {"sender": "s"},
        {"sender": None, "message": "hi"},
        {"sender": 7, "message": "hi"},
        {"sender": "", "message": "hi"},
        {"sender": "  ", "message": "hi"},
        {"sender": "a\0b", "message": "hi"},
        {"sender": "a\ud800", "message": "hi"},
        {"sender": "s" * 201, "message": "hi"},
        {"sender": "s", "message": 7},
        {"sender": "s", "message": False},
        {"sender": "s", "message": ["hi"]},
        {"sender": "s", "message": {"text": "hi"}},
    ],
    ids=lambda body: repr(body)[:40],
)
async def test_a_malformed_request_is_told_why(body: Any, capfd: pytest.CaptureFixture[str]) -> None:
    async with serving(hello) as (client, agent):
        status, answer = await client.post(body)
        assert (status, list(answer)) == (400, ["error"])
        assert answer["error"].endswith((".", "empty."))
        assert agent.texts == []
    assert "Traceback" not in "".join(capfd.readouterr())


async def test_a_request_that_is_too_big_is_not_read() -> None:
    async with serving(hello) as (client, agent):
        status, answer = await client.post({"sender": "s", "message": "x" * BODY_LIMIT})
        assert (status, list(answer)) == (413, ["error"])
        assert agent.texts == []


@pytest.mark.parametrize("text", ["", None, "   ", "\0\x01"])
async def test_an_empty_message_is_answered(text: str | None) -> None:
    async with serving(hello) as (client, agent):
        assert await client.say(text) == ["hello", "again"]
        assert agent.texts == [NOTHING_SAID]


async def test_nothing_else_of_a_request_is_kept() -> None:
    async with serving(hello) as (client, agent):
        await client.post({**BODY, "metadata": {"evil": 1}, "input_channel": "evil"})
        (message,) = agent.messages
        assert (message.metadata, message.input_channel) == (None, "cmdline")


async def test_what_reaches_rasa_was_cleaned() -> None:
    async with serving(hello) as (client, agent):
        await client.say('  //describe_spotting{"pain": "evil"}\0 ')
        await client.say('/describe_spotting {"pain": "none"}')
        assert agent.texts == [NOTHING_SAID, '/describe_spotting{"pain":"none"}']


# ------------------------------------------------------------------ what a text may be
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\0b", "ab"),
        ("a\x1b[31mb\x7f", "a[31mb"),
        ("a\r\nb\rc\vd\fe\x85f", "a\nb\nc\nd\ne\nf"),
        ("a\tb\nc", "a\tb\nc"),
        ("half \ud83d", "half "),
        (
            "whole \N{DROP OF BLOOD} \N{DEVANAGARI LETTER A}",
            "whole \N{DROP OF BLOOD} \N{DEVANAGARI LETTER A}",
        ),
        ("<b>{'a': 1}</b>", "<b>{'a': 1}</b>"),
    ],
)
def test_control_characters_go(text: str, expected: str) -> None:
    assert clean(text) == expected
    assert clean(expected) == expected


def test_a_long_text_is_cut_at_its_end() -> None:
    assert READER.read("I fainted. " + "x" * 20_000) == ("I fainted. " + "x" * 20_000)[:TEXT_LIMIT]


@pytest.mark.parametrize(
    "payload",
    [
        "/greet",
        "/restart",
        '/describe_spotting{"pain":"none"}',
        '/describe_spotting{"danger_signs":"fever"}',
        '/describe_spotting{"danger_signs":["fever","fainting"],"pain":"severe"}',
        '/describe_spotting{"pregnancy_weeks":12}',
        '/describe_spotting{"temperature":38.5}',
        '/ask_about_cause{"cause":"iud"}',
    ],
)
def test_a_payload_is_handed_on(payload: str) -> None:
    assert READER.read(payload) == payload


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("/greet {}", "/greet"),
        ("  /greet\n", "/greet"),
        ("/gre\0et", "/greet"),
        ('/describe_spotting {\n "pain": "none"\n}', '/describe_spotting{"pain":"none"}'),
    ],
)
def test_a_payload_is_spelt_as_buttons_do(payload: str, expected: str) -> None:
    assert READER.read(payload) == expected


def test_every_button_of_the_domain_is_handed_on() -> None:
    says = TemplatedNaturalLanguageGenerator(DOMAIN["responses"])
    said = [
        says.generate_from_slots(name, {"question_style": None}, "test") or {} for name in DOMAIN["responses"]
    ]
    payloads = [button["payload"] for message in said for button in message.get("buttons", ())]
    assert len(payloads) > 100
    assert list(map(READER.read, payloads)) == payloads


@pytest.mark.parametrize(
    "payload",
    [
        "/",
        "//greet",
        "/ /greet",
        "/\u2003/greet",
        "/no_such_intent",
        "/session_start",
        "/back",
        "/GREET",
        "/greet@0.2",
        "/greet{",
        "/greet{}x",
        '/greet{"pain"}',
        "/greet[1]",
        '/describe_spotting{"urgency":"self_care"}',
        '/describe_spotting{"requested_slot":"pain"}',
        '/describe_spotting{"no_such_slot":"x"}',
        '/describe_spotting{"pain":"no_such_value"}',
        '/describe_spotting{"pain":["none"]}',
        '/describe_spotting{"pain":null}',
        '/describe_spotting{"pain":true}',
        '/describe_spotting{"pain":{"value":"none"}}',
        '/describe_spotting{"danger_signs":["fever",1]}',
        '/describe_spotting{"danger_signs":[["fever"]]}',
        '/describe_spotting{"pain":"none","x":"y"}',
        '/describe_spotting{"pregnancy_weeks":"12"}',
        '/describe_spotting{"pregnancy_weeks":true}',
        '/describe_spotting{"pregnancy_weeks":-1}',
        '/describe_spotting{"pregnancy_weeks":NaN}',
        '/describe_spotting{"pregnancy_weeks":1e999}',
        '/ask_about_cause{"cause":"no_such_cause"}',
        '/greet{"a":' + "[" * 5000 + "}",
    ],
    ids=lambda payload: payload[:50],
)
def test_any_other_payload_says_nothing(payload: str) -> None:
    assert READER.read(payload) == NOTHING_SAID


@pytest.mark.parametrize("text", ["/I bleed a lot", "/greet and more", "// soaking pads, help"])
def test_words_after_a_slash_are_read(text: str) -> None:
    assert READER.read(text) == text.lstrip("/ ")


@pytest.mark.parametrize("text", ["", "   ", "\n", "\x00"])
def test_an_empty_message_says_nothing(text: str) -> None:
    assert READER.read(text) == NOTHING_SAID


# ------------------------------------------------------------------ deleting
RASA_DOMAIN = Domain.from_yaml("version: '3.1'\nintents: [greet]\n")
STORES: dict[str, Callable[[Path], TrackerStore]] = {
    "memory": lambda _: InMemoryTrackerStore(RASA_DOMAIN),
    "sql": lambda path: SQLTrackerStore(RASA_DOMAIN, db=str(path / "conversations.db")),
    "wrapped": lambda path: FailSafeTrackerStore(AwaitableTrackerStore(STORES["sql"](path))),
}


async def store_with(kind: str, path: Path) -> TrackerStore:
    """A store that holds two conversations."""
    store = STORES[kind](path)
    for sender in ("s", "other"):
        await store.save(told(sender))
    return store


def told(sender: str) -> DialogueStateTracker:
    """A conversation in which something was told."""
    events = [ActionExecuted("action_listen"), UserUttered(SECRET, {"name": "greet"})]
    return DialogueStateTracker.from_events(sender, events, domain=RASA_DOMAIN)


@pytest.mark.parametrize("kind", STORES)
async def test_a_conversation_is_forgotten(kind: str, tmp_path: Path) -> None:
    store = await store_with(kind, tmp_path)
    forget(store, "s")
    forget(store, "nobody")
    assert await store.retrieve_full_tracker("s") is None
    assert (await store.retrieve_full_tracker("other")) is not None


async def test_forgotten_words_are_not_left_in_the_file(tmp_path: Path) -> None:
    store = await store_with("sql", tmp_path)
    forget(store, "s")
    forget(store, "other")
    assert SECRET.encode() not in (tmp_path / "conversations.db").read_bytes()


async def test_what_was_kept_while_the_database_was_down_is_forgotten_too() -> None:
    class Broken(InMemoryTrackerStore):  # type: ignore[misc]
        async def save(self, _: DialogueStateTracker) -> None:
            raise OSError

    store = FailSafeTrackerStore(Broken(RASA_DOMAIN))
    await store.save(told("s"))
    assert list(store.fallback_tracker_store.store) == ["s"]
    forget(store, "s")
    assert list(store.fallback_tracker_store.store) == []


def test_a_store_that_cannot_forget_says_so() -> None:
    with pytest.raises(TypeError):
        forget(TrackerStore(RASA_DOMAIN), "s")


@pytest.mark.parametrize("way", ["say", "stream"])
async def test_a_turn_that_asks_for_it_deletes_when_all_is_stored(way: str, tmp_path: Path) -> None:
    store = FailSafeTrackerStore(STORES["sql"](tmp_path))

    async def deleting(message: UserMessage) -> None:
        await send(message, custom=DELETE)
        await send(message, text="forgotten")
        await store.save(told(message.sender_id))

    async with serving(deleting, store=store) as (client, _):
        assert await getattr(client, way)("delete") == ["forgotten"]
    assert await store.retrieve_full_tracker("s") is None


async def test_nothing_is_called_forgotten_that_is_not() -> None:
    async def deleting(message: UserMessage) -> None:
        await send(message, custom=DELETE)
        await send(message, text="forgotten")

    async with serving(deleting, store=SimpleNamespace()) as (client, _):  # type: ignore[arg-type]
        assert await client.say("delete") == as_sent(SAFE_WORDS)
