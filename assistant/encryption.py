"""Encryption of what is stored, on when STORE_KEY is set."""

from __future__ import annotations

import os

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from assistant.checks import StartError

KEY = "STORE_KEY"
"""The environment variable with the keys, separated by commas. The first encrypts; all of them decrypt."""

HOW_TO = (
    "Make one with: .venv/bin/python -c "
    "'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
)
PLAIN = "{"
"""How a row that was stored without a key begins: it is a JSON object."""


class Unreadable(Exception):
    """What is stored does not fit the keys at hand."""


class Cipher:
    """Makes what is stored readable only with the key; without keys it does nothing."""

    def __init__(self, keys: str | None) -> None:
        """Take keys as they are in the environment. Raises StartError where one is no key."""
        try:
            fernets = [Fernet(key.strip()) for key in (keys or "").split(",") if key.strip()]
        except ValueError:
            raise StartError(f"{KEY} is not a key of 32 bytes in base64. {HOW_TO}") from None
        self._fernet = MultiFernet(fernets) if fernets else None

    @classmethod
    def from_environment(cls) -> Cipher:
        """Take the keys from STORE_KEY."""
        return cls(os.environ.get(KEY))

    @property
    def on(self) -> bool:
        """Whether there is a key."""
        return self._fernet is not None

    def encrypt(self, text: str) -> str:
        """What to store."""
        return self._fernet.encrypt(text.encode()).decode() if self._fernet else text

    def decrypt(self, stored: str) -> str:
        """What was stored, also where that was before there was a key. Raises Unreadable."""
        if stored.startswith(PLAIN):
            return stored
        if self._fernet is None:
            raise Unreadable
        try:
            return self._fernet.decrypt(stored).decode()
        except InvalidToken:
            raise Unreadable from None
