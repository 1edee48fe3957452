"""Slack, with the whole assistant behind it: conversations, forgeries, fuzz, order, and a Slack not well."""

from __future__ import annotations

import contextlib
import json
import random
import re
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
import yaml
from patients.player import ORDINARY
from running import TOKEN, Assistant, copied, started, started_with_faults, wait_until
from scenarios.runner import HARMLESS, payload
from slack_api import (
    BOT_TOKEN,
    BOT_USER,
    CHANNEL,
    SIGNING_SECRET,
    TEAM,
    Message,
    SlackStandIn,
    Workspace,
    broken,
    command_of,
    event_of,
    limited,
    mention_of,
    message_of,
    press_of,
    signed,
    slack,
)

from assistant.channels.accounts import conversation_of

ROOT = Path(__file__).parent.parent
RESPONSES = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))["responses"]
KEY = "account-key-of-the-tests"
NOTICE = RESPONSES["utter_notice"][0]["text"]
EMERGENCY = "This needs emergency care now."
FUZZED = 1_000
SEED = 20261123
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_users = iter(range(1, 10_000))


def variables(api: SlackStandIn) -> dict[str, str]:
    """What turns the channel on, and keeps its calls on this machine."""
    proxies = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"), "")
    secrets = {"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_SIGNING_SECRET": SIGNING_SECRET, "ACCOUNT_KEY": KEY}
    return {**proxies, **secrets, "SLACK_API_URL": api.url}


@dataclass
class Slack:
    """An assistant on Slack."""

    assistant: Assistant
    api: SlackStandIn
    folder: Path
    workspace: Workspace = field(init=False)

    def __post_init__(self) -> None:
        """Send from Slack to this assistant."""
        self.workspace = Workspace(self.assistant.url)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What is in its database."""
        with contextlib.closing(sqlite3.connect(self.folder / "var" / "conversations.db")) as database:
            return database.execute(query).fetchall()

    def turns(self) -> int:
        """How many messages of people were taken, ever."""
        return int(self.rows("SELECT count(*) FROM events WHERE type_name = 'user'")[0][0])


@dataclass
class Person:
    """Somebody on Slack who writes to the assistant in private."""

    slack: Slack
    user: str = field(default_factory=lambda: f"U0PERSON{next(_users):04}")

    def __post_init__(self) -> None:
        """Have a conversation, empty so far."""
        self.channel = self.slack.api.direct(self.user)
        self.conversation = conversation_of("slack", f"{TEAM}:{self.user}", KEY.encode())

    @property
    def heard(self) -> list[Message]:
        """What the assistant said."""
        return self.slack.api.of(self.channel)

    @property
    def buttons(self) -> dict[str, tuple[Message, dict[str, Any]]]:
        """The buttons that can be pressed, by their labels."""
        return {
            button["text"]["text"]: (message, button) for message in self.heard for button in message.buttons
        }

    def tracker(self) -> dict[str, Any]:
        """What is stored of the conversation."""
        url = f"{self.slack.assistant.url}/conversations/{self.conversation}/tracker"
        query = {"token": TOKEN, "include_events": "ALL"}
        tracker: dict[str, Any] = requests.get(url, params=query, timeout=30).json()
        return tracker

    @property
    def asked(self) -> str | None:
        """The question that is open."""
        asked = self.tracker()["slots"].get("requested_slot")
        return asked if asked is None else str(asked)

    def events(self) -> list[dict[str, Any]]:
        """What happened in the conversation."""
        return list(self.tracker().get("events") or [])

    def texts(self) -> list[str]:
        """What was taken from this person."""
        return [str(event["text"]) for event in self.events() if event["event"] == "user"]

    def say(self, text: str, **more: Any) -> list[str]:
        """Write something; gives the answers."""
        event = message_of(self.user, self.channel, text, **more)
        return self.turn(lambda: self.slack.workspace.send_json(event))

    def press(self, label: str) -> list[str]:
        """Press a button; gives the answers."""
        return self.turn(lambda: self.send_press(*self.buttons[label]))

    def send_press(self, message: Message, button: dict[str, Any]) -> requests.Response:
        """Press a button, without waiting for answers."""
        return self.slack.workspace.send_form({"payload": json.dumps(press_of(self.user, message, button))})

    def turn(self, send: Callable[[], requests.Response]) -> list[str]:
        """Send something, and wait for all that is said to it."""
        turns, said = len(self.texts()), len(self.heard)
        start = time.monotonic()
        response = send()
        assert time.monotonic() - start < 3, "Slack wants an answer within three seconds"
        assert (response.status_code, response.content) == (200, b"")
        self.slack.api.wait(lambda: self.ended(turns + 1), "end of the turn")
        expected = said + self.said_last()
        self.slack.api.wait(lambda: len(self.heard) >= expected, "answer")
        return [message.shown for message in self.heard[said:]]

    def ended(self, turns: int) -> bool:
        """Whether this many turns are over."""
        events = self.events()
        users = [place for place, event in enumerate(events) if event["event"] == "user"]
        return len(users) >= turns and any(
            event.get("name") == "action_listen" for event in events[users[-1] :]
        )

    def said_last(self) -> int:
        """How many messages the last turn said."""
        count = 0
        for event in reversed(self.events()):
            if event["event"] == "user":
                break
            count += event["event"] == "bot" and bool(event.get("text"))
        return count


@pytest.fixture(scope="module")
def on_slack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slack]:
    """The assistant as `make serve` runs it, on Slack."""
    folder = copied(tmp_path_factory.mktemp("slack"))
    with slack() as api, started(folder, **variables(api)) as assistant:
        yield Slack(assistant, api, folder)


@pytest.fixture
def person(on_slack: Slack) -> Iterator[Person]:
    """Somebody new. Whatever they do, Slack refuses nothing of what the assistant sends them."""
    somebody = Person(on_slack)
    yield somebody
    on_slack.api.down = False
    assert on_slack.api.mistakes[somebody.channel] == []


def shows_what_matters(texts: list[str]) -> bool:
    """Whether an assessment was given, with what belongs to every one."""
    said = "\n".join(texts)
    return all(words in said for words in ("Contact a doctor if", "I am not a doctor", "panic"))


# ------------------------------------------------------------------ whole conversations
def test_make_serve_says_that_slack_is_on(on_slack: Slack) -> None:
    line = re.compile(r"is ready on \S+ Channels: .*\bSlack\b")
    wait_until(lambda: line.search(on_slack.assistant.log()), "the line", limit=10)


def test_a_whole_conversation_by_buttons(person: Person) -> None:
    said = person.say("hi")
    assert said == [RESPONSES["utter_greet"][0]["text"]]
    said = person.press("Yes, ask me")
    for _ in range(20):
        if (asked := person.asked) is None:
            break
        value = payload(asked, HARMLESS[asked])
        # Only the newest message has buttons: those of others are gone.
        assert len({message.ts for message, _ in person.buttons.values()}) == 1
        (label,) = (label for label, (_, button) in person.buttons.items() if button["value"] == value)
        pressed = person.buttons[label][0]
        said = person.press(label)
        assert pressed.buttons == []
        assert pressed.shown.endswith(f"\nYou chose: {label}")
    assert shows_what_matters(said)
    assert person.tracker()["slots"]["urgency"] == "routine"
    assert {message.text for message in person.heard} == {NOTICE}


def test_a_whole_conversation_by_text(person: Person) -> None:
    said = person.say("I noticed some bleeding after sex")
    for _ in range(20):
        if (asked := person.asked) is None:
            break
        said = person.say(ORDINARY.get(asked, "I don't know"))
    assert shows_what_matters(said)
    assert person.tracker()["slots"]["urgency"] == "routine"


def test_an_emergency_comes_first(person: Person) -> None:
    assert person.say("bleeding after sex, soaking a pad every 30 minutes")[0].startswith(EMERGENCY)


def test_markup_of_slack_is_not_read(person: Person) -> None:
    text = f"<@{BOT_USER}> I *fainted* &amp; I bleed &lt;a lot&gt;, see <https://example.org|this>"
    event = message_of(person.user, person.channel, "")
    event["event"]["text"] = text
    said = person.turn(lambda: person.slack.workspace.send_json(event))
    assert said[0].startswith(EMERGENCY)
    assert person.texts() == ["I fainted & I bleed <a lot>, see this"]


@pytest.mark.parametrize(("word", "response"), [("help", "utter_help"), ("privacy", "utter_privacy")])
def test_words_that_work_as_commands(person: Person, word: str, response: str) -> None:
    assert RESPONSES[response][0]["text"].splitlines()[0] in "\n".join(person.say(word))


def test_restart_begins_again(person: Person) -> None:
    person.say("I bleed after sex and it hurts a lot")
    assert person.say("restart") == [RESPONSES["utter_restart"][0]["text"]]
    assert person.tracker()["slots"]["pain"] is None


def test_delete_leaves_nothing(person: Person) -> None:
    person.say("I bleed after sex, my secret")
    assert person.say("delete") == [RESPONSES["utter_confirm_delete"][0]["text"]]
    person.send_press(*person.buttons["Yes, forget it"])
    done = RESPONSES["utter_deleted"][0]["text"]
    person.slack.api.wait(lambda: person.heard[-1].shown == done, "word that it is done")
    assert (person.conversation,) not in person.slack.rows("SELECT DISTINCT sender_id FROM events")


def test_answers_stay_in_the_thread(person: Person) -> None:
    ts = "1700000000.000100"
    person.say("hi", thread_ts=ts)
    assert {message.thread for message in person.heard} == {ts}
    person.press("Yes, ask me")
    assert {message.thread for message in person.heard} == {ts}
    before = len(person.heard)
    person.say("no, none of those", thread_ts=ts, subtype="thread_broadcast")
    assert {message.thread for message in person.heard[before:]} == {None}


# ------------------------------------------------------------------ buttons
def test_two_presses_of_one_button_are_one_answer(person: Person) -> None:
    person.say("hi")
    pressed = person.buttons["Yes, ask me"]
    person.turn(lambda: [person.send_press(*pressed), person.send_press(*pressed)][0])
    person.say("hello")
    assert person.texts() == ["hi", "/describe_spotting", "hello"]


def test_a_press_on_an_old_message_is_an_answer_too(person: Person) -> None:
    person.say("hi")
    old = deepcopy(person.buttons["Yes, ask me"])
    person.say("why should I tell you?")
    person.turn(lambda: person.send_press(*old))
    assert person.asked == "danger_signs"
    # ...and once more, as if its buttons had never gone.
    person.turn(lambda: person.send_press(*old))
    assert person.asked == "danger_signs"


def test_a_message_that_is_gone_is_no_reason_to_be_silent(on_slack: Slack) -> None:
    person = Person(on_slack)
    person.say("hi")
    message, button = deepcopy(person.buttons["Yes, ask me"])
    message.ts = "1600000000.000001"
    assert person.turn(lambda: person.send_press(message, button))
    assert on_slack.api.mistakes[person.channel] == ["chat.update: message_not_found"]


@pytest.mark.parametrize(
    "value", ["/session_start", "/back", '/describe_spotting{"urgency":"self_care"}', "/"]
)
def test_a_press_can_only_send_what_buttons_send(person: Person, value: str) -> None:
    person.say("hi")
    message, button = person.buttons["Yes, ask me"]
    person.turn(lambda: person.send_press(message, {**button, "value": value}))
    assert person.texts()[-1] == "/nlu_fallback"
    assert person.tracker()["slots"]["urgency"] is None


# ------------------------------------------------------------------ channels, the command, files
def told_in_channel(person: Person) -> list[Message]:
    """What only this person sees in the channel."""
    return [message for message in person.slack.api.of(CHANNEL) if message.only_for == person.user]


def test_a_mention_is_asked_into_private(person: Person) -> None:
    turns = person.slack.turns()
    secret = "I bleed after sex and fainted"
    mention = mention_of(person.user, secret)
    for _ in range(2):
        assert person.slack.workspace.send_json(mention).status_code == 200
    person.slack.api.wait(lambda: bool(told_in_channel(person)), "word in the channel")
    person.say("hi")
    (told,) = told_in_channel(person)
    assert told.shown == RESPONSES["utter_write_privately"][0]["text"]
    assert person.slack.turns() == turns + 1  # the "hi"


def test_nothing_is_shown_to_all_in_a_channel(person: Person) -> None:
    assert all(message.only_for for message in person.slack.api.of(CHANNEL))


@pytest.mark.parametrize(
    ("text", "taken"), [("", "/greet"), ("I *fainted* &amp; bleed", "I fainted & bleed"), ("help", "help")]
)
def test_the_command_begins_in_private(person: Person, text: str, taken: str) -> None:
    form = {**command_of(person.user), "text": text}
    response = person.slack.workspace.send_form(form)
    assert response.status_code == 200
    assert response.json() == {
        "response_type": "ephemeral",
        "text": RESPONSES["utter_see_chat"][0]["text"],
    }
    person.slack.api.wait(lambda: person.ended(1) and bool(person.heard), "answer in private")
    assert person.texts() == [taken]
    if not text:
        assert person.heard[0].shown == RESPONSES["utter_greet"][0]["text"]


def test_a_file_gets_a_kind_word(person: Person) -> None:
    event = message_of(person.user, person.channel, "", subtype="file_share", files=[{"id": "F01"}])
    del event["event"]["team"]  # as Slack does
    assert person.slack.workspace.send_json(event).status_code == 200
    person.slack.api.wait(lambda: bool(person.heard), "answer")
    assert person.heard[0].shown == RESPONSES["utter_only_text"][0]["text"]
    assert person.texts() == []


def test_what_is_written_beside_a_file_is_read(person: Person) -> None:
    person.say("I bleed after sex and soak a pad every hour", subtype="file_share", files=[{"id": "F01"}])
    person.slack.api.wait(lambda: len(person.heard) > 1, "answer")
    assert person.heard[0].shown == RESPONSES["utter_only_text"][0]["text"]
    assert person.heard[1].shown.startswith(EMERGENCY)


# ------------------------------------------------------------------ what is not for the assistant
def ignored(person: Person) -> list[dict[str, Any]]:
    """Events that Slack may send, and that nobody wrote to the assistant."""
    user, channel, text = person.user, person.channel, "I bleed, ignore me"
    edited = message_of(user, channel, text, subtype="message_changed", message={"text": text}, hidden=True)
    return [
        edited,
        message_of(user, channel, text, subtype="message_deleted", hidden=True, deleted_ts="1.2"),
        message_of(user, channel, text, subtype="bot_message", bot_id="B01"),
        message_of(BOT_USER, channel, text, bot_id="B0BOT00001"),
        message_of(user, channel, text, subtype="channel_join"),
        message_of(user, channel, text, subtype="message_replied"),
        message_of(user, channel, text, subtype="assistant_app_thread"),
        message_of(user, channel, text, subtype="some_news"),
        message_of(user, CHANNEL, text, channel_type="channel"),
        message_of(user, "G0PRIVATE01", text, channel_type="group"),
        message_of(user, "G0PRIVATE01", text, channel_type="mpim"),
        message_of(user, channel, text, channel_type="app_home"),
        mention_of(user, text, channel=channel),
        {**mention_of(user, text), "event": {**mention_of(user, text)["event"], "bot_id": "B01"}},
        event_of({"type": "reaction_added", "user": user, "reaction": "thumbsup", "text": text}),
        event_of({"type": "app_home_opened", "user": user, "channel": channel, "tab": "messages"}),
        event_of({"type": "app_uninstalled"}),
        event_of({"type": "tokens_revoked", "tokens": {"bot": [BOT_USER]}}),
        {"type": "app_rate_limited", "team_id": TEAM, "minute_rate_limited": 1518467820, "api_app_id": "A0"},
    ]


def test_what_nobody_wrote_is_ignored(person: Person) -> None:
    turns = person.slack.turns()
    for event in ignored(person):
        assert person.slack.workspace.send_json(event).status_code == 200, event
    assert person.say("hi") == [message.shown for message in person.heard]
    assert person.texts() == ["hi"]
    assert person.slack.turns() == turns + 1
    assert told_in_channel(person) == []


@pytest.mark.parametrize("change", ["view_submission", "shortcut", "message_action", "block_suggestion"])
def test_other_interactions_are_ignored(person: Person, change: str) -> None:
    person.say("hi")
    body = {**press_of(person.user, *person.buttons["Yes, ask me"]), "type": change}
    assert person.slack.workspace.send_form({"payload": json.dumps(body)}).status_code == 200
    person.say("hello")
    assert person.texts() == ["hi", "hello"]


# ------------------------------------------------------------------ who may send
def test_the_address_is_verified_only_when_signed(on_slack: Slack) -> None:
    body = {"token": "t", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY", "type": "url_verification"}
    answer = on_slack.workspace.send_json(body)
    assert (answer.status_code, answer.text) == (200, body["challenge"])
    assert answer.headers["content-type"].startswith("text/plain")
    unsigned = on_slack.workspace.post(json.dumps(body).encode(), JSON)
    assert unsigned.status_code == 401
    assert body["challenge"] not in unsigned.text


def forgeries(body: bytes) -> dict[str, dict[str, str]]:
    """Headers that Slack would not send with a body."""
    right = signed(body)
    signature, at = right["X-Slack-Signature"], right["X-Slack-Request-Timestamp"]
    return {
        "nothing": {},
        "no signature": {"X-Slack-Request-Timestamp": at},
        "no timestamp": {"X-Slack-Signature": signature},
        "empty": {"X-Slack-Request-Timestamp": "", "X-Slack-Signature": ""},
        "another secret": signed(body, "another secret"),
        "empty secret": signed(body, ""),
        "another body": signed(body + b" "),
        "old": signed(body, at=time.time() - 301),
        "very old": signed(body, at=0),
        "from the future": signed(body, at=time.time() + 330),
        "another time": {**right, "X-Slack-Request-Timestamp": str(int(at) - 1)},
        "odd time": {**right, "X-Slack-Request-Timestamp": "now"},
        "time in words": {**right, "X-Slack-Request-Timestamp": f"{at}.0"},
        "endless time": {**right, "X-Slack-Request-Timestamp": "9" * 5000},
        "spaced time": {**right, "X-Slack-Request-Timestamp": f"+{at}"},
        "half a signature": {**right, "X-Slack-Signature": signature[:20]},
        "another version": {**right, "X-Slack-Signature": "v1" + signature[2:]},
        "capitals": {**right, "X-Slack-Signature": signature.upper()},
        "odd signature": {**right, "X-Slack-Signature": "v0=\xff\xfe"},
    }


@pytest.mark.parametrize("kind", forgeries(b""))
def test_what_slack_did_not_sign_is_refused(on_slack: Slack, kind: str) -> None:
    person = Person(on_slack)
    turns = on_slack.turns()
    message = message_of(person.user, person.channel, "I bleed, forged")
    press = press_of(
        person.user, Message(person.channel, "1.1", "", []), {"type": "button", "value": "/greet"}
    )
    for kind_of_body, value in (
        (JSON, json.dumps(message)),
        (FORM, urlencode({"payload": json.dumps(press)})),
        (FORM, urlencode(command_of(person.user))),
    ):
        body = value.encode()
        answer = on_slack.workspace.post(body, {**kind_of_body, **forgeries(body)[kind]})
        assert (answer.status_code, list(answer.json())) == (401, ["error"])
    assert on_slack.turns() == turns
    assert not {person.channel, person.user} & {to for _, _, to in on_slack.api.calls}


def test_the_last_of_five_minutes_is_still_taken(person: Person) -> None:
    event = json.dumps(message_of(person.user, person.channel, "hi")).encode()
    headers = {**JSON, **signed(event, at=time.time() - 285)}
    assert person.turn(lambda: person.slack.workspace.post(event, headers))


@pytest.mark.parametrize("path", ["press", "event", "command"])
def test_a_replay_is_taken_once(person: Person, path: str) -> None:
    person.say("hi")
    send: Callable[[], requests.Response]
    if path == "event":
        event = message_of(person.user, person.channel, "hello")
        send = lambda: person.slack.workspace.send_json(event)  # noqa: E731
    elif path == "press":
        press = {"payload": json.dumps(press_of(person.user, *person.buttons["Yes, ask me"]))}
        send = lambda: person.slack.workspace.send_form(press)  # noqa: E731
    else:
        form = command_of(person.user, "hello")
        send = lambda: person.slack.workspace.send_form(form)  # noqa: E731
    for _ in range(3):
        assert send().status_code == 200
    person.slack.api.wait(lambda: person.ended(2), "end of the turn")
    person.say("bye")
    assert len(person.texts()) == 3


MALFORMED = [
    (JSON, b""),
    (JSON, b"hello"),
    (JSON, b"{"),
    (JSON, b"null"),
    (JSON, b"[]"),
    (JSON, b"[" * 20_000),
    (JSON, b'{"type": "url_verification"}'),
    (JSON, b'{"type": "url_verification", "challenge": {"a": 1}}'),
    (JSON, b'{"type": "url_verification", "challenge": "\\ud800"}'),
    (JSON, json.dumps(event_of({"type": "message", "channel_type": "im"})).encode()),
    (JSON, json.dumps(message_of("U0PERSON0000", "C0GENERAL1", "hi")).encode()),
    (JSON, json.dumps(message_of("../../etc", "D0PERSON0000", "hi")).encode()),
    (JSON, json.dumps(message_of("U0PERSON0000", "D0PERSON0000", "", text=["hi"])).encode()),
    (JSON, json.dumps({**message_of("U0PERSON0000", "D0PERSON0000", "hi"), "event_id": None}).encode()),
    (JSON, json.dumps({**message_of("U0PERSON0000", "D0PERSON0000", "hi"), "team_id": 7}).encode()),
    (FORM, b""),
    (FORM, b"hello"),
    (FORM, b"payload="),
    (FORM, b"payload=hello"),
    (FORM, b"payload=%ff%fe"),
    (FORM, b"payload=[]"),
    (FORM, b"payload=" + b"[" * 20_000),
    (FORM, b"a=1&" * 5_000),
    (FORM, b"command=/spotwise"),
    (FORM, b"command=/spotwise&user_id=U0PERSON0000&team_id=T0TEAM0001"),
    ({"Content-Type": "text/plain"}, b"{}"),
    ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x--"),
    ({}, b"{}"),
]


@pytest.mark.parametrize(("kind", "body"), MALFORMED, ids=range(len(MALFORMED)))
def test_what_is_malformed_is_refused(on_slack: Slack, kind: dict[str, str], body: bytes) -> None:
    turns = on_slack.turns()
    answer = on_slack.workspace.post(body, {**kind, **signed(body)})
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert answer.headers["X-Slack-No-Retry"] == "1"
    assert on_slack.turns() == turns
    assert not {"D0PERSON0000", "U0PERSON0000"} & {to for _, _, to in on_slack.api.calls}


def test_a_body_that_is_not_text_is_refused(on_slack: Slack) -> None:
    assert on_slack.workspace.post(b"\xff\xfe", {**JSON, **signed(b"\xff\xfe")}).status_code == 401


def test_what_is_too_big_is_not_read(on_slack: Slack) -> None:
    turns = on_slack.turns()
    body = json.dumps(message_of("U0PERSON0000", "D0PERSON0000", "x" * 270_000)).encode()
    answer = requests.post(on_slack.workspace.url, data=body, headers={**JSON, **signed(body)}, timeout=30)
    assert (answer.status_code, list(answer.json())) == (413, ["error"])
    assert on_slack.turns() == turns


def test_other_methods_and_the_health_check(on_slack: Slack) -> None:
    base = on_slack.workspace.url.removesuffix("webhook")
    assert requests.get(base, timeout=30).json() == {"status": "ok"}
    for method in ("GET", "PUT", "DELETE"):
        assert requests.request(method, on_slack.workspace.url, timeout=30).status_code == 405


# ------------------------------------------------------------------ fuzz
JUNK: list[Any] = [
    None, True, 0, -1, 1.5, 10**30, "", " ", "x", "\x00", "\ud800", "<!channel>", "D", "U", "im", "message",
    "a" * 300, [], [None], {}, {"a": None}, {"id": None}, {"id": "U0PERSON0001"}, {"type": "button"},
    [[[[]]]], "/greet",
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each part of a JSON value."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield from places(part, (*path, key))


def fuzzed(value: Any, chance: random.Random, number: int) -> Any:
    """The value with some of its parts gone, or something else. Its id stays one of its own."""
    value = deepcopy(value)
    for _ in range(chance.randint(1, 12)):
        if not value:
            break
        *way, last = chance.choice(list(places(value)))
        part = value
        for key in way:
            part = part[key]
        if chance.random() < 0.4:
            del part[last]
        else:
            part[last] = deepcopy(chance.choice(JUNK))
    for name in ("event_id", "trigger_id"):
        if isinstance(value.get(name), str) and value[name] in JUNK:
            value[name] += str(number)
    return value


def is_text(value: Any, pattern: str) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(pattern, value, re.DOTALL))


def is_message(body: Any) -> bool:
    """Whether a person wrote this to the assistant in private: the rules once more, told otherwise."""
    event = body.get("event")
    if body.get("type") != "event_callback" or not isinstance(event, dict):
        return False
    written = event.get("type") == "message" and event.get("channel_type") == "im"
    written = written and event.get("subtype") in (None, "file_share", "me_message", "thread_broadcast")
    by_nobody = event.get("bot_id") or event.get("hidden")
    thread = event.get("thread_ts")
    files = event.get("subtype") == "file_share" or event.get("files")
    text = event.get("text") or ""
    return bool(
        written
        and not by_nobody
        and is_text(body.get("event_id"), ".{1,200}")
        and is_text(body.get("team_id"), "[TE][A-Z0-9]{2,30}")
        and is_text(event.get("user"), "[UW][A-Z0-9]{2,30}")
        and is_text(event.get("channel"), "D[A-Z0-9]{2,30}")
        and (not thread or event.get("subtype") == "thread_broadcast" or is_text(thread, r"\d+\.\d+"))
        and isinstance(text, str)
        and not (files and not text.strip())
        and "\ud800" not in str(body.get("event_id"))
    )


def is_press(body: Any) -> bool:
    """Whether a person pressed a button in private."""
    try:
        action, message, channel = body["actions"][0], body["message"], body["channel"]["id"]
        return bool(
            isinstance(body["actions"], list)
            and body["type"] == "block_actions"
            and action["type"] == "button"
            and is_text(action["value"], ".{1,2000}")
            and is_text(action["text"]["text"], ".{1,200}")
            and is_text(message["ts"], r"\d+\.\d+")
            and (not message.get("thread_ts") or is_text(message["thread_ts"], r"\d+\.\d+"))
            and is_text(channel, "D[A-Z0-9]{2,30}")
            and is_text(body["user"]["id"], "[UW][A-Z0-9]{2,30}")
            and is_text(body["team"]["id"], "[TE][A-Z0-9]{2,30}")
            and is_text(body["trigger_id"], ".{1,200}")
            and "\ud800" not in body["trigger_id"]
        )
    except (KeyError, IndexError, TypeError, AttributeError):
        return False


def is_command(form: dict[str, str]) -> bool:
    """Whether a person typed the command."""
    return bool(
        "command" in form
        and "payload" not in form
        and is_text(form.get("user_id"), "[UW][A-Z0-9]{2,30}")
        and is_text(form.get("team_id"), "[TE][A-Z0-9]{2,30}")
        and is_text(form.get("trigger_id"), ".{1,200}")
    )


def test_a_thousand_odd_requests(on_slack: Slack) -> None:
    chance = random.Random(SEED)
    person = Person(on_slack)
    person.say("hi")
    message, button = deepcopy(person.buttons["Yes, ask me"])
    turns, statuses, taken = on_slack.turns(), Counter[int](), 0
    marks = [f"forged {number} {person.user}" for number in range(FUZZED)]
    for number, mark in enumerate(marks):
        kind = chance.choice(["message", "press", "command", "event", "forgery"])
        if kind == "press":
            message.ts = f"1600000000.{number:06}"
            body = fuzzed(press_of(person.user, message, button), chance, number)
            meant = is_press(body)
            answer = on_slack.workspace.send_form({"payload": json.dumps(body)})
        elif kind == "command":
            body = fuzzed(command_of(person.user, "hi"), chance, number)
            body = {name: str(value).encode(errors="ignore").decode() for name, value in body.items()}
            if "trigger_id" in body:
                body["trigger_id"] += str(number)
            meant = is_command(body)
            answer = on_slack.workspace.send_form(body)
        elif kind == "forgery":
            raw = json.dumps(message_of(person.user, person.channel, mark)).encode()
            meant = False
            answer = on_slack.workspace.post(raw, {**JSON, **chance.choice(list(forgeries(raw).values()))})
            assert answer.status_code == 401
        else:
            others = [mention_of(person.user, mark), *ignored(person)]
            others += [{"type": "url_verification", "challenge": "c", "token": "t"}]
            written = message_of(person.user, person.channel, "hi")
            body = fuzzed(written if kind == "message" else chance.choice(others), chance, number)
            meant = is_message(body)
            answer = on_slack.workspace.send_json(body)
        assert answer.status_code in ({200} if meant else {200, 400, 401}), (kind, body)
        statuses[answer.status_code] += 1
        taken += meant
    on_slack.api.wait(lambda: on_slack.turns() >= turns + taken, "end of all turns", 240)
    person.say("hello")
    assert on_slack.turns() == turns + taken + 1
    assert taken > 50 and min(statuses[status] for status in (200, 400, 401)) > 100
    told = "\n".join(str(row[0]) for row in on_slack.rows("SELECT data FROM events"))
    assert not any(mark in told for mark in marks)
    assert "Traceback" not in on_slack.assistant.log()


# ------------------------------------------------------------------ order, and many at once
def test_what_is_sent_again_is_answered_once(person: Person) -> None:
    event = message_of(person.user, person.channel, "hi")
    retry = {"X_Slack_Retry_Num": "1", "X_Slack_Retry_Reason": "http_timeout"}
    with ThreadPoolExecutor(4) as pool:
        post = Workspace(person.slack.assistant.url).send_json
        answers = list(pool.map(lambda _: post(event, **retry), range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    person.slack.api.wait(lambda: person.ended(1), "end of the turn")
    person.say("hello")
    # An old one that comes late changes nothing.
    assert person.slack.workspace.send_json(event).status_code == 200
    person.say("bye")
    assert person.texts() == ["hi", "hello", "bye"]


def test_messages_of_one_person_are_answered_in_their_order(person: Person) -> None:
    texts = ["hi", "help", "privacy", "thank you", "what can cause it?", "bye"]
    for text in texts:
        person.slack.workspace.send_json(message_of(person.user, person.channel, text))
    person.slack.api.wait(lambda: person.ended(len(texts)), "end of all turns")
    said = [event["text"] for event in person.events() if event["event"] == "bot" and event.get("text")]
    person.slack.api.wait(lambda: len(person.heard) >= len(said), "answers")
    assert person.texts() == texts
    assert [message.shown for message in person.heard] == said


def test_two_people_at_once(on_slack: Slack) -> None:
    def converse(person: Person) -> Person:
        person.slack = Slack(on_slack.assistant, on_slack.api, on_slack.folder)
        person.say("I bleed after sex")
        for _ in range(3):
            person.say(ORDINARY[str(person.asked)])
        return person

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(converse, [Person(on_slack), Person(on_slack)])
    assert one.texts() == other.texts()
    assert [message.shown for message in one.heard] == [message.shown for message in other.heard]
    assert one.conversation != other.conversation


def test_slow_sending_to_one_holds_up_nobody_else(on_slack: Slack) -> None:
    slow, other = Person(on_slack), Person(on_slack)
    on_slack.api.held[slow.channel] = held = threading.Event()
    try:
        for text in ("hi", "bleeding after sex, I fainted"):
            on_slack.workspace.send_json(message_of(slow.user, slow.channel, text))
        on_slack.api.wait(lambda: slow.channel in {call[2] for call in on_slack.api.calls}, "call")
        assert other.say("hi") and other.press("Yes, ask me")
        # They are understood all the same, only not yet shown.
        on_slack.api.wait(lambda: slow.ended(2), "end of the turns")
        assert slow.heard == []
    finally:
        held.set()
        del on_slack.api.held[slow.channel]
    on_slack.api.wait(lambda: len(slow.heard) >= 2, "answer")
    greeting = RESPONSES["utter_greet"][0]["text"]
    assert slow.heard[0].shown == greeting
    on_slack.api.wait(lambda: any(EMERGENCY in m.shown for m in slow.heard), "emergency")


# ------------------------------------------------------------------ Slack is not well
def test_a_limit_is_waited_out(person: Person) -> None:
    person.slack.api.faults[person.channel] = [limited(2), limited(1)]
    start = len(person.slack.api.calls)
    assert person.say("hi") == [RESPONSES["utter_greet"][0]["text"]]
    first, second, third = (at for at, _, to in person.slack.api.calls[start:] if to == person.channel)
    assert second - first >= 2 and third - second >= 1


@pytest.mark.parametrize(
    "fault",
    [
        broken(500, b"<html>oops</html>"),
        broken(502, b"bad gateway", "text/plain"),
        broken(503, b""),
        broken(200, b"<html>not Slack</html>"),
        broken(200, b"{", "application/json"),
        broken(200, b"[]", "application/json"),
        broken(200, b"null", "application/json"),
        broken(200, b"ok", "text/plain"),
        broken(200, b'{"ok": false, "error": "internal_error"}', "application/json"),
        broken(200, b'{"ok": false}', "application/json"),
        broken(429, b"", "text/plain"),
    ],
    ids=["500", "502", "503", "html", "half", "list", "null", "text", "internal", "no error", "429 bare"],
)
def test_a_passing_fault_is_passed_over(person: Person, fault: Any) -> None:
    person.slack.api.faults[person.channel].append(fault)
    assert person.say("hi") == [RESPONSES["utter_greet"][0]["text"]]


def test_what_was_said_while_slack_was_down_comes_later_and_in_order(person: Person) -> None:
    person.say("hi")
    person.slack.api.down = True
    calls = len(person.slack.api.calls)
    for text in ("help", "bleeding after sex, soaking a pad every 30 minutes"):
        person.slack.workspace.send_json(message_of(person.user, person.channel, text))
    person.slack.api.wait(lambda: person.ended(3), "end of the turns")
    assert len(person.heard) == 1
    person.slack.api.down = False
    said = [event["text"] for event in person.events() if event["event"] == "bot" and event.get("text")]
    person.slack.api.wait(lambda: len(person.heard) >= len(said), "answers", 90)
    assert [message.shown for message in person.heard] == said
    assert len(person.slack.api.calls) > calls


@pytest.mark.parametrize("error", ["channel_not_found", "invalid_auth", "account_inactive", "is_archived"])
def test_what_will_not_pass_is_not_tried_again(person: Person, error: str) -> None:
    body = json.dumps({"ok": False, "error": error}).encode()
    person.slack.api.faults[person.channel].append(broken(200, body, "application/json"))
    before = len(person.slack.api.calls)
    person.slack.workspace.send_json(message_of(person.user, person.channel, "hi, my secret 4711"))
    person.slack.api.wait(
        lambda: f"chat.postMessage did not work: {error}" in person.slack.assistant.log(), "log"
    )
    assert [to for _, _, to in person.slack.api.calls[before:] if to == person.channel] == [person.channel]
    assert person.say("hello")


def test_a_conversation_that_cannot_be_opened_is_logged_without_names(person: Person) -> None:
    body = b'{"ok": false, "error": "user_disabled"}'
    person.slack.api.faults[person.user].append(broken(200, body, "application/json"))
    assert person.slack.workspace.send_form(command_of(person.user)).status_code == 200
    person.slack.api.wait(lambda: "could be opened: user_disabled" in person.slack.assistant.log(), "log")
    assert person.heard == []


# ------------------------------------------------------------------ what is left behind (these come last)
def test_no_log_has_secrets_or_words(on_slack: Slack) -> None:
    log = on_slack.assistant.log()
    for secret in (BOT_TOKEN, SIGNING_SECRET, KEY, TEAM, "U0PERSON", "D0PERSON", "4711", "soaking", "forged"):
        assert secret not in log, secret


def test_no_file_has_an_account(on_slack: Slack) -> None:
    files = [path for path in (on_slack.folder / "var").rglob("*") if path.is_file()]
    assert any(path.name == "conversations.db" for path in files)
    for path in files:
        for secret in (b"U0PERSON", b"D0PERSON", TEAM.encode(), BOT_TOKEN.encode(), SIGNING_SECRET.encode()):
            assert secret not in path.read_bytes(), (path.name, secret)
    assert all(
        re.fullmatch(r"slack-[0-9a-f]{40}", sender)
        for (sender,) in on_slack.rows("SELECT DISTINCT sender_id FROM events")
    )


def test_only_what_the_manifest_allows_was_called(on_slack: Slack) -> None:
    methods = {method for _, method, _ in on_slack.api.calls}
    assert methods == {"chat.postMessage", "chat.update", "chat.postEphemeral", "conversations.open"}


# ------------------------------------------------------------------ without actions, after a restart
def test_an_emergency_without_action_server_and_a_restart(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    with slack() as api:
        api.down = True
        event = {}
        with started_with_faults(folder, **variables(api)) as assistant:
            # It started while Slack could not be reached, and has no action server.
            person = Person(Slack(assistant, api, folder))
            api.down = False
            event = message_of(
                person.user, person.channel, "bleeding after sex, soaking a pad every 30 minutes"
            )
            said = person.turn(lambda: person.slack.workspace.send_json(event))
            assert said[0].startswith(EMERGENCY)
            late = message_of(person.user, person.channel, "help")
            # What was taken is answered, even if the server is stopped that moment.
            assert person.slack.workspace.send_json(late).status_code == 200
        heard = len(person.heard)
        assert heard > len(said)
        with started_with_faults(folder, SLACK_TEXT_IN_NOTIFICATIONS="1", **variables(api)) as assistant:
            person.slack = Slack(assistant, api, folder)
            for again in (event, late):
                assert person.slack.workspace.send_json(again).status_code == 200
            person.say("thank you")
            # Said to be read aloud: the words are where screen readers look for them.
            assert person.heard[-1].text == person.heard[-1].shown
            assert {message.text for message in person.heard[:heard]} == {NOTICE}
            assert person.texts() == [event["event"]["text"], "help", "thank you"]
        assert not any(api.mistakes.values())
