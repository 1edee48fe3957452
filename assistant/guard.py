"""What may be asked over HTTP: Rasa's own routes are closed, save for a few, and every answer is guarded."""

from __future__ import annotations

from typing import Any

from sanic import Sanic
from sanic.request import Request
from sanic.response import HTTPResponse, text
from sanic.response import json as json_response

from assistant.tokens import sends_token

READING = {"version", "status", "retrieve_tracker", "parse"}
"""The handlers of Rasa's HTTP API that stay, for those who know the token. The others load a model from
anywhere, train one from what was sent, or change a conversation past all that makes it safe."""

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Sent with every answer, unless a route says otherwise: nothing is cached, framed or run."""


def guard(app: Sanic, token: str | None, has_page: bool = False) -> None:
    """Close an app of Rasa's. Where it `has_page`, the web channel answers at "/"."""

    async def refuse(request: Request, *_: Any) -> HTTPResponse | None:
        handler = getattr(request.route, "handler", None)
        if handler is None or handler.__module__ != "rasa.server":
            return None
        if handler.__name__ == "hello":
            return None if has_page else text("Spotwise is running.\n")
        if token is None or not sends_token(request, token):
            return json_response({"error": "Please send the access token."}, 401)
        if handler.__name__ not in READING:
            return json_response({"error": "This is switched off."}, 403)
        return None

    async def protect(_: Request, response: Any) -> None:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)

    app.register_middleware(refuse, "request")
    app.register_middleware(protect, "response")  # type: ignore[arg-type]
