"""Start the assistant: `python -m assistant.run serve` or `chat`.

Rasa's custom actions live in a process of their own. supervisord (deploy/supervisord.conf) starts the
processes, restarts one that dies, and stops them all. The other commands are those processes.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import functools
import gc
import logging
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import yaml

from assistant import silence_libraries
from assistant.checks import (
    MODEL,
    ROOT,
    VAR,
    StartError,
    check_knowledge,
    check_model,
    check_port,
    check_telegram,
    free_port,
    keep_days,
    port_setting,
)
from assistant.holding import BACKLOG, Holding, listening
from assistant.webpage import ORIGINS, WebPage
from assistant.without_tensorflow import leave_out_tensorflow
from spotwise.dialogue import NO_ANSWER

LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"
SHELL_CHANNEL = "assistant.channels.rest.ShellChannel"
WEB = "assistant.channels.web.WebChannel"


# --- what people start ---


def serve() -> None:
    """Run the assistant on PORT until it is stopped."""
    port = port_setting("PORT", 5005)
    check_port(port, EVERYWHERE)
    check_telegram()
    check_knowledge()
    check_model()
    web_page(channels_on(read_channels()))
    prepare(port)
    check_store()
    stop_on(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    print("Starting Spotwise. This takes about half a minute. Ctrl-C stops it.", flush=True)
    with supervised("serve") as supervisord:
        assert supervisord.stdout is not None
        for line in supervisord.stdout:
            sys.stdout.buffer.write(line)
            sys.stdout.flush()
    raise StartError("The Rasa server could not be kept running; the lines above say why.")


def chat() -> None:
    """Talk to the assistant in the terminal."""
    check_knowledge()
    check_model()
    prepare(free_port())
    check_store()
    # Ctrl-C is for the shell; when that ends, so does the rest. (SIG_IGN would be inherited by the shell.)
    signal.signal(signal.SIGINT, lambda *_: None)
    stop_on(signal.SIGTERM, signal.SIGHUP)
    print("Starting Spotwise. This takes about half a minute.", flush=True)
    with supervised("chat"), subprocess.Popen(own_command("rasa-shell"), cwd=ROOT) as shell:
        try:
            status = shell.wait()
        finally:
            shell.terminate()
    if status > 0:
        raise SystemExit(status)


def prepare(port: int) -> None:
    """Settle what every process has to agree on."""
    # Conversations are private: only the user who runs the assistant may read them.
    VAR.mkdir(exist_ok=True)
    VAR.chmod(0o700)
    (VAR / "log").mkdir(exist_ok=True)
    os.environ["PORT"] = str(port)
    os.environ["ACTIONS_PORT"] = str(free_port(port_setting("ACTIONS_PORT", 5055)))


def check_store() -> None:
    """Refuse settings that don't fit what is stored, before any process is started again and again."""
    done = subprocess.run(own_command("check-store"), cwd=ROOT)
    if done.returncode:
        raise SystemExit(done.returncode)


def stop_on(*signals: signal.Signals) -> None:
    """End the program in good order on these signals, save for one that it was started to ignore (nohup)."""

    def leave(*_: object) -> None:
        raise SystemExit(0)

    for number in signals:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, leave)
    if sys.stdin and sys.stdin.isatty():
        threading.Thread(target=watch_terminal, daemon=True).start()


def watch_terminal() -> None:
    """Hang up when the terminal is gone; only the first process in it is told (`ssh -t host make serve`)."""
    terminal = select.poll()
    terminal.register(sys.stdin, 0)
    if terminal.poll()[0][1] & select.POLLHUP:
        os.kill(os.getpid(), signal.SIGHUP)


@contextlib.contextmanager
def supervised(mode: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run supervisord, in a session of its own so that Ctrl-C reaches this process only."""
    serving = mode == "serve"
    environment = {
        **os.environ,
        "SPOTWISE_PYTHON": sys.executable,
        "SPOTWISE_MODE": mode,
        "SPOTWISE_SERVING": str(serving).lower(),
        "SPOTWISE_ACTIONS_LOG": "/dev/stdout" if serving else str(VAR / "log" / "actions.log"),
    }
    supervisord = subprocess.Popen(
        [sys.executable, "-m", "supervisor.supervisord", "-c", "deploy/supervisord.conf"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if serving else subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=stop_with_parent,
    )
    try:
        yield supervisord
    finally:
        supervisord.terminate()
        supervisord.wait()


def stop_with_parent() -> None:
    """Have Linux stop this process when its parent is killed, so that nothing is left behind."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def own_command(name: str) -> list[str]:
    """Give the command line of one of this module's commands."""
    return [sys.executable, "-m", "assistant.run", name]


# --- the processes behind them ---


def actions() -> None:
    """Run the action server, for this machine only."""
    silence_libraries()
    import rasa_sdk.__main__
    from rasa_sdk.endpoint import create_argument_parser

    os.environ["SANIC_HOST"] = LOOPBACK
    arguments = ["--actions", "actions", "--port", str(port_setting("ACTIONS_PORT", 5055)), "--quiet"]
    rasa_sdk.__main__.main_from_args(create_argument_parser().parse_args([*arguments, "--cors", ""]))


def checked_store() -> Any:
    """The store of conversations, checked with all settings that need Rasa to be checked."""
    leave_out_tensorflow()
    silence_libraries()
    from rasa.core.utils import AvailableEndpoints

    from assistant.endpoints import endpoints_file, store_from

    keep_days()
    store = store_from(AvailableEndpoints.read_endpoints(str(endpoints_file())))
    store.check_key()
    return store


def purge_once() -> None:
    """Delete what is older than KEEP_DAYS."""
    store = checked_store()
    from sqlalchemy.exc import SQLAlchemyError

    from assistant.purge import purge

    try:
        count = purge(store, keep_days(), time.time())
    except SQLAlchemyError as error:
        raise StartError(f"Nothing was purged, for the database fails: {type(error).__name__}") from None
    print(f"Purged {count} events that were older than {keep_days():g} days.")


def rasa_server() -> None:
    """Run the Rasa server. The REST channel and Rasa's HTTP API are open only to those who know API_TOKEN."""
    leave_out_tensorflow()
    token = os.environ.get("API_TOKEN") or None
    channels = channels_on(read_channels())
    page = web_page(channels)
    credentials = VAR / "credentials.yml"
    credentials.write_text(yaml.safe_dump(channels))
    port = port_setting("PORT", 5005)
    names = ", ".join(path.rpartition(".")[2].removesuffix("Channel") for path in channels) or "none"
    with listening(EVERYWHERE, port) as listener:
        run_rasa(
            f"Spotwise is ready on http://localhost:{port}. Channels: {names}.",
            listener=listener,
            holding=Holding(listener, page) if page else None,
            credentials=str(credentials),
            enable_api=token is not None,
            auth_token=token,
        )


def web_page(channels: dict[str, Any]) -> WebPage | None:
    """The web page, if it is among the channels."""
    try:
        return WebPage(channels[WEB] or {}, os.environ.get(ORIGINS, "")) if WEB in channels else None
    except ValueError as error:
        raise StartError(f"The web page can't be served: {error}.") from None


def read_channels() -> dict[str, Any]:
    """The channels of credentials.yml, as they are written there."""
    return yaml.safe_load((ROOT / "credentials.yml").read_text()) or {}


def channels_on(channels: dict[str, Any]) -> dict[str, Any]:
    """The channels whose variables are all set. Their values stay out of the file that is written."""
    return {
        path: settings
        for path, settings in channels.items()
        if all(os.environ.get(name) for name in re.findall(r"\$\{(\w+)\}", str(settings)))
    }


def rasa_shell() -> None:
    """Run Rasa's shell, with its server for this machine only."""
    leave_out_tensorflow()
    silence_libraries()
    from rasa.core.channels import console

    read_messages = console.record_messages

    async def read_messages_to_the_end(*args: Any, **kwargs: Any) -> int:
        # Rasa's shell hangs when the input ends (Ctrl-D, or a pipe) and when a turn breaks.
        try:
            return int(await read_messages(*args, **kwargs))
        except EOFError:
            return 0
        except Exception as error:
            print(f"spotwise: the conversation broke off ({type(error).__name__}).", file=sys.stderr)
            return 0

    console.record_messages = read_messages_to_the_end
    port = port_setting("PORT", 5005)
    with listening(LOOPBACK, port) as listener:
        run_rasa(listener=listener, channel=SHELL_CHANNEL, port=port, enable_api=False)


def is_no_digression(record: logging.LogRecord) -> bool:
    """Whether to log a record: Rasa logs an error for each message that the form leaves to the rules."""
    return NO_ANSWER not in record.getMessage()


def run_rasa(
    ready: str = "",
    *,
    listener: socket.socket,
    holding: Holding | None = None,
    channel: str | None = None,
    credentials: str | None = None,
    **options: Any,
) -> None:
    """Run Rasa as its own command line would, but with this assistant's ways to ask, keep, lock and tell.

    Rasa's `serve_application` does the same, but opens its own socket, and only when the model is loaded.
    """
    silence_libraries()
    import rasa.core.run
    import rasa.utils.common
    import rasa.utils.log_utils
    from rasa.core.brokers.broker import EventBroker
    from rasa.core.utils import AvailableEndpoints

    from assistant import health
    from assistant.action_endpoint import ActionEndpoint
    from assistant.endpoints import endpoints_file, store_from
    from assistant.graph_runner import use_ordered_graphs
    from assistant.guard import guard
    from assistant.lean_actions import use_lean_actions
    from assistant.lean_processor import use_lean_processor
    from assistant.lock_store import locks_from
    from assistant.purge import keep_purging, tell_days

    rasa.utils.common.configure_logging_and_warnings()
    rasa.utils.log_utils.configure_structlog()
    silence_libraries()  # Rasa has just turned their warnings on again
    logging.getLogger("rasa.core.actions.action").addFilter(is_no_digression)
    use_lean_actions()
    use_lean_processor()
    use_ordered_graphs()
    days = keep_days()
    endpoints = AvailableEndpoints.read_endpoints(str(endpoints_file()))
    endpoints.action = ActionEndpoint(endpoints.action)
    endpoints.tracker_store = store = store_from(endpoints)
    store.check_key()
    endpoints.lock_store = locks_from(endpoints.lock_store)
    endpoints.event_broker, broker = None, endpoints.event_broker
    endpoints.model = None  # a model comes from this project's own training only

    usable = False
    token = options.get("auth_token")

    async def take_over(*_: object) -> None:
        if holding:
            holding.let_go()

    async def let_go(*_: object) -> None:
        await endpoints.action.close()

    async def report(app: Any, loop: Any) -> None:
        # Rasa logs a model that it can't load and goes on without one, answering nothing.
        nonlocal usable
        agent = app.ctx.agent
        usable = agent.is_ready()
        if not usable:
            loop.call_later(0.1, app.stop)
            return
        # Rasa puts a store around ours that goes on in memory without a word.
        agent.tracker_store = agent.processor.tracker_store = store
        store.event_broker = await EventBroker.create(broker)
        app.add_task(keep_purging(store, days))
        tell_days(agent.domain.responses, days)
        gc.freeze()  # what is loaded stays: a full collection of garbage took 0.15 s with it
        if ready:
            print(ready, flush=True)

    app = rasa.core.run.configure_app(
        rasa.core.run.create_http_input_channels(channel, credentials),
        endpoints=endpoints,
        conversation_id=uuid.uuid4().hex,
        **options,
    )
    app.blueprint(health.blueprint(endpoints.action.url, token))
    guard(app, token, has_page=holding is not None)
    load = functools.partial(rasa.core.run.load_agent_on_start, str(MODEL), endpoints, None)
    for event, listen in (
        ("before_server_start", load),
        ("before_server_start", take_over),  # the last one before Rasa listens
        ("after_server_start", report),
        ("after_server_stop", rasa.core.run.close_resources),
        ("after_server_stop", let_go),
    ):
        app.register_listener(listen, event)
    rasa.utils.common.update_sanic_log_level()
    app.run(sock=listener, workers=1, backlog=BACKLOG)
    if not usable:
        name = MODEL.relative_to(ROOT)
        raise StartError(f"The model {name} can't be loaded. Run: rm {name} && make train")


def give_up() -> None:
    """Stop supervisord once a process could not be started; supervisord itself would idle on."""
    from supervisor import childutils

    childutils.listener.wait()
    os.kill(os.getppid(), signal.SIGTERM)


COMMANDS: dict[str, Callable[[], Any]] = {
    "serve": serve,
    "chat": chat,
    "purge": purge_once,
    "actions": actions,
    "check-store": checked_store,
    "rasa-server": rasa_server,
    "rasa-shell": rasa_shell,
    "give-up": give_up,
}


def main() -> None:
    """Run the command that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m assistant.run", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    os.chdir(ROOT)
    try:
        COMMANDS[parser.parse_args().command]()
    except StartError as error:
        sys.exit(f"spotwise: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
