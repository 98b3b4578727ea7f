"""Errors meant for a person: each says what failed, where, and the way out."""

from __future__ import annotations


class AiopError(Exception):
    """Base of all expected failures; the command line prints it without a traceback.

    ``hint`` is the way out in one sentence. Neither text may hold a credential.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  → {self.hint}" if self.hint else self.message


class UsageError(AiopError):
    """The command, file or environment given is wrong; nothing was changed."""

    exit_code = 2


class DatabaseError(AiopError):
    """The warehouse's Postgres can't be started, reached or used."""


class SourceError(AiopError):
    """A source could not be read. ``organization`` and ``stream`` are filled in by whoever knows them."""

    kind = "permanent"

    def __init__(
        self, message: str, *, hint: str = "", source: str = "", organization: str = "", stream: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.source = source
        self.organization = organization
        self.stream = stream

    def __str__(self) -> str:
        where = " / ".join(part for part in (self.organization, self.source, self.stream) if part)
        text = f"{where}: {self.message}" if where else self.message
        return f"{text}\n  → {self.hint}" if self.hint else text


class ConfigurationError(SourceError):
    """Credentials, identifiers or permissions are wrong: retrying can't help, a person must act."""

    kind = "configuration"


class StreamUnavailable(ConfigurationError):
    """What one stream is read from is not there, lacks a column, or is not granted. The other streams may be read."""


class TransientError(SourceError):
    """The source failed or throttled beyond the retry budget: the next run may succeed."""

    kind = "transient"


class PermanentError(SourceError):
    """The source answered with something that can't be processed: a defect here or there."""

    kind = "permanent"
