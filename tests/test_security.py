"""Who is let in: nobody without the token, and nobody at all to what could change the assistant."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests
import yaml
from running import TOKEN, Assistant

from assistant.guard import HEADERS
from assistant.tokens import sends_token

ROOT = Path(__file__).parent.parent
READING = ("version", "status", "conversations/x/tracker")
CHANGING = (
    ("PUT", "model"),
    ("DELETE", "model"),
    ("POST", "model/train"),
    ("POST", "model/predict"),
    ("POST", "model/test/stories"),
    ("POST", "model/test/intents"),
    ("GET", "domain"),
    ("GET", "conversations/x/story"),
    ("PUT", "conversations/x/tracker/events"),
    ("POST", "conversations/x/tracker/events"),
    ("POST", "conversations/x/messages"),
    ("POST", "conversations/x/execute"),
    ("POST", "conversations/x/predict"),
    ("POST", "conversations/x/trigger_intent"),
)
WRONG = ({}, {"token": ""}, {"token": "wrong"}, {"token": TOKEN[:-1]}, {"token": TOKEN + "x"})


def asked(assistant: Assistant, method: str, path: str, **options: object) -> requests.Response:
    """Ask for something."""
    return requests.request(method, f"{assistant.url}/{path}", timeout=20, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("token", WRONG, ids=str)
def test_nothing_of_rasas_is_open_without_the_token(assistant: Assistant, token: dict[str, str]) -> None:
    for method, path in (*(("GET", path) for path in READING), *CHANGING, ("GET", "metrics")):
        assert asked(assistant, method, path, params=token, json={}).status_code == 401, path
    sent = asked(
        assistant, "POST", "webhooks/rest/webhook", params=token, json={"sender": "s", "message": "x"}
    )
    assert sent.status_code == 401


def test_who_knows_the_token_may_read(assistant: Assistant) -> None:
    for path in READING:
        assert asked(assistant, "GET", path, params={"token": TOKEN}).status_code == 200, path
    parsed = asked(assistant, "POST", "model/parse", params={"token": TOKEN}, json={"text": "goodbye"}).json()
    assert parsed["intent"]["name"] == "goodbye"
    assert asked(assistant, "POST", "model/parse", json={"text": "goodbye"}).status_code == 401


def test_nobody_may_load_a_model_or_change_a_conversation(assistant: Assistant) -> None:
    for method, path in CHANGING:
        body = {"model_file": "/tmp/other.tar.gz", "model_server": {"url": "http://localhost:1"}}
        answer = asked(assistant, method, path, params={"token": TOKEN}, json=body)
        assert answer.status_code == 403, path
    status = asked(assistant, "GET", "status", params={"token": TOKEN}).json()
    assert status["model_file"] == "spotwise.tar.gz"


@pytest.mark.parametrize("path", ["//model", "model/", "%6dodel", "MODEL", "x/../model"])
def test_an_odd_spelling_opens_nothing(assistant: Assistant, path: str) -> None:
    assert asked(assistant, "PUT", path, json={}).status_code in (401, 403, 404, 405)
    assert asked(assistant, "PUT", path, params={"token": TOKEN}, json={}).status_code in (403, 404, 405)


@pytest.mark.parametrize("path", ["health", "ready", "status", "nowhere", "webhooks/rest/webhook"])
def test_every_answer_is_guarded(assistant: Assistant, path: str) -> None:
    answer = asked(assistant, "GET", path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


def test_the_page_is_guarded_but_for_its_own_files(assistant: Assistant) -> None:
    headers = asked(assistant, "GET", "").headers
    own = ("Content-Security-Policy", "Permissions-Policy")  # test_web_channel.py says what these allow
    assert {name: headers[name] for name in HEADERS if name not in own} == {
        name: value for name, value in HEADERS.items() if name not in own
    }
    for name in own:
        assert set(re.split(r"[;,] ", HEADERS[name])) <= set(re.split(r"[;,] ", headers[name]))


def test_no_other_page_may_ask(assistant: Assistant) -> None:
    origin = {"Origin": "https://elsewhere.example"}
    for method, path in (("GET", "health"), ("POST", "webhooks/rest/webhook"), ("OPTIONS", "status")):
        answer = asked(assistant, method, path, headers=origin, params={"token": TOKEN})
        assert "Access-Control-Allow-Origin" not in answer.headers, path


def test_nothing_tells_which_rasa_this_is(assistant: Assistant) -> None:
    for path in ("", "health", "nowhere"):
        assert (
            "rasa"
            not in (asked(assistant, "GET", path).text + str(asked(assistant, "GET", path).headers)).lower()
        )


def test_tokens_are_compared_in_constant_time() -> None:
    assert "compare_digest" in sends_token.__code__.co_names
    compared = re.compile(r"token\w*\s*[!=]=|[!=]=\s*\w*token")
    assert [p.name for p in (ROOT / "assistant").rglob("*.py") if compared.search(p.read_text())] == []


def test_the_action_server_listens_on_loopback(assistant: Assistant) -> None:
    endpoints = yaml.safe_load((ROOT / "endpoints.yml").read_text())
    assert endpoints["action_endpoint"]["url"].startswith("http://127.0.0.1:")
    assert set(endpoints) == {"action_endpoint", "tracker_store"}  # no model server


# ------------------------------------------------------------------ what watches over it can see
def test_health_and_ready_say_that_all_is_well(assistant: Assistant) -> None:
    assert assistant.get("health").json() == {"status": "ok"}
    ready = assistant.get("ready")
    assert ready.status_code == 200
    assert ready.json() == {"ready": True, "model": "ok", "actions": "ok", "store": "ok", "locks": "ok"}


def test_metrics_count_and_tell_nothing_else(assistant: Assistant) -> None:
    before = counted(assistant)
    assistant.say("zebrafinch", "I bleed after sex, zebrafinch")
    assistant.say("zebrafinch", "I'm soaking a pad every 30 minutes")
    assistant.say("zebrafinch", "flurb wibble zonk qua")
    after = counted(assistant)
    rose = {name for name in after if after[name] > before.get(name, 0)}
    for name in ('spotwise_turns_total{channel="rest"}', 'spotwise_levels_total{level="emergency"}'):
        assert name in rose
    assert "spotwise_turn_seconds_count" in rose
    assert not any("zebrafinch" in name for name in after)


def counted(assistant: Assistant) -> dict[str, float]:
    """The numbers of /metrics."""
    text = assistant.get("metrics", Authorization=f"Bearer {TOKEN}").text
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}
