"""How the Rasa server runs its custom actions: soon, and with an answer whatever happens.

Rasa itself waits for an action server for five minutes, and says nothing when the server is gone or broken.
Here the validation of the questions runs in the Rasa process, so that the questions go on without the
action server. All else is asked over HTTP, and where that fails, the words that matter are said in its place.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING, Any

import aiohttp
from jsonschema.validators import validator_for
from rasa.core.actions.action import RemoteAction
from rasa.utils.endpoints import ClientResponseError, EndpointConfig

if TYPE_CHECKING:
    from rasa_sdk.executor import ActionExecutor

HERE = "validate_"
"""Actions whose names start like this run in this process."""

PATIENCE = 2.5
"""Seconds for one call. A person is answered within 5 seconds, the rest of the turn included."""

PAUSE = 3.0
"""Seconds without calls after a failed one: longer than what is left of the turn, so that a second action of
the turn costs no time, and short enough that a restarted action server is soon used again."""

KEPT_OPEN = 4.0
"""Seconds that a connection is kept for the next call; the action server closes it after 5."""

REMEMBERED = 1000
"""Messages kept in mind as already answered with the words below; more than are ever open at a time."""

ASSESSMENT = "action_give_assessment"

_FORMAT = RemoteAction.action_response_format_spec()
_Validator = validator_for(_FORMAT)
_EVENT = _FORMAT["properties"]["events"]["items"]
_EVENTS = {
    kind["properties"]["event"]["const"]: _Validator({**_EVENT, "oneOf": [kind]}) for kind in _EVENT["oneOf"]
}
"""A check for each kind of event: Rasa's own tries every kind on every event, a millisecond a turn."""
_ANSWER = _Validator(
    {
        **_FORMAT,
        "properties": {**_FORMAT["properties"], "events": {"type": "array", "items": {"type": "object"}}},
    }
)

logger = logging.getLogger(__name__)


class NotAsked(Exception):
    """The action server failed a moment ago, so it was not asked again."""


class ActionEndpoint(EndpointConfig):  # type: ignore[misc]  # Rasa's types are not seen
    """An action endpoint that always answers."""

    def __init__(self, config: EndpointConfig) -> None:
        """Take over where the action server is and how it is called."""
        super().__init__(
            url=config.url,
            params=config.params,
            headers=config.headers,
            basic_auth=config.basic_auth,
            token=config.token,
            token_name=config.token_name,
            cafile=config.cafile,
            type=config.type,
            **config.kwargs,
        )
        self._paused_until = 0.0
        self._connector: aiohttp.TCPConnector | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._answered: deque[tuple[Any, Any]] = deque(maxlen=REMEMBERED)

    async def request(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Run the action that is named in `json`; called by Rasa's RemoteAction.

        Raises only Rasa's own sign that the action rejects the message (status 400).
        """
        call: dict[str, Any] = kwargs["json"]
        here = call["next_action"].startswith(HERE)
        try:
            return await (self._run_here(call) if here else self._ask(*args, **kwargs))
        except Exception as error:
            if _is_rejection(error):
                raise
            # Names only: the error's own text can hold what the person wrote.
            logger.warning("%s did not work: %s", call["next_action"], type(error).__name__)
            return {"events": [], "responses": [{"response": name} for name in self._words_once(call)]}

    async def _asked(self, until: float, *args: Any, **kwargs: Any) -> dict[str, Any]:
        kwargs["timeout"] = aiohttp.ClientTimeout(total=max(until - time.monotonic(), 0.01))
        return _checked(await super().request(*args, **kwargs))

    def session(self) -> aiohttp.ClientSession:
        """A session for one call, as Rasa's own, but with the connections of the calls before."""
        loop = asyncio.get_running_loop()
        if self._connector is None or self._connector.closed or self._loop is not loop:
            self._loop, self._connector = loop, aiohttp.TCPConnector(keepalive_timeout=KEPT_OPEN)
        who = self.basic_auth
        auth = aiohttp.BasicAuth(who["username"], who["password"]) if who else None
        return aiohttp.ClientSession(
            headers=self.headers, auth=auth, connector=self._connector, connector_owner=False
        )

    async def close(self) -> None:
        """Close what was kept open."""
        if self._connector is not None:
            await self._connector.close()

    async def _run_here(self, call: dict[str, Any]) -> dict[str, Any]:
        """Run an action in this process, and reject a message as the action server would."""
        from rasa_sdk.interfaces import ActionExecutionRejection

        try:
            # A copy, as over HTTP: the action must not reach into Rasa's own tracker.
            return await self._executor.run(json.loads(json.dumps(call)))
        except ActionExecutionRejection as error:
            body = json.dumps({"error": error.message, "action_name": error.action_name})
            raise ClientResponseError(400, "Bad Request", body) from None

    @cached_property
    def _executor(self) -> ActionExecutor:
        """What runs the actions of this process; imported when first needed, for it loads the knowledge."""
        from rasa_sdk.executor import ActionExecutor

        from actions.form import ValidateSpottingForm

        executor = ActionExecutor()
        executor.register_action(ValidateSpottingForm)
        return executor

    async def _ask(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Ask the action server, unless it failed a moment ago.

        A connection is kept for the next call. One from before a restart of the server breaks, so a call that
        loses its connection is made once more; the actions only look things up.
        """
        if time.monotonic() < self._paused_until:
            raise NotAsked
        until = time.monotonic() + PATIENCE
        try:
            try:
                return await self._asked(until, *args, **kwargs)
            except aiohttp.ClientConnectorError:
                raise
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                return await self._asked(until, *args, **kwargs)
        except Exception as error:
            if not _is_rejection(error):
                self._paused_until = time.monotonic() + PAUSE
            raise

    def _words_once(self, call: dict[str, Any]) -> list[str]:
        """The responses said in an action's place; none where they were said for the same message."""
        message = (call["tracker"].get("latest_message") or {}).get("message_id")
        key = (call.get("sender_id"), message)
        if message is not None and key in self._answered:
            return []
        self._answered.append(key)
        return words_for(call["next_action"], call["tracker"].get("slots") or {})


def words_for(action: str, slots: dict[str, Any]) -> list[str]:
    """The responses that matter when an action fails; an assessment puts first what to do, and why."""
    calm = "utter_calm_emergency" if slots.get("urgency") == "emergency" else "utter_calm"
    if action == ASSESSMENT:
        why = ["utter_because"] if slots.get("because") else []
        return ["utter_what_to_do", *why, calm, "utter_criteria", "utter_limits", "utter_action_failed"]
    return ["utter_action_failed", "utter_what_to_do", calm, "utter_criteria", "utter_limits"]


def _checked(result: Any) -> dict[str, Any]:
    """What an action came to, in the form that Rasa can read; anything else raises."""
    _ANSWER.validate(result)
    for event in result["events"]:
        _EVENTS[event["event"]].validate(event)
    return {"events": result["events"], "responses": result["responses"]}


def _is_rejection(error: Exception) -> bool:
    """Whether an action says, in the way Rasa can read, that it rejects the message."""
    if not isinstance(error, ClientResponseError) or error.status != 400:
        return False
    try:
        return isinstance(json.loads(error.text)["action_name"], str)
    except (ValueError, TypeError, KeyError):
        return False
