"""Sending to Slack: in order for each person, patient with Slack, and never in the way of anybody else."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from rasa.core.channels.channel import OutputChannel
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from assistant.channels.order import InOrder
from assistant.channels.slack_blocks import messages, spoken

SLACK = "https://slack.com/api/"

PATIENCE = 120.0
"""Seconds after which nothing is tried again; an answer that comes later would puzzle."""

CALL_LIMIT = 10.0
"""Seconds that one call may take."""

NO_WORDS = "..."
"""Goes along with a message that has only buttons: Slack wants a text."""

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 15.0
"""Seconds before a call is made again; each pause is twice as long as the one before, up to the longest."""

PASSING = {
    "fatal_error", "internal_error", "ratelimited", "rate_limited", "request_timeout", "service_unavailable",
    "team_added_to_org",
}  # fmt: skip
"""Slack's errors that may be gone the next time. All others stay: the message is not sent."""

logger = logging.getLogger(__name__)

# Its own messages can hold what is sent.
_silent = logging.getLogger(f"{__name__}.client")
_silent.setLevel(logging.CRITICAL)


class Failed(Exception):
    """A call that did not work, by Slack's word for why."""

    def __init__(self, why: str, passing: bool, pause: float = 0.0) -> None:
        """Keep the reason, whether it may pass, and the seconds that Slack asks to wait."""
        super().__init__(why)
        self.passing = passing
        self.pause = pause


class SlackApi:
    """Slack's Web API, for one app."""

    def __init__(self, token: str, url: str = SLACK) -> None:
        """Use the bot's token, at this address."""
        self._client = AsyncWebClient(token, url, logger=_silent, retry_handlers=[])
        self._sending = InOrder()

    def send(self, to: str, method: str, **arguments: Any) -> None:
        """Make a call in the background, after those before to the same person. No word about how it went."""
        until = asyncio.get_running_loop().time() + PATIENCE
        self._sending.then(to, self._try(method, arguments, until))

    async def call(
        self, method: str, arguments: dict[str, Any], until: float | None = None
    ) -> dict[str, Any]:
        """Make a call and give the answer, trying again where it may help, until a time of the event loop.

        Raises Failed in the end.
        """
        clock = asyncio.get_running_loop().time
        until = until or clock() + PATIENCE
        pause = FIRST_PAUSE
        while True:
            try:
                return await self._once(method, arguments)
            except Failed as failure:
                wait = failure.pause or pause
                if not failure.passing or clock() + wait > until:
                    raise
            await asyncio.sleep(wait)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def close(self, seconds: float) -> None:
        """Send what is still to be sent, for at most this long, and let go of the connections."""
        await self._sending.finish(seconds)
        if self._client.session:
            await self._client.session.close()

    async def _try(self, method: str, arguments: dict[str, Any], until: float) -> None:
        """Make a call. Of one that fails, only the method and Slack's word for why are logged."""
        try:
            await self.call(method, arguments, until)
        except Failed as failure:
            logger.error("Slack: %s did not work: %s", method, failure)

    async def _once(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Make a call once."""
        if self._client.session is None:
            # No limit to the connections: slow ones would hold up all others.
            self._client.session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=CALL_LIMIT)
            )
        try:
            response = await self._client.api_call(method, json=arguments)
        except SlackApiError as error:
            raise _failure(error.response) from None
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError, AttributeError, ValueError) as error:
            # The last two are what the client makes of an answer that is not Slack's.
            raise Failed(type(error).__name__, passing=True) from None
        return dict(response.data) if isinstance(response.data, dict) else {}


def _failure(response: Any) -> Failed:
    """Why Slack did not do it; its answer can be anything when Slack is not well."""
    data = getattr(response, "data", None)
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    error = data.get("error") if isinstance(data, dict) else None
    why = error if isinstance(error, str) and re.fullmatch(r"\w{1,50}", error) else f"status {status}"
    after = str(response.headers.get("Retry-After", "")) if status == 429 else ""
    pause = float(after) if re.fullmatch(r"\d{1,4}", after) else 0.0
    return Failed(
        why, passing=status == 429 or status >= 500 or error is None or error in PASSING, pause=pause
    )


@dataclass(frozen=True)
class Person:
    """Whom to answer, and where."""

    conversation: str
    channel: str
    thread: str | None = None


class SlackOutput(OutputChannel):  # type: ignore[misc]  # Rasa's types are not seen
    """What is said to one person. Nothing waits for Slack here: messages go out in the background."""

    def __init__(self, api: SlackApi, person: Person, notice: str) -> None:
        """Write to this person. `notice` is all that a phone's notification shows; empty for the words."""
        self._api = api
        self._person = person
        self._notice = notice

    @classmethod
    def name(cls) -> str:
        """The name of the channel."""
        return "slack"

    async def send_text_message(self, recipient_id: str, text: str, **_: Any) -> None:
        """Say a text."""
        self._say(text)

    async def send_text_with_buttons(
        self, recipient_id: str, text: str, buttons: Sequence[dict[str, Any]], **_: Any
    ) -> None:
        """Say a text with buttons below it."""
        self._say(text, buttons)

    def show_answer(self, ts: str, blocks: list[dict[str, Any]]) -> None:
        """Show a message that was sent before with its buttons gone."""
        self._api.send(
            self._person.channel,
            "chat.update",
            channel=self._person.channel,
            ts=ts,
            text=self._notice or spoken(blocks),
            blocks=blocks,
        )

    def _say(self, text: str, buttons: Sequence[dict[str, Any]] = ()) -> None:
        thread = {"thread_ts": self._person.thread} if self._person.thread else {}
        for blocks in messages(text, buttons):
            self._api.send(
                self._person.channel,
                "chat.postMessage",
                channel=self._person.channel,
                text=self._notice or spoken(blocks),
                blocks=blocks,
                unfurl_links=False,
                unfurl_media=False,
                **thread,
            )
