"""How Telegram's updates get to the assistant: `python -m assistant.telegram_bot webhook` or `poll`.

`webhook` tells Telegram where to send them. `poll` fetches them and hands them to a server on this machine,
at its webhook, so that they are handled the same.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
from telegram import Bot, BotCommand, BotCommandScopeAllPrivateChats
from telegram.error import BadRequest, Conflict, InvalidToken, RetryAfter, TelegramError

from assistant.channels.telegram_api import bot_for, seconds
from assistant.channels.telegram_updates import COMMANDS, SECRET_HEADER, TAKEN
from assistant.checks import StartError, check_telegram, port_setting

PATH = "/webhooks/telegram/webhook"
"""Where the server takes updates."""

LONG_POLL = 30
"""Seconds that Telegram holds a question for new updates open."""

PAUSE = 3.0
"""Seconds between two tries to reach Telegram or the server."""


async def webhook(bot: Bot, secret: str) -> None:
    """Register the webhook and the bot's commands."""
    url = webhook_url()
    await register_commands(bot)
    await bot.set_webhook(url, allowed_updates=TAKEN, secret_token=secret, drop_pending_updates=False)
    print(f"Telegram now sends updates to {url}.")


async def poll(bot: Bot, secret: str) -> None:
    """Fetch updates until stopped. Telegram keeps each until the server has taken it."""
    await register_commands(bot)
    await bot.delete_webhook(drop_pending_updates=False)
    server = f"http://127.0.0.1:{port_setting('PORT', 5005)}{PATH}"
    print(f"Fetching updates from Telegram for {server}. Ctrl-C stops it.", flush=True)
    offset = 0
    async with httpx.AsyncClient(headers={SECRET_HEADER: secret}, timeout=60, trust_env=False) as client:
        while True:
            updates = await fetched(bot, offset)
            chats: dict[object, list[dict[str, Any]]] = {}
            for update in updates:
                chats.setdefault(chat_of(update), []).append(update)
            await asyncio.gather(*(hand_in(client, server, those) for those in chats.values()))
            offset = max((update["update_id"] + 1 for update in updates), default=offset)


async def fetched(bot: Bot, offset: int) -> list[dict[str, Any]]:
    """The next updates, as Telegram sends them; none where it can't be reached for now."""
    wanted = {"offset": offset, "timeout": LONG_POLL, "allowed_updates": list(TAKEN)}
    try:
        return await bot.do_api_request("getUpdates", api_kwargs=wanted)  # type: ignore[no-any-return]
    except (InvalidToken, Conflict, BadRequest):
        raise
    except RetryAfter as error:
        await asyncio.sleep(seconds(error.retry_after))
    except TelegramError as error:
        print(f"Telegram can't be reached ({type(error).__name__}). Trying again.", file=sys.stderr)
        await asyncio.sleep(PAUSE)
    return []


def chat_of(update: dict[str, Any]) -> object:
    """Whose update it is: those of one person have to stay in order."""
    part = update.get("message") or update.get("callback_query") or {}
    return part.get("from", {}).get("id")


async def hand_in(client: httpx.AsyncClient, server: str, updates: list[dict[str, Any]]) -> None:
    """Give a person's updates to the server, each until it is taken."""
    for update in updates:
        told = False
        while True:
            with contextlib.suppress(httpx.HTTPError):
                status = (await client.post(server, json=update)).status_code
                if status == 401:
                    raise StartError("The server has another TELEGRAM_SECRET. Start both with the same.")
                if status < 500 and status != 404:
                    break
            if not told:
                print(
                    "The server does not answer yet. Is `make serve` running, with Telegram on?",
                    file=sys.stderr,
                )
                told = True
            await asyncio.sleep(PAUSE)


async def register_commands(bot: Bot) -> None:
    """Have Telegram show the commands in private chats, the only place where they do anything."""
    commands = [BotCommand(name, words) for name, (_, words) in COMMANDS.items()]
    await bot.set_my_commands(commands, scope=BotCommandScopeAllPrivateChats())


def webhook_url() -> str:
    """The address from TELEGRAM_WEBHOOK_URL, whole; the part that the server decides may be left out."""
    url = os.environ.get("TELEGRAM_WEBHOOK_URL", "").strip()
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise StartError(
            "TELEGRAM_WEBHOOK_URL must be the https:// address at which the internet reaches `make serve`, "
            f"such as https://bot.example.org{PATH}"
        )
    return url.rstrip("/") + PATH if parts.path in ("", "/") else url


async def run(command: Callable[[Bot, str], Awaitable[None]]) -> None:
    """Run a command, and tell in one line what is wrong where Telegram does not play along."""
    check_telegram()
    token, secret = os.environ.get("TELEGRAM_TOKEN"), os.environ.get("TELEGRAM_SECRET")
    if not (token and secret):
        raise StartError("Set TELEGRAM_TOKEN and TELEGRAM_SECRET first; docs/channels.md says how.")
    try:
        await command(bot_for(token), secret)
    except InvalidToken:
        raise StartError("Telegram does not know this TELEGRAM_TOKEN. Copy it once more.") from None
    except Conflict:
        raise StartError("Something else fetches this bot's updates. Stop it first.") from None
    except BadRequest as error:
        raise StartError(f"Telegram refused it: {error.message}") from None
    except TelegramError as error:
        raise StartError(f"Telegram can't be reached ({type(error).__name__}). Try again.") from None


COMMANDS_OF_THIS: dict[str, Callable[[Bot, str], Awaitable[None]]] = {"webhook": webhook, "poll": poll}


def main() -> None:
    """Run the command that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m assistant.telegram_bot", description=__doc__)
    parser.add_argument("command", choices=COMMANDS_OF_THIS)
    command = COMMANDS_OF_THIS[parser.parse_args().command]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        asyncio.run(run(command))
    except StartError as error:
        sys.exit(f"spotwise: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
