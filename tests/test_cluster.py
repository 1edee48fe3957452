"""Two servers behind nginx with PostgreSQL, Redis and RabbitMQ, as deploy/ has them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import aio_pika
import pytest
import requests
import yaml
from cluster import Cluster, started_cluster
from engines import (
    Engine,
    free_port,
    postgres_url,
    sql,
)
from people import (
    ANSWER_LIMIT,
    ANSWERS,
    SAFE_WORDS,
    Person,
    all_go_on,
    an_emergency_is_answered,
    nobody_is_left_alone,
    people,
    said,
)
from running import ROOT, TOKEN, listens, wait_until

fault = pytest.mark.fault
MARKER = "zebrafinch"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two servers and all that they need."""
    with started_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


# ------------------------------------------------------------------ one conversation on two servers
def test_a_conversation_on_two_servers_stays_whole(cluster: Cluster) -> None:
    before = [server.turns() for server in cluster.servers]
    person = Person(cluster, "both", 0)
    for _ in ANSWERS:
        person.answer_next(cluster)
    person.is_where_they_were(cluster)
    took = [server.turns() - earlier for server, earlier in zip(cluster.servers, before, strict=True)]
    assert min(took) >= 2 and sum(took) == len(ANSWERS) + 2
    told = [event["text"] for event in cluster.tracker("both")["events"] if event["event"] == "user"]
    assert told == ["I bleed after sex", *ANSWERS, "why do you ask that?"]


def test_many_conversations_on_two_servers_stay_apart(cluster: Cluster) -> None:
    with ThreadPoolExecutor(8) as pool:
        everybody = list(pool.map(lambda n: Person(cluster, f"apart-{n}", n % 4), range(16)))
    all_go_on(cluster, everybody)


def test_messages_of_one_person_at_once_are_taken_one_by_one(cluster: Cluster) -> None:
    person = Person(cluster, "at-once", 2)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: cluster.say(person.name, "why do you ask that?"), range(6)))
    assert all(said(messages) and SAFE_WORDS not in said(messages) for messages, _ in answers)
    person.is_where_they_were(cluster)


# ------------------------------------------------------------------ what can break
@fault("one of two servers killed under load", "nobody who was answered has to say it again")
def test_a_server_is_killed_under_load(cluster: Cluster) -> None:
    everybody = [Person(cluster, f"load-{number}", 0) for number in range(12)]

    def goes_on(person: Person) -> None:
        for text in ANSWERS[:3]:
            for _ in range(20):  # told again until it is acknowledged, as people do
                messages, took = cluster.say(person.name, text)
                assert said(messages) and took < ANSWER_LIMIT
                if SAFE_WORDS not in said(messages):
                    break
            person.answers += 1

    with ThreadPoolExecutor(6) as pool:
        talks = [pool.submit(goes_on, person) for person in everybody]
        wait_until(lambda: sum(person.answers for person in everybody) >= 6, "some answers")
        cluster.servers[1].kill()
        for talk in talks:
            talk.result()
    an_emergency_is_answered(cluster, "load")
    for person in everybody:
        slots = cluster.tracker(person.name)["slots"]
        facts = (slots["danger_signs"], slots["pregnancy"], slots["bleeding_amount"])
        assert facts == (["none"], "no", "spotting")
    cluster.servers[1].start()
    cluster.recovers()


@fault("both servers killed", "nginx says the safe words")
def test_no_server_is_left(cluster: Cluster) -> None:
    everybody = people(cluster, "none-left")
    for server in cluster.servers:
        server.kill()
    messages, _ = cluster.say("anybody", "hello")
    assert SAFE_WORDS in said(messages) and "112, 911 or 999" in said(messages)
    for server in cluster.servers:
        server.start()
    cluster.recovers()
    all_go_on(cluster, everybody)


@pytest.mark.parametrize("how", ["killed", "frozen"])
@fault("PostgreSQL {how} and back", "emergencies are answered; else the safe words; told in `/ready`")
def test_the_database_is_gone(cluster: Cluster, how: str) -> None:
    everybody = people(cluster, f"database-{how}")
    with gone(cluster.engines["postgres"], how):
        nobody_is_left_alone(cluster, f"database-{how}", everybody)
        messages, took = cluster.say(everybody[2].name, "it hurts a lot")
        assert SAFE_WORDS in said(messages) and took < ANSWER_LIMIT
        cluster.tells_that_down("store")
    cluster.recovers()
    all_go_on(cluster, everybody)


@pytest.mark.parametrize("how", ["killed", "frozen"])
@fault("Redis {how} and back", "nothing; told in `/ready`")
def test_redis_is_gone(cluster: Cluster, how: str) -> None:
    everybody = people(cluster, f"redis-{how}")
    with gone(cluster.engines["redis"], how):
        nobody_is_left_alone(cluster, f"redis-{how}", everybody)
        everybody[0].answer_next(cluster)
        cluster.tells_that_down("locks")
        # Two servers without a common lock: the store sees to it that nothing is mixed.
        with ThreadPoolExecutor(6) as pool:
            answers = pool.map(lambda _: cluster.say(everybody[1].name, "why do you ask that?"), range(6))
            assert all(said(messages) for messages, _ in answers)
    cluster.recovers()
    all_go_on(cluster, everybody)


@pytest.mark.parametrize("how", ["killed", "frozen"])
@fault("RabbitMQ {how} and back", "nothing; told in `/ready`")
def test_the_broker_is_gone(cluster: Cluster, how: str) -> None:
    everybody = people(cluster, f"broker-{how}")
    with gone(cluster.engines["rabbitmq"], how):
        nobody_is_left_alone(cluster, f"broker-{how}", everybody)
        all_go_on(cluster, everybody)
        if how == "killed":
            cluster.tells_that_down("broker")
    cluster.recovers()


@contextlib.contextmanager
def gone(engine: Engine, how: str) -> Iterator[None]:
    """An engine is killed, or frozen, and comes back."""
    if how == "killed":
        engine.kill()
    else:
        engine.hang(True)
    try:
        yield
    finally:
        if how == "killed":
            engine.start()
        else:
            engine.hang(False)


# ------------------------------------------------------------------ what others may see
def test_nothing_can_be_read_in_database_and_queue(cluster: Cluster) -> None:
    cluster.say(f"{MARKER}-person", f"my {MARKER} hurts and I bleed after sex")
    cluster.say(f"{MARKER}-person", "what is a polyp?")
    dump = subprocess.run(
        ["pg_dump", "--inserts", postgres_url(cluster.engines["postgres"])], capture_output=True, text=True
    ).stdout
    assert "INSERT INTO public.events" in dump
    assert MARKER not in dump.replace(f"{MARKER}-person", "")
    assert "what is a polyp" not in dump and "action_listen" not in dump
    events = asyncio.run(published(cluster.engines["rabbitmq"].port))
    assert len(events) > 10
    assert {key for event in events for key in event} == {"event", "name", "at"}
    assert MARKER not in json.dumps(events)
    for log in (server.log for server in cluster.servers):
        assert MARKER not in log.read_text()


async def published(port: int) -> list[dict[str, Any]]:
    """The events that wait in the queue."""
    found = []
    async with await aio_pika.connect(f"amqp://guest:guest@127.0.0.1:{port}/") as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("spotwise-events", durable=True)
        while (message := await queue.get(fail=False, no_ack=True)) is not None:
            found.append(json.loads(message.body))
    return found


def test_nginx_keeps_the_inside_to_itself(cluster: Cluster) -> None:
    for path in ("ready", "metrics", "status", "conversations/x/tracker", "model"):
        answer = requests.get(f"{cluster.url}/{path}", params={"token": TOKEN}, timeout=10)
        assert answer.status_code == 404, path
    assert requests.get(f"{cluster.url}/health", timeout=10).json() == {"status": "ok"}
    for path in ("", "spotwise-chat.js", "spotwise.css", "spotwise.svg"):
        assert requests.get(f"{cluster.url}/{path}", timeout=10).status_code == 200, path


def test_delete_my_data_deletes_in_postgres(cluster: Cluster) -> None:
    cluster.say("deletes", "I bleed after sex")
    cluster.say("deletes", "delete my data")
    assert "It's done" in said(cluster.say("deletes", "/affirm")[0])
    assert sql(
        cluster.engines["postgres"],
        "DO $$ BEGIN ASSERT NOT EXISTS (SELECT 1 FROM events WHERE sender_id = 'deletes'); END $$",
    )


# ------------------------------------------------------------------ backups
def test_a_backup_of_postgres_is_restored(cluster: Cluster, tmp_path: Path) -> None:
    everybody = people(cluster, "backup")
    url = postgres_url(cluster.engines["postgres"])
    backup = tmp_path / "backup"
    subprocess.run(["pg_dump", "--format=custom", "--file", str(backup), url], check=True)
    assert sql(cluster.engines["postgres"], "DROP TABLE events, store_probe")
    subprocess.run(["pg_restore", "--clean", "--if-exists", "--dbname", url, str(backup)], check=True)
    cluster.recovers()
    all_go_on(cluster, everybody)


# ------------------------------------------------------------------ the shape itself
def test_the_action_server_runs_without_rasa_and_tensorflow(tmp_path: Path) -> None:
    port = free_port()
    program = (
        "import sys\n"
        "for name in ('rasa', 'tensorflow', 'spacy', 'assistant'): sys.modules[name] = None\n"
        "from rasa_sdk.__main__ import main_from_args\n"
        "from rasa_sdk.endpoint import create_argument_parser\n"
        f"arguments = ['--actions', 'actions', '--port', '{port}', '--quiet']\n"
        "main_from_args(create_argument_parser().parse_args(arguments))\n"
    )
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=log, stderr=log)
    try:
        wait_until(lambda: listens(port), "the action server", server, tmp_path / "log", limit=60)
        names = {a["name"] for a in requests.get(f"http://127.0.0.1:{port}/actions", timeout=10).json()}
        assert {"action_give_assessment", "validate_spotting_form"} <= names
    finally:
        server.terminate()
        server.wait()
    locked = (ROOT / "deploy" / "requirements.actions.txt").read_text()
    versions = set(re.findall(r"^([a-z0-9_.-]+==[^ ;\\]+)", locked, re.MULTILINE))
    assert not any(name.startswith(("tensorflow", "rasa==", "spacy")) for name in versions)
    ours = set(
        re.findall(r"^([a-z0-9_.-]+==[^ ;\\]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    )
    assert versions <= ours


def test_every_variable_of_the_shape_is_explained() -> None:
    endpoints = (ROOT / "deploy" / "endpoints.production.yml").read_text()
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yml").read_text())
    named = set(re.findall(r"\$\{(\w+)\}", endpoints)) | set(compose["x-server"]["environment"])
    page = (ROOT / "deploy" / "README.md").read_text()
    assert [name for name in sorted(named) if f"`{name}`" not in page] == []
    assert set(re.findall(r"\$\{(\w+)\}", endpoints)) <= set(compose["x-server"]["environment"])
    assert len(list(yaml.safe_load_all((ROOT / "deploy/kubernetes/spotwise.yml").read_text()))) == 5
