"""What a source is to the rest of the system: a name, its streams, its settings, and a way to open it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from orchestration.errors import SourceError
from orchestration.sources.core.connection import ConnectionSettings
from orchestration.sources.core.records import Session, Stream, TokenStore


class Opener(Protocol):
    """Opens a session on one organization's source; closing it ends its network connections."""

    def __call__(
        self, connection: dict[str, Any], *, organization: str, timezone: str, token_store: TokenStore | None = None
    ) -> AbstractContextManager[Session]:
        """``connection``: resolved settings. ``organization``: slug. ``timezone``: the organization's IANA zone.

        Without a ``token_store``, rotated tokens live as long as the session does.
        """


@dataclass(frozen=True)
class Source:
    """One system that organizations connect. ``streams`` are in the order in which they are read.

    ``beside``: by stream, others that are read whenever it is, because it means something only beside what they say at
    the same time.
    """

    name: str
    streams: tuple[Stream, ...]
    connection_model: type[ConnectionSettings]
    open: Opener
    beside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def stream(self, name: str) -> Stream:
        """The stream of that name; KeyError where there is none."""
        for stream in self.streams:
            if stream.name == name:
                return stream
        raise KeyError(name)


@contextmanager
def attributed(source: str, organization: str, stream: Stream | None = None) -> Iterator[None]:
    """Errors that pass say whose they are."""
    try:
        yield
    except SourceError as error:
        error.source = error.source or source
        error.organization = error.organization or organization
        error.stream = error.stream or (stream.name if stream else "")
        raise
