"""`/health`, `/ready` and `/metrics`, for load balancers and those who watch over the assistant."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sanic import Blueprint, Sanic
from sanic.request import Request
from sanic.response import HTTPResponse, raw
from sanic.response import json as json_response

from assistant import metrics
from assistant.tokens import sends_token

FRESH = 1.0
"""Seconds that a look at the parts is good for, so that asking often costs nothing."""

PATIENCE = 1.0
"""Seconds for the action server to say that it is there."""


class Health:
    """Knows which parts of the assistant work."""

    def __init__(self, actions_url: str) -> None:
        """Know where the action server is."""
        self._actions_health = actions_url.removesuffix("/webhook") + "/health"
        self._looked = -FRESH
        self._parts: dict[str, bool] = {}
        self._one_look = asyncio.Lock()

    async def parts(self, app: Sanic) -> dict[str, bool]:
        """Whether each part works."""
        async with self._one_look:
            if time.monotonic() - self._looked >= FRESH:
                self._parts = await self._look(app)
                self._looked = time.monotonic()
                for part, works in self._parts.items():
                    metrics.up(part, works)
            return self._parts

    async def _look(self, app: Sanic) -> dict[str, bool]:
        agent = getattr(app.ctx, "agent", None)
        if agent is None or not agent.is_ready():
            return {"model": False}
        store, locks = agent.tracker_store, agent.lock_store
        actions, stores, locked = await asyncio.gather(self._actions(), store.check(), locks.check())
        parts = {"model": True, "actions": actions, "store": stores, "locks": locked}
        if store.event_broker is not None:
            parts["broker"] = store.event_broker.is_ready()
        return parts

    async def _actions(self) -> bool:
        try:
            timeout = aiohttp.ClientTimeout(total=PATIENCE)
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(self._actions_health) as response,
            ):
                return response.status == 200 and (await response.json()) == {"status": "ok"}
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError):
            return False


def blueprint(actions_url: str, token: str | None) -> Blueprint:
    """The routes. Metrics are for those who know the token; there are none without one."""
    routes = Blueprint("health")
    state: dict[str, Health] = {}

    @routes.listener("before_server_start")  # type: ignore[untyped-decorator, unused-ignore]
    async def prepare(*_: Any) -> None:
        state["health"] = Health(actions_url)

    @routes.get("/health")  # type: ignore[untyped-decorator, unused-ignore]
    async def health(request: Request) -> HTTPResponse:
        """Whether people are answered here: then this server is worth sending people to.

        It is, even when a part is down that all servers share: somebody has to say the words that matter.
        """
        agent = getattr(request.app.ctx, "agent", None)
        answers = agent is not None and agent.is_ready()
        return json_response({"status": "ok" if answers else "starting"}, 200 if answers else 503)

    @routes.get("/ready")  # type: ignore[untyped-decorator, unused-ignore]
    async def ready(request: Request) -> HTTPResponse:
        """Whether every part works, and which does not."""
        parts = await state["health"].parts(request.app)
        words = {part: "ok" if works else "down" for part, works in parts.items()}
        everything = all(parts.values())
        return json_response({"ready": everything, **words}, 200 if everything else 503)

    @routes.get("/metrics")  # type: ignore[untyped-decorator, unused-ignore]
    async def numbers(request: Request) -> HTTPResponse:
        if token is None or not sends_token(request, token):
            return json_response({"error": "Please send the access token."}, 401)
        await state["health"].parts(request.app)
        return raw(generate_latest(metrics.registry), content_type=CONTENT_TYPE_LATEST)

    return routes
