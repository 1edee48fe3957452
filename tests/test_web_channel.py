"""The web channel over HTTP: who may write, how often, what is sent twice, and what is given back."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import requests
import yaml
from conftest import Web
from rasa.core.channels import channel as rasa_channel
from rasa.core.channels.channel import UserMessage
from rasa.core.lock_store import InMemoryLockStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from sanic import Sanic
from web import call

from assistant.channels.limits import Buckets
from assistant.channels.passes import conversation_behind, issue
from assistant.channels.turns import safe_words_of
from assistant.channels.web import BODY_LIMIT, Refused, WebChannel
from assistant.holding import Holding, listening
from assistant.tracker_store import Store
from assistant.webpage import EXIT_TO, MESSAGE_LIMIT, PHONES, WebPage, read

ROOT = Path(__file__).parent.parent
DOMAIN = read(ROOT / "domain.yml")
SAFE_WORDS = safe_words_of(DOMAIN)
MARKER = "xylophonic"
LEVELS: dict[str, dict[str, Any]] = {
    "emergency": {"danger_signs": ["soaking_pads", "fainting"]},
    "same_day": {"medical_history": "blood_thinner"},
    "soon": {"episode_count": "three_or_more"},
    "routine": {},
    "self_care": {"circumstances": "little_lubrication"},
}
HARMLESS = {
    "danger_signs": "none",
    "pregnancy": "no",
    "bleeding_amount": "spotting",
    "bleeding_status": "stopped",
    "pain": "none",
    "consent": "wanted",
    "age_group": "25_39",
    "periods": "menstruating",
    "episode_count": "first_time",
    "symptoms": "none",
    "contraception": "condoms",
    "medical_history": "none",
    "circumstances": "none",
}
_numbers = itertools.count()


def number() -> str:
    """A number for a message."""
    return f"message-{next(_numbers):08}"


def pass_for(web: Web) -> str:
    """A new id."""
    response = call(web.url, "conversation")
    assert response.status_code == 200
    return str(response.json()["id"])


def say(web: Web, id: str, text: str, **more: Any) -> dict[str, Any]:
    """Send a message; what the page gets."""
    response = call(web.url, "message", {"id": id, "number": number(), "message": text, **more})
    assert response.status_code == 200, response.text
    reply: dict[str, Any] = response.json()
    return reply


def texts(reply: dict[str, Any]) -> str:
    """All that a reply says in messages."""
    return "\n".join(message["text"] for message in reply["messages"])


# ------------------------------------------------------------------ who may write
def test_an_id_is_given_out_and_only_such_a_one_is_taken(web: Web) -> None:
    id = pass_for(web)
    assert len(id) > 60 and pass_for(web) != id
    secret, _, signature = id.partition(".")
    forged = [
        None, "", "me", 7, [], {"id": id}, secret, f"{secret}.", f".{signature}", f"{secret}x.{signature}",
        f"{secret}.{signature[::-1]}", f"{secret}.{signature}0", id + "\n", id * 5, issue(b"another key"),
        "\N{SNOWMAN}.\N{SNOWMAN}", "\ud800.x",
    ]  # fmt: skip
    for wrong in forged:
        for path, body in (
            ("message", {"number": number(), "message": "hi"}),
            ("history", {}),
            ("delete", {}),
        ):
            response = call(web.url, path, {"id": wrong, **body})
            assert (response.status_code, response.json()["why"]) == (401, "unknown_id"), wrong
    assert say(web, id, "hello")["messages"]


def test_another_server_with_the_same_key_knows_the_id() -> None:
    id = issue(b"key")
    assert conversation_behind(id, b"key") == conversation_behind(id, b"key")
    assert conversation_behind(id, b"other") is None
    assert id.partition(".")[0] not in str(conversation_behind(id, b"key"))


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "file://", "x"])
def test_other_origins_are_refused(web: Web, origin: str) -> None:
    for path in ("conversation", "message", "history", "delete"):
        response = call(web.url, path, {}, Origin=origin)
        assert (response.status_code, response.json()["why"]) == (403, "other_site")
        assert "access-control-allow-origin" not in response.headers


def test_the_own_origin_and_listed_ones_are_allowed(web: Web) -> None:
    own = call(web.url, "conversation", {}, Origin=web.url)
    assert own.status_code == 200 and "access-control-allow-origin" not in own.headers
    listed = call(web.url, "conversation", {}, Origin=web.clinic)
    assert listed.status_code == 200 and "Origin" in listed.headers["vary"]
    assert listed.headers["access-control-allow-origin"] == web.clinic


@pytest.mark.parametrize("origins", ["https://a.example/path", "a.example", "*", "javascript:x", "https://"])
def test_origins_that_cannot_be_right_are_told(origins: str) -> None:
    with pytest.raises(ValueError, match="WEB_ORIGINS"):
        WebPage({}, origins)


def test_an_exit_that_is_no_page_is_told() -> None:
    with pytest.raises(ValueError, match="exit_to"):
        WebPage({"exit_to": "javascript:alert(1)"})


# ------------------------------------------------------------------ what a request may be
@pytest.mark.parametrize(
    "body",
    [b"hello", b"{", b"\xff\xfe", b"[]", b"null", b'"text"', b"[" * 10_000, {}, {"message": "hi"},
     {"number": "12345678"}, {"number": 12345678, "message": "hi"}, {"number": "12345678", "message": None},
     {"number": "12345678", "message": {"text": "hi"}}, {"number": "x", "message": "hi"},
     {"number": "../../../etc", "message": "hi"}, {"number": "x" * 65, "message": "hi"}],
    ids=lambda body: repr(body)[:40],
)  # fmt: skip
def test_a_malformed_message_is_refused_with_kind_words(web: Web, body: Any) -> None:
    if isinstance(body, dict):
        body = {"id": pass_for(web), **body}
    response = call(web.url, "message", body)
    assert response.status_code == 400
    assert response.json()["error"].startswith("Something went wrong with this message")


def test_a_long_message_fits_in_any_script_and_a_longer_one_is_refused(web: Web) -> None:
    id = pass_for(web)
    assert say(web, id, "\N{DEVANAGARI LETTER A}" * MESSAGE_LIMIT)["messages"]
    for text in ("x" * (MESSAGE_LIMIT + 1), "x" * BODY_LIMIT * 2):
        response = call(web.url, "message", {"id": id, "number": number(), "message": text})
        assert (response.status_code, response.json()["why"]) == (413, "too_long")
        assert "Nothing is lost" in response.json()["error"]


def test_a_forged_button_says_nothing(web: Web) -> None:
    id = pass_for(web)
    say(web, id, '/describe_spotting{"urgency":"self_care"}')
    turns = call(web.url, "history", {"id": id}).json()["turns"]
    assert "card" not in turns[-1] and "progress" not in turns[-1]


# ------------------------------------------------------------------ sent twice
def test_a_message_that_is_sent_again_is_answered_the_same_and_heard_once(web: Web) -> None:
    id = pass_for(web)
    body = {"id": id, "number": number(), "message": "I bleed after sex"}
    first, second = (call(web.url, "message", body).json() for _ in range(2))
    assert first == second
    assert len(call(web.url, "history", {"id": id}).json()["turns"]) == 1


def test_a_number_of_one_conversation_says_nothing_in_another(web: Web) -> None:
    body = {"number": number(), "message": "I fainted"}
    one, other = (call(web.url, "message", {"id": pass_for(web), **body}).json() for _ in range(2))
    assert one["card"] == other["card"]


# ------------------------------------------------------------------ history
def test_the_history_shows_what_was_tapped_as_words(web: Web) -> None:
    id = pass_for(web)
    for text in (
        "I bleed after sex",
        '/describe_spotting{"danger_signs":"none"}',
        '/describe_spotting{"symptoms":["dryness","pain_during_sex"]}',
        '/correct_answer{"symptoms":["dryness"]}',
        "/dont_know",
        '/ask_about_cause{"cause":"iud"}',
        "</span><b>",
    ):
        say(web, id, text)
    shown = [turn["you"] for turn in call(web.url, "history", {"id": id}).json()["turns"]]
    assert shown == [
        "I bleed after sex",
        "None of these",
        "Dryness, Sex hurts",
        "Dryness",
        "Not sure",
        "Bleeding linked to a coil",
        "</span><b>",
    ]


def test_starting_again_begins_a_new_history(web: Web) -> None:
    id = pass_for(web)
    say(web, id, "I bleed after sex")
    reply = say(web, id, "/restart")
    assert "we start fresh" in texts(reply) and reply["fresh"]
    assert call(web.url, "history", {"id": id}).json()["turns"] == []
    assert not say(web, id, "I bleed after sex")["fresh"]


# ------------------------------------------------------------------ deleting
def test_what_is_deleted_is_gone_and_the_id_with_it(web: Web) -> None:
    id = pass_for(web)
    say(web, id, f"I bleed after sex {MARKER}")
    assert call(web.url, "delete", {"id": id}).json() == {"deleted": True}
    assert call(web.url, "delete", {"id": id}).status_code == 200
    for path, body in (("message", {"number": number(), "message": "hi"}), ("history", {})):
        assert call(web.url, path, {"id": id, **body}).status_code == 410
    for file in (web.folder / "var").rglob("*"):
        if file.is_file():
            assert MARKER.encode() not in file.read_bytes(), file.name


def test_deleting_waits_for_a_turn_that_goes_on(web: Web) -> None:
    id = pass_for(web)
    sender = conversation_behind(id, (web.folder / "var" / "account.key").read_bytes())
    body = {"id": id, "number": number(), "message": "I fainted in the kitchen"}

    async def both() -> None:
        async with aiohttp.ClientSession() as session:
            address = f"{web.url}/webhooks/web"
            message = asyncio.ensure_future(session.post(f"{address}/message", data=json.dumps(body)))
            await asyncio.sleep(0.02)
            await session.post(f"{address}/delete", data=json.dumps({"id": id}))
            await message

    asyncio.run(both())
    assert "kitchen" not in json.dumps(web.assistant.tracker(str(sender))["events"])


def test_nothing_that_was_written_is_in_the_log(web: Web) -> None:
    id = pass_for(web)
    say(web, id, f"I bleed after sex {MARKER}")
    call(web.url, "message", f'{{"id": "{id}", "message": "{MARKER}'.encode())
    call(web.url, "message", {"id": f"{MARKER}.x", "number": number(), "message": MARKER})
    assert MARKER not in web.assistant.log() and id not in web.assistant.log()
    assert web.assistant.complaints() == []


# ------------------------------------------------------------------ the card
def lines_of(part: Any) -> set[str]:
    """Every line of text in a reply."""
    if isinstance(part, str):
        return set(part.splitlines())
    parts = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return {line for inner in parts for line in lines_of(inner)}


@pytest.mark.parametrize("level", LEVELS)
def test_the_card_and_the_messages_say_all_that_the_assistant_says(web: Web, level: str) -> None:
    id = pass_for(web)
    answers = {**HARMLESS, **LEVELS[level]}.items()
    told = [f"/describe_spotting{json.dumps({slot: value})}" for slot, value in answers]
    said: list[dict[str, Any]] = []
    reply: dict[str, Any] = {}
    for text in ["I bleed after sex", *told]:
        if "card" in reply:
            break
        said, _ = web.assistant.say(id, text)
        reply = say(web, id, text)
    card = reply["card"]
    assert card["level"] == level
    shown = lines_of(reply)
    for line in "\n".join(message.get("text") or "" for message in said).splitlines():
        fits = line.startswith(("This can fit with", "Less likely")) or line.startswith("- ")
        named = [cause for cause in card["causes"] if cause["name"] in line]
        told_by_card = fits and (
            line.endswith(":")
            or any(cause["what"] in line or line == f"- {cause['name']}" for cause in named)
        )
        assert line in shown or told_by_card, line
    assert [message["text"].split("\n")[0] for message in reply["messages"]] == (
        [] if level == "emergency" else ["What would help you next?"]
    )
    assert card["note"][0].startswith("For a doctor or nurse")
    for cause in card["causes"]:
        assert 1 <= cause["fit"] <= 5 and cause["what"].endswith(".")
    likely = [cause["fit"] for cause in card["causes"] if cause["likely"]]
    assert likely == sorted(likely, reverse=True)


def test_what_the_card_does_not_say_is_said_beside_it(web: Web) -> None:
    reply = say(web, pass_for(web), "I was raped and I am bleeding so much that I fainted")
    assert reply["card"]["level"] == "emergency"
    assert "What happened is not your fault." in texts(reply)


def test_thoughts_of_self_harm_get_their_own_words_and_no_card(web: Web) -> None:
    reply = say(web, pass_for(web), "I bleed after sex and I want to kill myself")
    assert "988" in texts(reply) and "card" not in reply


def test_a_question_comes_with_its_progress(web: Web) -> None:
    id = pass_for(web)
    reply = say(web, id, "I bleed after sex")
    assert reply["progress"] == {"answered": 0, "total": 13}
    question = reply["messages"][-1]["question"]
    assert question == {
        "slot": "danger_signs",
        "many": True,
        "/dont_know": "unsure",
        "/skip_question": "unsure",
    }
    assert say(web, id, '/describe_spotting{"danger_signs":"none"}')["progress"]["answered"] == 1
    assert say(web, id, "what can cause it?")["progress"]["answered"] == 1


# ------------------------------------------------------------------ the files
def test_the_files_come_with_their_headers(web: Web) -> None:
    page = requests.get(web.url, timeout=10)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for name, value in {
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
        "content-encoding": "gzip",
    }.items():
        assert page.headers[name] == value
    assert f"frame-ancestors 'self' {web.clinic}" in page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in WebPage({}).files["/"].headers["content-security-policy"]
    assert "camera=()" in page.headers["permissions-policy"]
    assert "set-cookie" not in page.headers
    script = requests.get(f"{web.url}/spotwise-chat.js", headers={"accept-encoding": ""}, timeout=10)
    assert "content-encoding" not in script.headers
    again = requests.get(
        f"{web.url}/spotwise-chat.js", headers={"if-none-match": script.headers["etag"]}, timeout=10
    )
    assert (again.status_code, again.content) == (304, b"")
    assert requests.head(web.url, timeout=10).content == b""
    assert requests.post(web.url, timeout=10).status_code == 405


def test_the_widget_says_what_the_domain_says() -> None:
    script = WebPage({}).files["/spotwise-chat.js"]
    assert gzip.decompress(script.packed) == script.body
    source = script.body.decode()
    given, _ = json.JSONDecoder().raw_decode(source[source.index("const SPOTWISE = ") + 17 :])
    for name, said in given["said"].items():
        unconditioned = [v for v in DOMAIN["responses"][name] if "condition" not in v]
        assert said["text"] == unconditioned[0]["text"].strip()
    assert given["exit"] == EXIT_TO
    # The page puts the last line of this one under its emergency heading.
    assert "call 112, 911 or 999 now" in given["said"]["utter_what_to_do"]["text"].splitlines()[-1]
    assert given["labels"] == read(ROOT / "assistant" / "web" / "words.yml")
    links = [
        source["link"] for source in read(ROOT / "knowledge" / "sources.yml")["sources"] if source["link"]
    ]
    assert set(given["hosts"]) == {urlsplit(link).hostname for link in links}


def test_every_number_that_is_said_can_be_tapped() -> None:
    said = json.dumps(DOMAIN["responses"])
    for phone in PHONES:
        assert phone in said
    used = set(read(ROOT / "assistant" / "web" / "words.yml"))
    source = "".join(path.read_text() for path in (ROOT / "assistant" / "web").glob("*.js"))
    server = (ROOT / "assistant" / "channels" / "web.py").read_text() + (
        ROOT / "assistant" / "holding.py"
    ).read_text()
    built = {f"{level}_level" for level in LEVELS} | {f"fit_{fit}" for fit in range(1, 6)}
    assert {name for name in used if f'"{name}"' not in source + server} == built


# ------------------------------------------------------------------ before Rasa listens
def test_the_port_is_held_until_it_is_handed_over() -> None:
    page = WebPage({}, "https://clinic.example")
    with listening("127.0.0.1", 0) as listener:
        address = listener.getsockname()
        url = f"http://127.0.0.1:{address[1]}"
        holding = Holding(listener, page)
        for path, file in page.files.items():
            response = requests.get(url + path, timeout=10)
            assert response.content == file.body
            assert response.headers["content-security-policy" if path == "/" else "etag"]
        assert requests.head(url, timeout=10).content == b""
        refused = call(url, "message", {"id": "x"}, Origin="https://clinic.example")
        assert (refused.status_code, refused.json()["why"]) == (503, "starting")
        assert int(refused.headers["retry-after"]) > 0
        assert refused.headers["access-control-allow-origin"] == "https://clinic.example"
        assert (
            "access-control-allow-origin" not in call(url, "message", {}, Origin="https://a.example").headers
        )
        other = requests.get(f"{url}/status", timeout=10)
        assert (other.status_code, other.text) == (503, "Spotwise is starting.\n")
        holding.let_go()
        with socket.create_connection(address, timeout=5) as waiting:  # taken up by the next to accept
            connection, _ = listener.accept()
            connection.sendall(b"from Rasa")
            connection.close()
            assert waiting.recv(20) == b"from Rasa"


# ------------------------------------------------------------------ limits
def test_a_bucket_lets_a_burst_through_and_then_a_rate() -> None:
    now = [0.0]
    bucket = Buckets(3, 60, clock=lambda: now[0])
    assert [bucket.wait("a") for _ in range(3)] == [0, 0, 0]
    assert bucket.wait("a") == pytest.approx(1)
    assert bucket.wait("b") == 0
    now[0] = 0.5
    assert bucket.wait("a") == pytest.approx(0.5)
    now[0] = 1.0
    assert bucket.wait("a") == 0
    assert bucket.wait("a") > 0
    now[0] = 1000.0
    assert [bucket.wait("a") for _ in range(4)] == [0, 0, 0, pytest.approx(1)]


@pytest.mark.parametrize("setting", [(0, 60), (10, 0), (-1, -1)])
def test_a_limit_that_lets_nobody_through_is_told(setting: tuple[float, float]) -> None:
    with pytest.raises(ValueError):
        Buckets(*setting)


RASA_DOMAIN = Domain.from_yaml("version: '3.1'\nintents: [greet]\n")


class Agent:
    """Stands in for Rasa's agent: answers as told, and stores it."""

    def __init__(self, handler: Callable[[UserMessage], Awaitable[Any]]) -> None:
        self.tracker_store = Store(RASA_DOMAIN, db=":memory:")
        self.lock_store = InMemoryLockStore()
        self.handler = handler
        self.heard: list[str] = []

    async def handle_message(self, message: UserMessage) -> None:
        self.heard.append(message.text)
        await self.handler(message)
        events = [
            ActionExecuted("action_listen"),
            UserUttered(message.text, {"name": "greet"}, message_id=message.message_id),
            BotUttered("hello"),
        ]
        await self.tracker_store.save(
            DialogueStateTracker.from_events(message.sender_id, events, domain=RASA_DOMAIN)
        )


async def hello(message: UserMessage) -> None:
    await message.output_channel.send_response(message.sender_id, {"text": "hello"})


async def nothing(_: UserMessage) -> None:
    """Say nothing."""


async def breaking(_: UserMessage) -> None:
    raise ValueError("with the person's words")


class Client:
    """Talks to the channel."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    async def post(self, path: str, body: Any = None) -> tuple[int, dict[str, Any], Any]:
        async with self._session.post(
            f"{self.url}/webhooks/web/{path}", data=json.dumps(body or {})
        ) as response:
            return response.status, await response.json(), response.headers

    async def message(self, id: str, **more: Any) -> tuple[int, dict[str, Any], Any]:
        return await self.post("message", {"id": id, "number": number(), "message": "hi", **more})

    async def begin(self) -> str:
        return str((await self.post("conversation"))[1]["id"])


@asynccontextmanager
async def serving(
    monkeypatch: pytest.MonkeyPatch,
    handler: Callable[[UserMessage], Awaitable[Any]] = hello,
    **settings: Any,
) -> AsyncIterator[tuple[Client, Agent]]:
    """A server with the channel alone."""
    # Sanic rewrites its own methods when it starts, and starts a second time only in its test mode.
    monkeypatch.setattr(Sanic, "test_mode", True)
    monkeypatch.setenv("ACCOUNT_KEY", "key of the tests")
    app = Sanic(f"web{next(_numbers)}", configure_logging=False)
    app.ctx.agent = agent = Agent(handler)
    rasa_channel.register([WebChannel.from_credentials(settings)], app, "/webhooks/")
    listener = socket.create_server(("127.0.0.1", 0))
    server = await app.create_server(sock=listener, return_asyncio_server=True, access_log=False)
    assert server is not None
    await server.startup()
    try:
        async with aiohttp.ClientSession() as session:
            yield Client(f"http://127.0.0.1:{listener.getsockname()[1]}", session), agent
    finally:
        server.close()
        await server.wait_closed()


async def test_who_writes_too_much_is_asked_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(monkeypatch, per_conversation=[2, 1]) as (client, agent):
        id, other = await client.begin(), await client.begin()
        assert [(await client.message(id))[0] for _ in range(2)] == [200, 200]
        status, reply, headers = await client.message(id)
        assert (status, reply["why"]) == (429, "too_many")
        assert 1 <= int(headers["retry-after"]) <= 61
        assert "kept" in reply["error"]
        assert (await client.message(other))[0] == 200
        assert len(agent.heard) == 3


async def test_an_address_that_asks_too_much_is_asked_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(monkeypatch, per_address=[3, 1]) as (client, _):
        assert [(await client.post("conversation"))[0] for _ in range(4)] == [200, 200, 200, 429]


async def test_a_repeat_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(monkeypatch, per_conversation=[1, 1]) as (client, agent):
        id = await client.begin()
        assert [(await client.message(id, number="the-same-1"))[0] for _ in range(5)] == [200] * 5
        assert agent.heard == ["hi"]


async def test_a_message_is_heard_once_also_after_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(monkeypatch) as (client, agent):
        id = await client.begin()
        await client.message(id, number="the-same-2")
        store = agent.tracker_store
    async with serving(monkeypatch) as (client, agent):
        agent.tracker_store = store
        status, reply, _ = await client.message(id, number="the-same-2", again=True)
        assert (status, texts(reply), agent.heard) == (200, "hello", [])
        await client.message(id, number="another-3", again=True)
        assert agent.heard == ["hi"]


async def test_messages_that_come_twice_at_once_are_heard_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(message: UserMessage) -> None:
        await asyncio.sleep(0.2)
        await hello(message)

    async with serving(monkeypatch, slow) as (client, agent):
        id = await client.begin()
        replies = await asyncio.gather(*(client.message(id, number="the-same-4") for _ in range(3)))
        assert [texts(reply) for _, reply, _ in replies] == ["hello"] * 3
        assert agent.heard == ["hi"]


@pytest.mark.parametrize("handler", [nothing, breaking])
async def test_a_turn_that_goes_wrong_says_the_safe_words(
    monkeypatch: pytest.MonkeyPatch, handler: Callable[[UserMessage], Awaitable[Any]]
) -> None:
    async with serving(monkeypatch, handler) as (client, _):
        _, reply, _ = await client.message(await client.begin())
        assert texts(reply) == SAFE_WORDS.strip() and reply["failed"]


async def test_a_store_that_is_down_costs_the_card_not_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(monkeypatch) as (client, agent):
        id = await client.begin()

        async def down(_: str) -> None:
            raise OSError

        monkeypatch.setattr(agent.tracker_store, "retrieve", down)
        status, reply, _ = await client.message(id)
        assert (status, texts(reply)) == (200, "hello")


async def test_the_answers_that_are_kept_are_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.channels.web.MOST_REMEMBERED", 2)
    async with serving(monkeypatch) as (client, agent):
        id = await client.begin()
        for name in ("number-a", "number-b", "number-c", "number-a"):
            await client.message(id, number=name)
        assert len(agent.heard) == 4


def test_every_refusal_has_words() -> None:
    labels = yaml.safe_load((ROOT / "assistant" / "web" / "words.yml").read_text())
    source = (ROOT / "assistant" / "channels" / "web.py").read_text()
    reasons = {part.split('"')[1] for part in source.split("Refused(")[1:] if '"' in part.split(")")[0]}
    assert reasons >= {"other_site", "too_many", "too_long", "unknown_id", "not_understood"}
    assert reasons <= set(labels)
    assert Refused(400, "too_long").status == 400
