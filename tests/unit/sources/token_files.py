"""A TokenStore in a file, for tests with several processes: locked by flock, written by rename."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from orchestration.sources.core.records import OAuthTokens, TokenCell


class FileTokenStore:
    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def tokens(self) -> OAuthTokens | None:
        return msgspec.json.decode(self._path.read_bytes(), type=OAuthTokens) if self._path.exists() else None

    def save(self, tokens: OAuthTokens) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(tokens))
        os.replace(fresh, self._path)

    @contextlib.contextmanager
    def locked(self) -> Iterator[TokenCell]:
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self
