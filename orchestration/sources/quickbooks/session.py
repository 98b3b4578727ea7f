"""An open QuickBooks company."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from orchestration.sources.core.records import Session, TokenStore


@contextmanager
def open_company(
    connection: dict[str, Any], *, organization: str, timezone: str, token_store: TokenStore | None = None
) -> Iterator[Session]:
    """Open one company; see ``core.source.Opener``."""
    raise NotImplementedError
    yield
