"""What Zoom's answers mean when they are not data: a status, and mostly ``{"code": …, "message": …}``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestration.errors import ConfigurationError, PermanentError, TransientError
from orchestration.logs import redact
from orchestration.sources.core.http import Reply, Unauthorized
from orchestration.sources.core.instants import parse_retry_after, utc_now
from orchestration.sources.core.retry import TryAgain

INVALID_TOKEN = 124
NO_PERMISSION = 200
NOT_VALID = 300
ACCOUNT_UNKNOWN = 2001
ENDPOINT_UNKNOWN = 2300
MISSING_SCOPE = {4700, 4711}
# No such meeting any more, one that is a webinar, one too long ago; no such user, one of another account, one who may
# not host.
GONE = {3001, 3000, 12702, 1001, 1010, 3161}

_SCOPES = re.compile(r"scopes?:?\s*\[([^\]]*)\]")
# Codes that have a second meaning, which is in the words alone.
_MAY_NOT = re.compile(r"(do|does) not have permission", re.IGNORECASE)
_WEBINAR = re.compile(r"\bwebinar", re.IGNORECASE)
_PAGE_TOKEN = re.compile(r"\bpage token\b", re.IGNORECASE)


class Forbidden(PermanentError):
    """The app may not ask this: a scope is missing, or the account's plan does not have it."""

    kind = "configuration"

    def __init__(self, missing: str) -> None:
        self.missing = missing
        super().__init__(
            f"Zoom does not let the app read this: it takes {missing}",
            hint="it could be read before: give the app the scope again or, where the account's plan has lost it, name "
            "the stream under skip_streams in organizations.yml. What was loaded before is untouched.",
        )


class Refused(PermanentError):
    """Zoom does not know or do what was asked. ``code``: its number for the reason, 0 where it gives none."""

    def __init__(self, message: str, *, code: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code

    @property
    def is_not_valid(self) -> bool:
        """Whether Zoom refuses the question as such, and not a page of its answer."""
        return self.code == NOT_VALID and not isinstance(self, PageExpired)


class Gone(Refused):
    """The meeting, or the user asked about, is not there or hosts nothing: others may be asked about."""


class PageExpired(Refused):
    """A page token was refused: 15 minutes after it was given it is worth nothing any more."""


class DailyLimit(TransientError):
    """The account's requests of today to one product are used up: asking again before tomorrow can't help."""


@dataclass(frozen=True)
class Problem:
    """An error object as far as it is understood."""

    code: int = 0
    text: str = ""


def inspect(reply: Reply, rows: Sequence[str], paged: bool) -> None:
    """Raise what a response means unless it is data.

    ``rows``: members of which an answer has one, a list, unless it counts no records. ``paged``: whether a page token
    was sent.
    """
    if 200 <= reply.status < 300:
        if not isinstance(reply.json, dict) or not _has_rows(reply.json, rows):
            raise TryAgain(f"{reply.what} answered {reply.status} without {' or '.join(rows)}: {reply.excerpt}")
        return
    problem = _problem_of(reply)
    said = problem.text or reply.excerpt
    after = parse_retry_after(reply.headers.get("retry-after"), reply.date or utc_now())
    if reply.status == 429:
        if "daily" in said.lower() or "daily" in reply.headers.get("x-ratelimit-type", "").lower():
            raise _used_up(said, reply.headers.get("retry-after"))
        raise TryAgain(f"Zoom throttles: {said}", after=after, at_least=1.0)
    if reply.status >= 500 or reply.status == 408:
        slow = reply.status in (408, 504, 524)
        raise TryAgain(f"Zoom failed with {reply.status}: {said}", after=after, slow=slow)
    if problem.code in MISSING_SCOPE or "does not contain scope" in problem.text.lower():
        scopes = ", ".join(_SCOPES.findall(problem.text))
        raise Forbidden(f"the scope {scopes}" if scopes else f"a scope ({said})")
    if reply.status == 401 or (problem.code == INVALID_TOKEN and not _MAY_NOT.search(problem.text)):
        raise Unauthorized(said)
    if problem.code == ACCOUNT_UNKNOWN:
        raise ConfigurationError(f"Zoom does not know the account: {said}", hint="check account_id.")
    if problem.code in GONE or (problem.code == NOT_VALID and _WEBINAR.search(problem.text)):
        raise Gone(said, code=problem.code)
    if problem.code in (NO_PERMISSION, INVALID_TOKEN) or reply.status == 403:
        raise Forbidden(f"a plan, licence or role that the account has not ({said})")
    if paged and (problem.code == NOT_VALID or _PAGE_TOKEN.search(problem.text)):
        raise PageExpired(f"Zoom refuses a page token: {said}", code=problem.code)
    hint = "check base_url." if reply.status == 404 or problem.code == ENDPOINT_UNKNOWN else ""
    raise Refused(
        f"Zoom refuses the request with {reply.status}{f', code {problem.code}' if problem.code else ''}: {said}",
        code=problem.code,
        hint=hint,
    )


def _has_rows(body: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Whether one of the lists is there. Zoom promises none of them: where it counts no record, none need be."""
    return body.get("total_records") in (0, "0") or any(isinstance(body.get(name), list) for name in names)


def _used_up(said: str, until: str | None) -> DailyLimit:
    named = f" (it says: {redact(until)[:40]})" if until else ""
    return DailyLimit(
        f"the account's requests of today are used up: {said}",
        hint=f"Zoom counts anew from midnight GMT{named}; run the sync again after that. Limits are the account's: "
        "all its apps use them up together. Where a first read of many hosts takes more than a day's, a later "
        "start_date makes it shorter.",
    )


def _problem_of(reply: Reply) -> Problem:
    try:
        body = reply.json
    except TryAgain:
        # With an error status, the status says enough.
        return Problem()
    if not isinstance(body, dict):
        return Problem()
    code, text = str(body.get("code") or ""), body.get("message") or body.get("reason") or ""
    return Problem(int(code) if code.isascii() and code.isdigit() else 0, redact(" ".join(str(text).split()))[:300])
