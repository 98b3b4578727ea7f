"""Whatever ends a stream early, as an error that says whose it is and what to do."""

from __future__ import annotations

import copy

import structlog

from orchestration.errors import (
    AiopError,
    ConfigurationError,
    PermanentError,
    SourceError,
    TransientError,
    UsageError,
)
from orchestration.logs import redact

_log = structlog.stdlib.get_logger(__name__)


class Stopped(Exception):
    """The sync is ending early: this thread's work is to be undone."""


def explain(error: Exception, organization: str, source: str, stream: str) -> SourceError:
    """``error`` as one that says whose it is. An unexpected one is logged with its traceback."""
    explained: SourceError
    if isinstance(error, SourceError):
        explained = copy.copy(error)
    elif isinstance(error, Stopped):
        explained = TransientError("interrupted before its end; nothing was changed")
        explained.kind = "interrupted"
    elif isinstance(error, UsageError):
        explained = ConfigurationError(error.message, hint=error.hint)
    elif isinstance(error, AiopError):
        explained = TransientError(error.message, hint=error.hint)
        explained.kind = "database"
    else:
        _log.error("unexpected error", organization=organization, source=source, stream=stream, exc_info=error)
        explained = PermanentError(
            f"unexpected {type(error).__name__}: {redact(error)}"[:1000],
            hint="this is a defect of the program: the log has the traceback",
        )
        explained.kind = "defect"
    explained.organization = explained.organization or organization
    explained.source = explained.source or source
    explained.stream = stream
    return explained
