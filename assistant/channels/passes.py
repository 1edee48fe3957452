"""The ids of conversations on the web: given out by the server, proved by a signature, stored nowhere.

Any server with the same key knows an id that it or another one gave out, without a database. What is stored
goes by another name, so who reads the database can't go on with a conversation.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from assistant.channels.accounts import conversation_of

SIGNED = 32
"""Hexadecimal digits of the signature: 128 bits."""


def issue(key: bytes) -> str:
    """A new id, which nobody can guess."""
    secret = secrets.token_urlsafe(32)
    return f"{secret}.{_signature(secret, key)}"


def conversation_behind(id: object, key: bytes) -> str | None:
    """The name of the conversation in the store; None for an id that no server gave out."""
    if not isinstance(id, str) or len(id) > 200:
        return None
    secret, _, signature = id.partition(".")
    if not hmac.compare_digest(signature.encode(errors="replace"), _signature(secret, key).encode()):
        return None
    return conversation_of("web", secret, key)


def _signature(secret: str, key: bytes) -> str:
    message = f"web-pass:{secret}".encode(errors="replace")
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:SIGNED]
