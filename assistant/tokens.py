"""Comparing an access token without telling anything about it."""

from __future__ import annotations

import hmac

from sanic.request import Request


def sends_token(request: Request, token: str) -> bool:
    """Whether a request has the token, as `?token=` or `Authorization: Bearer`.

    In constant time, so that the token can't be found letter by letter.
    """
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    given = bearer.strip() if scheme.lower() == "bearer" else request.args.get("token", "")
    return hmac.compare_digest(given.encode(errors="surrogatepass"), token.encode())
