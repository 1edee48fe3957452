"""The action endpoint: whatever becomes of the action server, an answer comes soon and no log leaks."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from rasa.core.actions.action import ActionExecutionRejection, RemoteAction
from rasa.core.channels.channel import CollectingOutputChannel
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.shared.core.constants import ACTIVE_LOOP
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import ClientResponseError, EndpointConfig
from rasa_sdk import Action, Tracker
from rasa_sdk.interfaces import ActionExecutionRejection as Rejection

from assistant import action_endpoint
from assistant.action_endpoint import ActionEndpoint, words_for
from assistant.lean_actions import LeanRemoteAction

SECRET = "my secret about the bleeding"
WORDS = ["utter_action_failed", "utter_what_to_do", "utter_calm", "utter_criteria", "utter_limits"]
DONE = {"events": [{"event": "slot", "name": "noted", "value": "x"}], "responses": [{"text": "hello"}]}

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def call(name: str = "action_list_causes", message: str | None = "m1", **slots: Any) -> dict[str, Any]:
    """What Rasa sends for an action."""
    latest = {"text": SECRET, "message_id": message}
    tracker = {"slots": slots, "latest_message": latest, "sender_id": "s", "events": []}
    return {"next_action": name, "sender_id": "s", "tracker": tracker, "version": "3.6.21"}


async def ask(endpoint: ActionEndpoint, **kwargs: Any) -> dict[str, Any]:
    """Call as RemoteAction does."""
    return await endpoint.request(json=call(**kwargs), method="post", timeout=300, compress=False)


def said(result: dict[str, Any]) -> list[str]:
    """The responses of a result."""
    assert result["events"] == []
    return [response["response"] for response in result["responses"]]


class Server:
    """An action server on loopback that answers as told, and counts."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.calls = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.calls += 1
        return await self.answer(request)


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[tuple[ActionEndpoint, Server]]:
    """An action server, and the endpoint for it."""
    server = Server(answer)
    app = web.Application()
    app.router.add_post("/webhook", server.handle)
    running = TestServer(app)
    await running.start_server()
    try:
        yield ActionEndpoint(EndpointConfig(str(running.make_url("/webhook")))), server
    finally:
        await running.close()


def answering(body: str, status: int = 200, content_type: str = "application/json") -> Answer:
    """Always the same answer."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text=body, status=status, content_type=content_type)

    return answer


async def working(_: web.Request) -> web.StreamResponse:
    """What an action server should do."""
    return web.json_response(DONE)


async def hanging(_: web.Request) -> web.StreamResponse:
    """Accept and never answer."""
    await asyncio.sleep(60)
    return web.Response()


@pytest.fixture
def gone() -> ActionEndpoint:
    """An endpoint where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return ActionEndpoint(EndpointConfig(f"http://127.0.0.1:{port}/webhook"))


# ------------------------------------------------------------------ over HTTP
def test_the_configuration_is_kept() -> None:
    config = EndpointConfig(
        "http://127.0.0.1:1/webhook",
        {"a": "b"},
        {"h": "i"},
        token="t",
        token_name="n",
        enable_selective_domain=True,
    )
    endpoint = ActionEndpoint(config)
    assert (endpoint.url, endpoint.params, endpoint.headers) == (config.url, {"a": "b"}, {"h": "i"})
    assert (endpoint.token, endpoint.token_name) == ("t", "n")
    assert endpoint.kwargs == {"enable_selective_domain": True}


async def test_a_connection_is_kept_for_the_next_call_and_closed_in_the_end() -> None:
    callers: list[object] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        callers.append(request.transport.get_extra_info("peername"))
        return web.json_response(DONE)

    async with serving(answer) as (endpoint, _):
        assert await ask(endpoint) == await ask(endpoint) == DONE
        assert callers[0] == callers[1]
        await endpoint.close()
        assert await ask(endpoint) == DONE
        assert callers[2] != callers[1]
        await endpoint.close()


@pytest.mark.parametrize("losses", [1, 2, 3])
async def test_a_call_that_loses_its_connection_is_made_once_more(losses: int) -> None:
    lost = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal lost
        if lost < losses:
            lost += 1
            assert request.transport is not None
            request.transport.close()
        return web.json_response(DONE)

    async with serving(answer) as (endpoint, server):
        result = await ask(endpoint)
        assert server.calls == min(losses + 1, 2)
        if losses == 1:
            assert result == DONE
        else:
            assert "utter_what_to_do" in said(result)
        await endpoint.close()


async def test_a_working_server_is_passed_through() -> None:
    async with serving(working) as (endpoint, server):
        assert await ask(endpoint) == DONE
        assert await ask(endpoint) == DONE
        assert server.calls == 2


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(answering("no", 500), id="500"),
        pytest.param(answering('{"error": "no such action"}', 404), id="404"),
        pytest.param(answering('{"error": "Invalid body request"}', 400), id="400 without a rejection"),
        pytest.param(answering("[]", 400), id="400 with another body"),
        pytest.param(answering("{nonsense"), id="garbage"),
        pytest.param(answering("<html>", content_type="text/html"), id="not JSON"),
        pytest.param(answering(""), id="empty"),
        pytest.param(answering("null"), id="null"),
        pytest.param(answering('["events"]'), id="a list"),
        pytest.param(answering('{"error": "x", "request_body": {}}'), id="another object"),
        pytest.param(answering('{"events": {}, "responses": []}'), id="events are no list"),
        pytest.param(answering('{"events": [], "responses": ["x"]}'), id="responses are no objects"),
        pytest.param(answering('{"events": [{"event": "nonsense"}], "responses": []}'), id="no such event"),
    ],
)
async def test_a_broken_server_is_answered_for(answer: Answer, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(answer) as (endpoint, server):
        with caplog.at_level(logging.DEBUG, "assistant"):
            assert said(await ask(endpoint)) == WORDS
        assert server.calls == 1
    (line,) = [record for record in caplog.records if record.name.startswith("assistant")]
    assert line.levelno == logging.WARNING
    assert line.getMessage().startswith("action_list_causes did not work: ")
    assert SECRET not in caplog.text
    assert "Traceback" not in caplog.text


async def test_a_server_that_is_gone_is_answered_for(gone: ActionEndpoint) -> None:
    assert said(await ask(gone)) == WORDS


async def test_two_calls_to_a_hung_server_fit_in_five_seconds() -> None:
    async with serving(hanging) as (endpoint, server):
        start = time.monotonic()
        assert said(await ask(endpoint)) == WORDS
        assert said(await ask(endpoint, name="action_summarise")) == []
        assert time.monotonic() - start < 4
        assert server.calls == 1


async def test_a_server_that_failed_is_left_alone_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(action_endpoint, "PAUSE", 0.2)
    async with serving(answering("", 500)) as (endpoint, server):
        await ask(endpoint, message="m1")
        server.answer = working
        assert said(await ask(endpoint, message="m2")) == WORDS
        assert server.calls == 1
        await asyncio.sleep(0.25)
        assert await ask(endpoint, message="m3") == DONE


async def test_the_words_are_said_once_for_each_message(gone: ActionEndpoint) -> None:
    assert said(await ask(gone, message="m1")) == WORDS
    assert said(await ask(gone, message="m1", name="action_give_assessment")) == []
    assert said(await ask(gone, message="m2")) == WORDS
    assert said(await ask(gone, message=None)) == said(await ask(gone, message=None)) == WORDS


async def test_a_rejection_reaches_rasa() -> None:
    async with serving(answering('{"action_name": "action_x", "error": "no"}', 400)) as (endpoint, server):
        for _ in range(2):  # it is no failure, so the server is asked again
            with pytest.raises(ClientResponseError) as caught:
                await ask(endpoint)
            assert caught.value.status == 400
        assert server.calls == 2


# ------------------------------------------------------------------ the words
@pytest.mark.parametrize(
    "events",
    [
        [],
        [{"event": "slot", "name": "pain", "value": ["none"], "timestamp": None}],
        [{"event": "slot", "name": "pain", "value": None}, {"event": "active_loop", "name": None}],
        [{"event": "action", "name": "action_listen", "policy": None, "confidence": None}],
        [{"event": "followup", "name": "utter_calm"}, {"event": "restart"}],
        [{"event": "slot", "value": "without a name"}],
        [{"event": "slot", "name": 3, "value": "x"}],
        [{"event": "no such event"}],
        [{"name": "pain"}],
        ["slot"],
        [{"event": "slot", "name": "pain", "value": 1, "timestamp": "now"}],
        {"event": "slot"},
    ],
)
def test_events_are_checked_as_rasa_checks_them(events: Any) -> None:
    answer = {"events": events, "responses": []}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rasas = jsonschema.validators.validator_for(action_endpoint._FORMAT)(action_endpoint._FORMAT)
    if rasas.is_valid(answer):
        assert action_endpoint._checked(answer) == answer
    else:
        with pytest.raises((KeyError, TypeError, jsonschema.ValidationError)):
            action_endpoint._checked(answer)


def test_an_assessment_says_first_what_to_do() -> None:
    assert words_for("action_give_assessment", {"urgency": "soon", "because": "it came back"}) == [
        "utter_what_to_do",
        "utter_because",
        "utter_calm",
        "utter_criteria",
        "utter_limits",
        "utter_action_failed",
    ]
    assert "utter_because" not in words_for("action_give_assessment", {"urgency": "soon"})


@pytest.mark.parametrize("action", ["action_give_assessment", "action_tell_cause"])
def test_an_emergency_has_its_own_calm_words(action: str) -> None:
    words = words_for(action, {"urgency": "emergency"})
    assert "utter_calm_emergency" in words
    assert "utter_calm" not in words


def test_all_words_are_responses() -> None:
    domain = yaml.safe_load((Path(__file__).parent.parent / "domain.yml").read_text(encoding="utf-8"))
    for urgency in (None, "emergency"):
        words = words_for("action_give_assessment", {"urgency": urgency, "because": "x"})
        assert set(words) <= set(domain["responses"])


# ------------------------------------------------------------------ in this process
class Validate(Action):  # type: ignore[misc]
    """A stand-in for the validation of the questions."""

    def name(self) -> str:
        return "validate_spotting_form"

    def run(self, dispatcher: Any, tracker: Any, domain: Any) -> list[dict[str, Any]]:
        tracker.slots["seen"] = True
        if tracker.get_slot("reject"):
            raise Rejection(self.name(), "not an answer")
        if tracker.get_slot("break"):
            raise ValueError(SECRET)
        dispatcher.utter_message(text="noted")
        return [{"event": "slot", "name": "pain", "value": "none"}]


@pytest.fixture
def form(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the stand-in where the endpoint looks."""
    monkeypatch.setitem(sys.modules, "actions.form", SimpleNamespace(ValidateSpottingForm=Validate))  # type: ignore[arg-type]


@pytest.mark.usefixtures("form")
async def test_validation_needs_no_action_server(gone: ActionEndpoint) -> None:
    await ask(gone)  # the server is known to be gone
    sent = call("validate_spotting_form")
    result = await gone.request(json=sent, method="post")
    assert result["events"] == [{"event": "slot", "name": "pain", "value": "none"}]
    assert result["responses"][0]["text"] == "noted"
    assert sent["tracker"]["slots"] == {}


@pytest.mark.usefixtures("form")
async def test_a_validation_that_breaks_is_answered_for(
    gone: ActionEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    assert said(await ask(gone, name="validate_spotting_form", **{"break": True})) == WORDS
    assert "validate_spotting_form did not work: ValueError" in caplog.text
    assert SECRET not in caplog.text


# ------------------------------------------------------------------ below Rasa's own actions
DOMAIN = Domain.from_yaml(
    "version: '3.1'\nactions: [action_x, validate_spotting_form]\n"
    "slots:\n"
    "  reject: {type: bool, mappings: [{type: custom}]}\n"
    "  pain: {type: text, mappings: [{type: custom}]}\n"
    "responses:\n" + "".join(f"  {name}:\n  - text: {name} said\n" for name in WORDS)
)


Run = Callable[..., Awaitable[tuple[list[str | None], list[Any]]]]


@pytest.fixture(params=[RemoteAction, LeanRemoteAction])
def run(request: pytest.FixtureRequest) -> Run:
    """What Rasa says and keeps when it runs a custom action, in its own way and in the lean one."""
    return partial(ran, request.param)


async def ran(
    kind: type[RemoteAction], name: str, endpoint: ActionEndpoint, **slots: Any
) -> tuple[list[str | None], list[Any]]:
    """Run an action of this kind."""
    tracker = DialogueStateTracker.from_events(
        "s", [UserUttered(SECRET, message_id="m1"), *(SlotSet(*slot) for slot in slots.items())], DOMAIN.slots
    )
    nlg = TemplatedNaturalLanguageGenerator(DOMAIN.responses)
    events = await kind(name, endpoint).run(CollectingOutputChannel(), nlg, tracker, DOMAIN)
    bot = [event for event in events if event.type_name == "bot"]
    return [event.text for event in bot], [event for event in events if event not in bot]


async def test_rasa_says_the_words_once(run: Run, gone: ActionEndpoint) -> None:
    assert await run("action_x", gone) == ([f"{name} said" for name in WORDS], [])
    assert await run("action_x", gone) == ([], [])


@pytest.mark.usefixtures("form")
async def test_rasa_takes_a_validation_and_a_rejection(run: Run, gone: ActionEndpoint) -> None:
    assert await run("validate_spotting_form", gone) == (["noted"], [SlotSet("pain", "none")])
    with pytest.raises(ActionExecutionRejection):
        await run("validate_spotting_form", gone, reject=True)


@pytest.mark.parametrize("loop", ["spotting_form", None])
def test_an_action_gets_the_state_and_the_events_of_its_turn(loop: str | None) -> None:
    """What the SDK makes of the request is as with Rasa's own, but for the message that began the form."""
    turns = [
        UserUttered("first", message_id="m1"),
        ActiveLoop(loop),
        SlotSet("pain", "none"),
        UserUttered("second", message_id="m2"),
        ActionExecuted("spotting_form"),
    ]
    tracker = DialogueStateTracker.from_events("s", turns, DOMAIN.slots)
    whole = RemoteAction("action_x", None)._action_call_format(tracker, DOMAIN)
    lean = LeanRemoteAction("action_x", None)._action_call_format(tracker, DOMAIN)
    assert lean["tracker"]["events"] == whole["tracker"].pop("events")[-2:]
    assert lean["tracker"][ACTIVE_LOOP].get("name") == whole["tracker"].pop(ACTIVE_LOOP).get("name") == loop
    wanted = {
        **whole["tracker"],
        "events": lean["tracker"]["events"],
        ACTIVE_LOOP: lean["tracker"][ACTIVE_LOOP],
    }
    assert vars(Tracker.from_dict(lean["tracker"])) == vars(Tracker.from_dict(wanted))
    del whole["domain"], whole["tracker"], lean["tracker"]
    assert lean == whole
