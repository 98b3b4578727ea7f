"""Secrets: references resolved from the environment, and the vault for those that must be stored."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from orchestration.errors import ConfigurationError, UsageError
from orchestration.logs import register_secret
from orchestration.settings import variable

KEY_VARIABLE = "AIOP_SECRET_KEY"
# "env:" and the name of a variable; whatever else stands in a connection is a plain value.
REFERENCE = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)\Z")

_NEW_KEY = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'


def variable_of(value: object) -> str | None:
    """The variable that ``"env:NAME"`` refers to; None where ``value`` is no reference."""
    match = REFERENCE.match(value) if isinstance(value, str) else None
    return match.group(1) if match else None


def resolve(settings: Mapping[str, Any], *, organization: str = "", source: str = "") -> dict[str, Any]:
    """``settings`` with every ``env:NAME`` replaced by that variable's value, which no log will show from here on.

    Raises ConfigurationError naming the organization, the key and the variable where one is not set or empty.
    """
    return {key: _resolve(value, key, organization, source) for key, value in settings.items()}


def _resolve(value: Any, path: str, organization: str, source: str) -> Any:
    if isinstance(value, Mapping):
        return {key: _resolve(item, f"{path}.{key}", organization, source) for key, item in value.items()}
    name = variable_of(value)
    if name is None:
        return value
    found = variable(name)
    if not found:
        raise ConfigurationError(
            f"{path} refers to the environment variable {name}, which is not set.",
            hint=f"Set {name} where the command runs, or put it into the file `env` of AIOP_HOME.",
            source=source,
            organization=organization,
        )
    register_secret(found)
    return found


def fingerprint(value: str) -> str:
    """A short name of a secret that doesn't tell it: equal for equal values, nothing can be read from it."""
    return hashlib.blake2b(value.encode(), digest_size=16, person=b"aiop-secret").hexdigest()


class Vault:
    """Encrypts what must be stored (rotating tokens, issued passwords) with the key of the environment."""

    def __init__(self, keys: list[str]) -> None:
        """``keys``: Fernet keys, the first of which encrypts; all of them decrypt, so that a key can be replaced."""
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise UsageError(
                f"{KEY_VARIABLE} is not a valid key: 32 bytes in URL-safe base64 are needed.",
                hint=f"Make one with: {_NEW_KEY}",
            ) from error
        for key in keys:
            register_secret(key)

    @classmethod
    def from_environment(cls) -> Vault:
        """The vault of ``AIOP_SECRET_KEY``: one key, or several separated by commas, the newest first."""
        keys = [key.strip() for key in os.environ.get(KEY_VARIABLE, "").split(",") if key.strip()]
        if not keys:
            raise UsageError(
                f"{KEY_VARIABLE} is not set: it encrypts the tokens and passwords the warehouse stores.",
                hint=f"Make one with: {_NEW_KEY}, and keep it as you keep passwords.",
            )
        return cls(keys)

    def encrypt(self, data: bytes) -> bytes:
        """``data`` encrypted and authenticated, with the newest key."""
        return self._fernet.encrypt(data)

    def decrypt(self, data: bytes | memoryview, *, if_lost: str = "") -> bytes:
        """What was encrypted. Raises UsageError where none of the keys fits.

        ``if_lost`` is the way out for whoever has the key no more.
        """
        try:
            return self._fernet.decrypt(bytes(data))
        except InvalidToken as error:
            raise UsageError(
                f"What is stored can't be decrypted: it was encrypted with another {KEY_VARIABLE}.",
                hint=f"Set {KEY_VARIABLE} to the key in use then; to replace a key, put the new one first: NEW,OLD."
                + (f" If it is lost: {if_lost}." if if_lost else ""),
            ) from error
