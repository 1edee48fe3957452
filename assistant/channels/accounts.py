"""Names for conversations that don't show whose they are."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from assistant.checks import VAR

KEY = "ACCOUNT_KEY"
"""The environment variable with the key; servers that share a database need the same one."""


def account_key(folder: Path = VAR) -> bytes:
    """Give the secret that names are made with: from the environment, or else one made at the first start.

    Who has the database but not the key can't find an account's conversation by trying all accounts.
    """
    given = os.environ.get(KEY)
    if given:
        return given.encode()
    file = folder / "account.key"
    folder.mkdir(exist_ok=True)
    try:
        # Readable by this user alone; "x" so that two processes don't make two keys.
        with open(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as new:
            new.write(secrets.token_hex(32).encode())
    except FileExistsError:
        pass
    return file.read_bytes()


def conversation_of(channel: str, account: str, key: bytes) -> str:
    """The name of the conversation with an account: the same every time, and of no use to anybody else."""
    digest = hmac.new(key, f"{channel}:{account}".encode(), hashlib.sha256).hexdigest()
    return f"{channel}-{digest[:40]}"
