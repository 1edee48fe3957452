"""Telegram: whole conversations over a stand-in for its Bot API, and everything that must not be taken."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
import telegram
import yaml
from running import ROOT, Assistant, copied, started, started_with_faults, wait_until
from scenarios.runner import HARMLESS
from telegram_api import (
    BOT_TOKEN,
    PATH,
    SECRET,
    VARIABLES,
    Person,
    TelegramApi,
    buttons_of,
    deliver,
    telegram_api,
    texts_of,
)

from actions.turn import button
from assistant.channels import telegram_api as client
from assistant.channels.accounts import conversation_of
from assistant.channels.telegram_output import DATA_LIMIT, TEXT_LIMIT, keyboard, length, parts_of
from assistant.channels.telegram_updates import COMMANDS, command_or, read_update
from assistant.checks import StartError, check_telegram
from spotwise.knowledge import load_knowledge

RESPONSES = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))["responses"]


class Running:
    """An assistant with Telegram on, its stand-in, and the folder where it keeps things."""

    def __init__(self, assistant: Assistant, api: TelegramApi, folder: Path) -> None:
        self.assistant = assistant
        self.api = api
        self.folder = folder

    def person(self) -> Person:
        return Person(self.api, self.assistant.url)

    def tracker(self, person: Person) -> dict[str, Any]:
        """What is stored of a person's conversation."""
        key = (self.folder / "var" / "account.key").read_bytes()
        return self.assistant.tracker(conversation_of("telegram", str(person.id), key))

    def heard(self, person: Person) -> list[str]:
        """What Rasa was told by a person, in order."""
        return [event["text"] for event in self.tracker(person)["events"] if event["event"] == "user"]

    def has_begun(self, update_id: int) -> bool:
        """Whether an update was taken."""
        with sqlite3.connect(self.folder / "var" / "conversations.db") as database:
            query = "SELECT count(*) FROM handled_updates WHERE update_id = ?"
            return bool(database.execute(query, (str(update_id),)).fetchone()[0])

    def messages_stored(self) -> int:
        """How many messages of anybody are stored."""
        with sqlite3.connect(self.folder / "var" / "conversations.db") as database:
            row = database.execute("SELECT count(*) FROM events WHERE type_name = 'user'").fetchone()
            return int(row[0])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An assistant as `make serve` runs it."""
    folder = copied(tmp_path_factory.mktemp("telegram"))
    with telegram_api() as api, started(folder, **VARIABLES, TELEGRAM_API_URL=api.url) as assistant:
        yield Running(assistant, api, folder)


def words(response: str) -> str:
    """The only wording of a response."""
    return str(RESPONSES[response][0]["text"]).strip()


def says(response: str, messages: list[dict[str, Any]]) -> bool:
    """Whether a response is among the messages, in any of its wordings."""
    texts = texts_of(messages)
    gaps = (re.sub(r"\\\{\w+\\\}", "(?s:.+)", re.escape(v["text"].strip())) for v in RESPONSES[response])
    return any(re.search(pattern, text) for pattern in gaps for text in texts)


def question_in(messages: list[dict[str, Any]]) -> str | None:
    """Which question was put last."""
    for message in reversed(messages):
        for name in RESPONSES:
            if name.startswith("utter_ask_") and says(name, [message]):
                return name.removeprefix("utter_ask_")
    return None


def until(holds: Any, what: str, limit: float = 60) -> None:
    end = time.monotonic() + limit
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.05)


# ------------------------------------------------------------------ whole conversations
HARMLESS_WORDS = {
    "danger_signs": "no none of that",
    "pregnancy": "no I am not pregnant",
    "bleeding_amount": "just a few spots",
    "bleeding_status": "it has stopped",
    "pain": "no pain",
    "consent": "yes I wanted it",
    "age_group": "27",
    "periods": "I still have my periods",
    "episode_count": "this is the first time",
    "symptoms": "no none",
    "contraception": "condoms",
    "medical_history": "none of these",
    "circumstances": "nothing special",
}


def title_for(messages: list[dict[str, Any]]) -> str:
    """The button of the harmless answer to the question that was put."""
    asked = question_in(messages)
    assert asked, texts_of(messages)
    for offered in buttons_of(messages[-1]):
        facts = offered["callback_data"].partition("{")[2]
        if facts and json.loads("{" + facts) == {asked: HARMLESS[asked]}:
            return offered["text"]
    return "Not sure"


def assert_assessed(messages: list[dict[str, Any]]) -> None:
    """An assessment with all the lines that are always said."""
    for response in ("utter_calm", "utter_what_to_do", "utter_criteria", "utter_limits"):
        assert says(response, messages), (response, texts_of(messages))


def test_the_channel_is_on_and_nothing_was_asked_of_telegram(running: Running) -> None:
    wait_until(lambda: "Channels: Rest, Telegram, Web." in running.assistant.log(), "the line of channels")
    with telegram_api() as api:
        assert api.calls == []


def test_a_conversation_by_buttons(running: Running) -> None:
    person = running.person()
    assert says("utter_greet", person.write("/start"))
    messages = person.press("Yes, ask me")
    for _ in range(20):
        if question_in(messages) is None:
            break
        messages = person.press(title_for(messages))
    assert_assessed(messages)
    assert running.tracker(person)["slots"]["urgency"]
    # Each keyboard that was used shows what was chosen, in place of the buttons.
    until(lambda: not any(map(buttons_of, person.chat.messages[:-1])), "the last one is marked")
    used = [message for message in person.chat.messages if "✓" in message["text"]]
    assert len(used) >= 10
    assert not any(buttons_of(message) for message in used)
    assert used[0]["text"].endswith("✓ Yes, ask me")
    until(lambda: all(running.api.queries.values()), "every press is answered")
    # and afterwards it can be asked more
    assert person.press("What can I do now?")
    assert running.assistant.complaints() == []


def test_a_conversation_by_text(running: Running) -> None:
    person = running.person()
    messages = person.write("hello, I bleed after sex")
    for _ in range(20):
        asked = question_in(messages)
        if asked is None:
            break
        messages = person.write(HARMLESS_WORDS[asked])
    assert_assessed(messages)
    assert running.assistant.complaints() == []


def test_an_emergency(running: Running) -> None:
    messages = running.person().write("bleeding after sex, soaking a pad every 30 minutes")
    assert says("utter_emergency", messages[:1])
    assert says("utter_criteria", messages)


def test_the_commands(running: Running) -> None:
    person = running.person()
    assert says("utter_greet", person.write("/start ref-123"))
    assert says("utter_help", person.write("/help@spotwise_bot"))
    assert says("utter_privacy", person.write("/privacy"))
    person.write("I bleed after sex, just spotting")
    assert says("utter_restart", person.write("/restart"))
    assert running.tracker(person)["slots"]["bleeding_amount"] is None
    assert says("utter_confirm_delete", person.write("/delete"))
    assert says("utter_deleted", person.press("Yes, forget it"))
    assert running.heard(person) == []
    assert person.write("/unknown")


def test_a_command_is_a_command_only_at_the_start() -> None:
    assert command_or("/HELP me") == "/help"
    assert command_or("/helpless") == "/helpless"
    assert command_or("say /help") == "say /help"


def test_two_people_at_once(running: Running) -> None:
    people = [running.person() for _ in range(4)]
    ages = ["27", "33", "44", "52"]

    def talk(person: Person, age: str) -> None:
        person.write("I bleed after sex")
        person.write(f"I am {age}")

    with ThreadPoolExecutor() as pool:
        list(pool.map(talk, people, ages))
    assert [running.tracker(person)["slots"]["age"] for person in people] == [27, 33, 44, 52]


def test_messages_of_one_person_stay_in_order(running: Running) -> None:
    """Sent all at once, without waiting for an answer in between."""
    person = running.person()
    texts = [f"my age is {age}" for age in range(20, 28)]
    updates = [person.message(text=text) for text in texts]
    threads = []
    for update in updates:
        thread = threading.Thread(target=person.send, args=(update,))
        thread.start()
        threads.append(thread)
        until(lambda number=update["update_id"]: running.has_begun(number), "it was taken")
    for thread in threads:
        thread.join()
    assert running.heard(person) == texts


# ------------------------------------------------------------------ what else people send
OTHER_CONTENT: dict[str, Any] = {
    "photo": [{"file_id": "a", "file_unique_id": "a", "width": 1, "height": 1}],
    "voice": {"file_id": "a", "file_unique_id": "a", "duration": 3},
    "sticker": {
        "file_id": "a",
        "file_unique_id": "a",
        "type": "regular",
        "width": 1,
        "height": 1,
        "is_animated": False,
        "is_video": False,
    },
    "location": {"longitude": 1.0, "latitude": 1.0},
    "contact": {"phone_number": "1", "first_name": "A"},
    "document": {"file_id": "a", "file_unique_id": "a"},
    "dice": {"emoji": "🎲", "value": 3},
    "invented_next_year": {"a": 1},
}


@pytest.mark.parametrize("kind", OTHER_CONTENT)
def test_only_text_is_read_and_that_is_said(running: Running, kind: str) -> None:
    person = running.person()
    messages = person.send(person.message(**{kind: OTHER_CONTENT[kind]}))
    assert texts_of(messages) == [words("utter_only_text")]
    assert running.heard(person) == []


def test_the_words_below_a_picture_are_read(running: Running) -> None:
    person = running.person()
    messages = person.send(
        person.message(photo=OTHER_CONTENT["photo"], caption="I fainted and I bleed a lot")
    )
    assert texts_of(messages)[0] == words("utter_only_text")
    assert says("utter_emergency", messages)


def test_service_messages_are_let_go(running: Running) -> None:
    person = running.person()
    for content in (
        {"message_auto_delete_timer_changed": {"message_auto_delete_time": 60}},
        {"write_access_allowed": {}},
        {"pinned_message": person.message(text="x")["message"]},
    ):
        assert person.send(person.message(**content)) == []
    assert running.heard(person) == []


def test_a_group_is_told_once_to_write_in_private(running: Running) -> None:
    person = running.person()
    group = running.api.chat(-1_001_000_000_000 - person.id)
    for text in ("/start", "@spotwise_bot I bleed after sex", "hello?"):
        update = person.message(text=text)
        update["message"]["chat"] = {"id": group.id, "type": "supergroup", "title": "Family"}
        person.send(update)
    assert texts_of(group.messages) == [words("utter_write_privately")]
    assert not re.search(r"bleed|health|sex|doctor", group.messages[0]["text"], re.IGNORECASE)
    press = person.press_on(group.messages[0], "/report_emergency")
    person.send(press)
    assert len(group.messages) == 1
    until(lambda: running.api.queries[press["callback_query"]["id"]], "the press is answered")
    assert running.heard(person) == []


def test_odd_presses(running: Running) -> None:
    person = running.person()
    person.write("/start")
    message = person.chat.messages[-1]
    forged = [
        '/describe_spotting{"pain":"nonsense"}',
        "/session_start",
        "/action_listen",
        "no slash",
        "/EXTERNAL: x",
    ]
    for data in forged:
        assert person.send(person.press_on(message, data))
    stored = running.heard(person)
    assert not any(data in stored for data in forged if data.startswith("/"))
    too_old = person.press_on(
        {"chat": message["chat"], "message_id": message["message_id"], "date": 0}, "/help"
    )
    helped = person.send(too_old)
    assert says("utter_help", helped) or says("utter_help_here", helped)
    without_message = person.press_on(message, "/help")
    del without_message["callback_query"]["message"]
    assert person.send(without_message) == []
    until(lambda: all(running.api.queries.values()), "every press is answered")


def test_a_press_counts_once_however_often_a_finger_taps(running: Running) -> None:
    person = running.person()
    message = person.write("I bleed after sex")[-1]
    taps = [person.press_on(copy.deepcopy(message), "/dont_know") for _ in range(3)]
    answers = [person.send(tap) for tap in taps]
    assert answers[0] and answers[1:] == [[], []]
    assert running.heard(person).count("/dont_know") == 1
    until(lambda: all(running.api.queries.values()), "every press is answered")


def test_a_message_with_no_room_for_a_mark_loses_its_buttons(running: Running) -> None:
    person = running.person()
    message = person.write("/start")[-1]
    person.send(person.press_on({**message, "text": "x" * TEXT_LIMIT}, "/help"))
    until(lambda: not buttons_of(message), "the buttons are gone")
    assert message["text"] == words("utter_greet")


def test_buttons_of_a_question_go_once_it_was_answered_in_words(running: Running) -> None:
    """ "Not sure" would answer the next question instead; what can't be mistaken stays."""
    person = running.person()
    person.write("/start")
    menu = person.chat.messages[-1]
    question = person.write("I bleed after sex")[-1]
    assert question_in([question]) == "danger_signs" and buttons_of(question)
    person.send(person.message(sticker=OTHER_CONTENT["sticker"]))
    person.write("no none of that")
    until(lambda: not buttons_of(question), "its buttons are gone")
    assert "✓" not in question["text"]
    assert buttons_of(menu) and buttons_of(person.chat.messages[-1])


# ------------------------------------------------------------------ who may send updates
@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET + "x", SECRET[:-1], SECRET.upper(), "\xff\xfe"])
def test_a_forged_update_is_refused(running: Running, secret: str | None) -> None:
    person = running.person()
    before = running.messages_stored()
    response = deliver(running.assistant.url, person.message(text="I fainted"), secret)
    assert response.status_code == 401
    assert (person.chat.messages, running.messages_stored()) == ([], before)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe\x00", 400),
        (b"[]", 400),
        (b"7", 400),
        (b"null", 400),
        (b"{}", 400),
        (b'{"update_id": "7"}', 400),
        (b'{"update_id": -7}', 400),
        (b'{"update_id": true}', 400),
        (b'{"update_id": 1e9}', 400),
        (b'{"update_id": 99999999999999999999999}', 400),
        (b"[" * 100_000, 400),
        (b'{"update_id": 7, "message": "' + b"x" * 2_000_000 + b'"}', 413),
    ],
)
def test_what_is_no_update_is_refused(running: Running, body: bytes, status: int) -> None:
    assert deliver(running.assistant.url, body).status_code == status


def test_an_update_that_is_too_long_and_forged_is_not_even_read(running: Running) -> None:
    assert deliver(running.assistant.url, b"x" * 2_000_000, "wrong").status_code in (401, 413)


def test_other_methods_and_paths(running: Running) -> None:
    url = running.assistant.url
    assert requests.get(url + PATH, timeout=5).status_code == 405
    assert requests.get(url + "/webhooks/telegram/", timeout=5).json() == {"status": "ok"}
    assert requests.post(f"{url}/webhooks/telegram/{BOT_TOKEN}", timeout=5).status_code == 404


def test_the_longest_message_of_telegram_is_taken(running: Running) -> None:
    person = running.person()
    long = "🩸" * 2047 + " I bleed"
    update = person.message(text=long, reply_to_message=person.message(text=long)["message"])
    assert person.send(update)


# ------------------------------------------------------------------ twice, out of order
def test_an_update_that_comes_twice_is_answered_once(running: Running) -> None:
    person = running.person()
    update = person.message(text="I bleed after sex")
    assert person.send(update)
    assert person.send(update) == []
    with ThreadPoolExecutor() as pool:
        again = person.message(text="I am 27")
        before = len(person.chat.messages)
        list(pool.map(person.send, [again] * 5))
    assert running.heard(person) == ["I bleed after sex", "I am 27"]
    assert len(person.chat.messages) - before <= 4


def test_updates_may_come_in_any_order_of_numbers(running: Running) -> None:
    """After a quiet week, Telegram begins at any number, and one that failed comes late."""
    person = running.person()
    late, early = person.message(text="I am 27"), person.message(text="I bleed after sex")
    assert late["update_id"] < early["update_id"]
    assert person.send(early)
    assert person.send(late)
    assert running.heard(person) == ["I bleed after sex", "I am 27"]


# ------------------------------------------------------------------ every kind of update
def samples(person: Person) -> dict[str, dict[str, Any]]:
    """The content of an update of each kind that the Bot API knows."""
    message = person.message(text="I fainted and I bleed a lot")["message"]
    group = {"id": -100123, "type": "supergroup", "title": "T"}
    channel = {"id": -100124, "type": "channel", "title": "T"}
    member = {"status": "member", "user": person.user}
    member_update = {
        "chat": message["chat"],
        "from": person.user,
        "date": 1,
        "old_chat_member": member,
        "new_chat_member": {"status": "kicked", "user": person.user, "until_date": 0},
    }
    boost = {
        "boost_id": "b",
        "add_date": 1,
        "expiration_date": 2,
        "source": {"source": "premium", "user": person.user},
    }
    reaction = {"chat": message["chat"], "message_id": 1, "date": 1}
    posted = {**message, "chat": channel}
    return {
        "message": message,
        "edited_message": {**message, "edit_date": 2},
        "channel_post": posted,
        "edited_channel_post": {**posted, "edit_date": 2},
        "inline_query": {"id": "1", "from": person.user, "query": "I bleed", "offset": ""},
        "chosen_inline_result": {"result_id": "1", "from": person.user, "query": "I bleed"},
        "callback_query": person.press_on(message, "/help")["callback_query"],
        "shipping_query": {
            "id": "1",
            "from": person.user,
            "invoice_payload": "x",
            "shipping_address": {
                "country_code": "GB",
                "state": "",
                "city": "",
                "street_line1": "",
                "street_line2": "",
                "post_code": "",
            },
        },
        "pre_checkout_query": {
            "id": "1",
            "from": person.user,
            "currency": "GBP",
            "total_amount": 1,
            "invoice_payload": "x",
        },
        "poll": {
            "id": "1",
            "question": "?",
            "options": [{"text": "a", "voter_count": 0}],
            "total_voter_count": 0,
            "is_closed": False,
            "is_anonymous": True,
            "type": "regular",
            "allows_multiple_answers": False,
        },
        "poll_answer": {"poll_id": "1", "user": person.user, "option_ids": [0]},
        "my_chat_member": member_update,
        "chat_member": {**member_update, "chat": group},
        "chat_join_request": {"chat": group, "from": person.user, "user_chat_id": person.id, "date": 1},
        "chat_boost": {"chat": channel, "boost": boost},
        "removed_chat_boost": {"chat": channel, "boost_id": "b", "remove_date": 1, "source": boost["source"]},
        "message_reaction": {**reaction, "user": person.user, "old_reaction": [], "new_reaction": []},
        "message_reaction_count": {**reaction, "reactions": []},
        "business_connection": {
            "id": "1",
            "user": person.user,
            "user_chat_id": person.id,
            "date": 1,
            "is_enabled": True,
        },
        "business_message": {**message, "business_connection_id": "1"},
        "edited_business_message": {**message, "business_connection_id": "1", "edit_date": 2},
        "deleted_business_messages": {
            "business_connection_id": "1",
            "chat": message["chat"],
            "message_ids": [1],
        },
        "purchased_paid_media": {"from": person.user, "paid_media_payload": "x"},
        "managed_bot": {"user": person.user, "bot": {**person.user, "is_bot": True}},
        "guest_message": {**message, "guest_query_id": "1"},
        "invented_next_year": message,
    }


def mutated(value: Any, chance: random.Random) -> Any:
    """The same with something, anywhere, left out or replaced by a thing of another kind."""
    if isinstance(value, dict) and value and chance.random() < 0.8:
        key = chance.choice(list(value))
        if chance.random() < 0.2:
            return {name: part for name, part in value.items() if name != key}
        return {**value, key: mutated(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.8:
        at = chance.randrange(len(value))
        return [*value[:at], mutated(value[at], chance), *value[at + 1 :]]
    return chance.choice(
        [
            None,
            True,
            0,
            -1,
            2**70,
            1.5,
            "",
            "x",
            "\x00",
            "é\ud800",
            "/start",
            "x" * 5000,
            [],
            {},
            [[]],
            {"id": 1},
        ]
    )


def test_every_kind_of_update_is_sampled(running: Running) -> None:
    assert set(telegram.Update.ALL_TYPES) <= set(samples(running.person()))


def test_no_other_kind_of_update_does_anything(running: Running) -> None:
    person = running.person()
    before = (running.messages_stored(), len(running.api.calls))
    for kind, content in samples(person).items():
        if kind not in ("message", "callback_query"):
            update = {"update_id": running.api.number(), kind: content}
            assert deliver(running.assistant.url, update).status_code == 200, kind
    assert (running.messages_stored(), len(running.api.calls)) == before


def test_a_thousand_fuzzed_and_forged_updates(running: Running) -> None:
    """Each is answered 200, 400 or 401 as it should be; none that should not be taken is."""
    chance = random.Random(20)
    person = running.person()
    kinds = samples(person)
    before = (running.messages_stored(), len(running.api.calls))
    for number in range(1000):
        kind = chance.choice(list(kinds))
        content = mutated(kinds[kind], chance) if number % 4 else kinds[kind]
        forged = kind in ("message", "callback_query") or number % 3 == 0
        update = {"update_id": running.api.number(), kind: content}
        response = deliver(
            running.assistant.url, update, chance.choice([None, "x", SECRET[1:]]) if forged else SECRET
        )
        assert response.status_code == (401 if forged else 200), update
    assert (running.messages_stored(), len(running.api.calls)) == before


def test_fuzzed_messages_and_presses(running: Running) -> None:
    chance = random.Random(21)
    person = running.person()
    kinds = samples(person)
    for _ in range(300):
        kind = chance.choice(["message", "callback_query"])
        update = {"update_id": running.api.number(), kind: mutated(kinds[kind], chance)}
        assert deliver(running.assistant.url, update).status_code == 200, update
    assert "An update broke" not in running.assistant.log()
    assert says("utter_greet", running.person().write("/start"))


def test_an_update_of_nonsense_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    for update in ({"update_id": 1, "message": "I bleed"}, {"update_id": 1, "callback_query": {"id": 7}}):
        assert read_update(update) is None
    assert "I bleed" not in caplog.text


def test_other_bots_are_not_answered(running: Running) -> None:
    person = running.person()
    update = person.message(text="hello")
    update["message"]["from"]["is_bot"] = True
    assert person.send(update) == []


# ------------------------------------------------------------------ when Telegram does not play along
def test_haste_is_waited_out(running: Running) -> None:
    person = running.person()
    fault = running.api.fail(person.id, times=2, status=429, retry_after=2)
    messages = person.write("/start")
    assert says("utter_greet", messages)
    assert fault.seen == 2
    assert "called again before retry_after had passed" not in running.api.refused


def test_faults_of_the_server_are_tried_again(running: Running) -> None:
    person = running.person()
    fault = running.api.fail(person.id, times=3, status=502)
    assert says("utter_greet", person.write("/start"))
    assert fault.seen == 3


def test_words_stay_in_order_when_one_is_held_up(running: Running) -> None:
    person, calm = running.person(), running.person()
    expected = texts_of(calm.write("soaking a pad every 30 minutes"))
    running.api.fail(person.id, times=1, status=429, retry_after=1)
    assert texts_of(person.write("soaking a pad every 30 minutes")) == expected


def test_somebody_who_blocked_the_bot_is_left_in_peace(running: Running) -> None:
    person = running.person()
    person.chat.blocked = True
    calls = len(running.api.calls)
    assert person.write("/start") == []
    assert len(running.api.calls) - calls == 1
    person.chat.blocked = False
    assert says("utter_help", person.write("/help"))


def test_words_are_sent_without_buttons_rather_than_not_at_all(running: Running) -> None:
    person = running.person()
    running.api.fail(person.id, times=1, status=400)
    (message,) = person.write("/start")
    assert message["text"] == words("utter_greet")
    assert buttons_of(message) == []


def test_a_slow_send_to_one_holds_up_nobody_else(running: Running) -> None:
    slow, quick = running.person(), running.person()
    fault = running.api.fail(slow.id, times=1, delay=8)
    thread = threading.Thread(target=slow.write, args=("/start",))
    thread.start()
    until(lambda: fault.seen, "the slow send begins")
    assert quick.write("/start")
    assert slow.chat.messages == []
    thread.join()
    assert says("utter_greet", slow.chat.messages)


def test_an_update_is_acknowledged_even_if_its_words_cannot_be_sent_yet(running: Running) -> None:
    person = running.person()
    running.api.fail(person.id, times=1, status=429, retry_after=12)
    assert person.write("/start") == []
    assert person.send(person.message(text="/help")) == [] or person.chat.messages
    until(lambda: says("utter_help", person.chat.messages), "both answers come")
    assert says("utter_greet", person.chat.messages[:1])


def test_telegram_may_be_down_for_a_while(running: Running) -> None:
    person = running.person()
    running.api.down = True
    thread = threading.Thread(target=person.write, args=("bleeding, soaking a pad every 30 minutes",))
    thread.start()
    until(lambda: running.heard(person), "the turn is played")
    running.api.down = False
    thread.join()
    until(lambda: says("utter_criteria", person.chat.messages), "the words arrive")
    assert says("utter_emergency", person.chat.messages[:1])


def test_the_library_is_asked_for_nothing_it_can_not_give() -> None:
    """`patiently` gives up: at once where nothing can help, else after some tries or when it is too late."""
    calls: list[int] = []

    def failing(error: Exception) -> Any:
        async def call() -> None:
            calls.append(1)
            raise error

        return call

    async def tried(error: Exception, patience: float) -> int:
        calls.clear()
        with pytest.raises(type(error)):
            await client.patiently(failing(error), time.monotonic() + patience)
        return len(calls)

    for final in (
        telegram.error.BadRequest("x"),
        telegram.error.Forbidden("x"),
        telegram.error.InvalidToken("x"),
    ):
        assert asyncio.run(tried(final, 60)) == 1
    assert asyncio.run(tried(telegram.error.RetryAfter(30), 20)) == 1
    assert asyncio.run(tried(telegram.error.NetworkError("x"), 2)) == 3


def test_no_log_shows_the_token(caplog: pytest.LogCaptureFixture) -> None:
    """It is a part of every address that is called, which the HTTP library likes to log."""
    with telegram_api() as api, pytest.MonkeyPatch.context() as environment, caplog.at_level("DEBUG"):
        environment.setenv("TELEGRAM_API_URL", api.url)
        asyncio.run(client.bot_for(BOT_TOKEN).set_my_commands([("start", "Begin")]))
        assert api.commands
        api.down = True
        with pytest.raises(telegram.error.NetworkError):
            asyncio.run(client.bot_for(BOT_TOKEN).set_my_commands([("start", "Begin")]))
    assert BOT_TOKEN.partition(":")[2] not in caplog.text


# ------------------------------------------------------------------ killed, and started again
def test_killed_in_the_middle_of_a_turn(tmp_path: Path) -> None:
    """What was not answered is answered when Telegram sends it again; what was played is not played twice."""
    folder = copied(tmp_path)
    with telegram_api() as api:
        variables = {**VARIABLES, "TELEGRAM_API_URL": api.url}
        with started_with_faults(folder, **variables) as assistant:
            assistant.action_server("down")
            person, other, third = (Person(api, assistant.url) for _ in range(3))
            before = Running(assistant, api, folder)
            done = person.message(text="/start")
            assert person.send(done)
            # One dies while it is played, one when it was played and its words are on their way.
            assistant.action_server("hung")
            in_turn = person.message(text="what is a polyp?")  # only the action server knows
            sending = other.message(text="soaking a pad every 30 minutes")
            held = api.fail(other.id, times=1, status=502, delay=30)
            threads = [
                threading.Thread(target=broken_off, args=(assistant.url, update))
                for update in (sending, in_turn)
            ]
            threads[0].start()
            until(lambda: held.seen and before.heard(other), "the words are on their way")
            threads[1].start()
            until(lambda: before.has_begun(in_turn["update_id"]), "the turn begins")
            assistant.kill()
            for thread in threads:
                thread.join()
        with started_with_faults(folder, **variables) as assistant:
            after = Running(assistant, api, folder)
            for one in (person, other, third):
                one.url = assistant.url
            assert other.chat.messages == []
            assert person.send(done) == []
            assert after.heard(person) == ["/greet"]
            assert person.send(in_turn)
            messages = other.send(sending)
            assert says("utter_emergency", messages[:1]) and says("utter_criteria", messages)
            assert after.heard(person) == ["/greet", "what is a polyp?"]
            assert after.heard(other) == ["soaking a pad every 30 minutes"]
            # Without an action server, an emergency is told all the same, in the middle of questions too.
            assert says("utter_emergency", person.write("I just fainted"))
            assert says("utter_emergency", third.write("I bleed and I fainted"))


def broken_off(url: str, update: dict[str, Any]) -> None:
    """Deliver an update that will not be acknowledged."""
    with contextlib.suppress(requests.RequestException):
        deliver(url, update)


# ------------------------------------------------------------------ limits
def test_every_response_fits() -> None:
    for name, variations in RESPONSES.items():
        for variation in variations:
            assert len(list(parts_of(variation["text"]))) == 1, name
            offered = [
                {**one, "payload": one["payload"].replace("{{", "{").replace("}}", "}")}
                for one in variation.get("buttons", [])
            ]
            markup = keyboard(offered)
            assert len(markup.inline_keyboard if markup else ()) == len(offered), name
            for row in markup.inline_keyboard if markup else ():
                assert len(row) == 1
                assert 0 < len(str(row[0].callback_data).encode()) <= DATA_LIMIT


def test_every_button_that_actions_make_fits() -> None:
    buttons = [button(cause) for cause in load_knowledge().causes]
    markup = keyboard(buttons)
    assert markup and len(markup.inline_keyboard) == len(buttons) > 20


def test_a_button_that_does_not_fit_does_not_take_the_others_along() -> None:
    fits, long = {"title": "a", "payload": "/greet"}, {"title": "b", "payload": "/" + "é" * 32}
    markup = keyboard([fits, long, {"title": "", "payload": "/x"}, {"title": "c"}])
    assert markup and [row[0].text for row in markup.inline_keyboard] == ["a"]
    assert keyboard([long]) is None


def test_long_texts_are_cut_at_the_ends_of_sentences() -> None:
    sentences = [f"This is sentence number {number}, and it is not short." for number in range(300)]
    parts = list(parts_of(" ".join(sentences)))
    assert len(parts) > 2
    assert all(length(part) <= TEXT_LIMIT and part.endswith(".") for part in parts)
    assert " ".join(parts) == " ".join(sentences)


@pytest.mark.parametrize(
    "text", ["x" * 10_000, "word " * 3000, "🩸" * 6000, "line\n" * 3000, "a. " * 4096, "🩸x" * 3000]
)
def test_any_text_is_cut_into_parts_that_fit(text: str) -> None:
    parts = list(parts_of(text))
    assert all(0 < length(part) <= TEXT_LIMIT and part == part.strip() for part in parts)
    assert re.sub(r"\s", "", "".join(parts)) == re.sub(r"\s", "", text)
    assert list(parts_of("  \n ")) == []


def test_the_words_beside_the_commands() -> None:
    assert set(COMMANDS) == {"start", "help", "restart", "delete", "privacy"}
    for name, (payload, shown) in COMMANDS.items():
        assert re.fullmatch(r"[a-z]{1,32}", name)
        assert payload.startswith("/")
        assert 1 <= len(shown) <= 40 and "!" not in shown


# ------------------------------------------------------------------ how updates get here
def command(name: str, api: TelegramApi, **variables: str) -> subprocess.Popen[str]:
    """Run a command of the bot."""
    return subprocess.Popen(
        [sys.executable, "-m", "assistant.telegram_bot", name],
        cwd=ROOT,
        env={**os.environ, **VARIABLES, "TELEGRAM_API_URL": api.url, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_the_webhook_is_registered() -> None:
    with telegram_api() as api:
        ran = command("webhook", api, TELEGRAM_WEBHOOK_URL="https://bot.example.org")
        output, _ = ran.communicate(timeout=60)
        assert (ran.returncode, api.refused) == (0, [])
        assert output.strip() == f"Telegram now sends updates to https://bot.example.org{PATH}."
        assert api.webhook["url"] == f"https://bot.example.org{PATH}"
        assert api.webhook["secret_token"] == SECRET
        assert api.webhook["allowed_updates"] == ["message", "callback_query"]
        assert api.webhook["drop_pending_updates"] == "false"
        assert [one["command"] for one in api.commands["commands"]] == list(COMMANDS)
        assert api.commands["scope"] == {"type": "all_private_chats"}


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"TELEGRAM_WEBHOOK_URL": ""}, "TELEGRAM_WEBHOOK_URL"),
        ({"TELEGRAM_WEBHOOK_URL": "http://bot.example.org"}, "https://"),
        ({"TELEGRAM_WEBHOOK_URL": "https://bot.example.org:5005/x"}, "refused it: Bad webhook"),
        ({"TELEGRAM_TOKEN": "7:" + "x" * 30}, "does not know this TELEGRAM_TOKEN"),
        ({"TELEGRAM_TOKEN": ""}, "TELEGRAM_TOKEN"),
        ({"TELEGRAM_TOKEN": "x"}, "no bot's token"),
        ({"TELEGRAM_SECRET": "short"}, "TELEGRAM_SECRET must be"),
        ({"TELEGRAM_API_URL": "http://127.0.0.1:9"}, "can't be reached"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(variables: dict[str, str], complaint: str) -> None:
    with telegram_api() as api:
        ran = command("webhook", api, **{"TELEGRAM_WEBHOOK_URL": "https://bot.example.org", **variables})
        output, _ = ran.communicate(timeout=60)
        assert ran.returncode == 1
        assert output.count("\n") == 1 and output.startswith("spotwise: ") and complaint in output
        assert BOT_TOKEN not in output and SECRET not in output
        assert api.webhook == {}


def test_updates_can_be_fetched(running: Running) -> None:
    """Without a public address: asked for in turn, handed to the server, and forgotten when it took them."""
    with telegram_api() as api:
        port = running.assistant.url.rpartition(":")[2]
        person, other = running.person(), running.person()
        api.webhook = {"url": "https://old.example.org"}
        api.pending = [
            person.message(text="/start"),
            other.message(text="/help"),
            person.message(text="/help"),
        ]
        fetching = command("poll", api, PORT=port)
        try:
            until(lambda: len(person.chat.messages) == 2 and other.chat.messages, "the answers come")
            until(lambda: not api.pending, "Telegram may forget them")
        finally:
            fetching.terminate()
        output, _ = fetching.communicate(timeout=30)
        assert says("utter_greet", person.chat.messages[:1]) and says("utter_help", person.chat.messages[1:])
        assert (api.webhook, api.refused) == ({}, [])
        assert BOT_TOKEN not in output and "Traceback" not in output


def test_fetching_ends_with_a_word_where_it_cannot_work(running: Running) -> None:
    port = running.assistant.url.rpartition(":")[2]
    with telegram_api() as api:
        api.pending = [running.person().message(text="/start")]
        fetching = command("poll", api, PORT=port, TELEGRAM_SECRET="another-secret-than-the-server")
        output, _ = fetching.communicate(timeout=60)
        assert fetching.returncode == 1
        assert "spotwise: The server has another TELEGRAM_SECRET." in output
        assert len(api.pending) == 1


@pytest.mark.parametrize(
    ("name", "value"), [("TELEGRAM_TOKEN", "x"), ("TELEGRAM_SECRET", "short"), ("TELEGRAM_SECRET", "a b" * 9)]
)
def test_a_server_does_not_start_with_what_cannot_be_right(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, good in VARIABLES.items():
        monkeypatch.setenv(variable, good)
    check_telegram()
    monkeypatch.setenv(name, value)
    with pytest.raises(StartError, match=name) as fault:
        check_telegram()
    assert value not in str(fault.value) or value == "x"


# ------------------------------------------------------------------ last: what is left behind
def test_nothing_was_refused_that_the_assistant_should_know(running: Running) -> None:
    """But for what was ordered, and for edits of messages that never were."""
    expected = ("Bad Request: no", "message is not modified", "message to edit not found", "query is too old")
    others = [why for why in running.api.refused if not any(part in why for part in expected)]
    assert [why for why in others if "chat not found" not in why] == []


def test_no_token_name_or_account_is_kept_or_logged(running: Running) -> None:
    person = running.person()
    person.write("I bleed after sex, marker-of-this-test")
    log = running.assistant.log()
    kept = b"".join(path.read_bytes() for path in (running.folder / "var").rglob("*") if path.is_file())
    for secret in (BOT_TOKEN, BOT_TOKEN.partition(":")[2], SECRET, str(person.id), "Privatov", "Alexandra"):
        assert secret not in log
        assert secret.encode() not in kept
    assert "marker-of-this-test" not in log
    assert b"marker-of-this-test" in kept
