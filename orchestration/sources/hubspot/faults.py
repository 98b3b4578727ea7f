"""What HubSpot's answers mean when they are not data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestration.errors import ConfigurationError, PermanentError, TransientError
from orchestration.logs import redact
from orchestration.sources.core.http import Reply
from orchestration.sources.core.instants import parse_retry_after, utc_now
from orchestration.sources.core.retry import TryAgain

# How long a refused caller is kept out, by the limit it ran into, where the answer itself does not say.
_PAUSES = {"SECONDLY": 1.0, "TEN_SECONDLY_ROLLING": 10.0}
_PAUSE = 10.0
# Locked by a large import, moving between data centers: HubSpot's own codes for "later".
_LATER = {408, 423, 477}
# Older services of HubSpot name scopes in the message alone, and no category.
_REQUIRED = re.compile(r"requires (?:any|all) of \[([^\]]*)\]", re.IGNORECASE)

_REFUSED_HINT = (
    "copy the access token again from the private app's Auth tab (docs/sources/hubspot.md), put it into the variable "
    "that organizations.yml names, and check base_url."
)
_UNKNOWN_HINT = (
    "check base_url; where the portal does not have what is asked for, name the stream under skip_streams in "
    "organizations.yml."
)


def lost_hint(stream: str) -> str:
    """The way out where something may not be read any more, by the stream that a person can do without."""
    return (
        "it could be read before: give the private app the scope again or, where the portal's plan has lost it, name "
        f"{stream} under skip_streams in organizations.yml. What was loaded before is untouched."
    )


class Forbidden(PermanentError):
    """The private app may not ask this: a scope is missing, or the portal's plan does not have it."""

    kind = "configuration"

    def __init__(self, scopes: tuple[str, ...]) -> None:
        self.missing = f"the scope {', '.join(scopes)}" if scopes else "a scope"
        super().__init__(
            f"HubSpot does not let the private app read this: it takes {self.missing}",
            hint=lost_hint("the stream"),
        )


class Refused(PermanentError):
    """HubSpot does not know or do what was asked: another question may be answered."""


class NotFound(Refused):
    """HubSpot has nothing at the address, or no such object type."""


class TooLong(Refused):
    """The address is longer than HubSpot, or something on the way to it, takes."""


class DailyLimit(TransientError):
    """The portal's requests of today are used up: asking again before tomorrow can't help."""


@dataclass(frozen=True)
class Problem:
    """An error object as far as it is understood; empty where the body has none."""

    text: str = ""
    category: str = ""
    policy: str = ""
    scopes: tuple[str, ...] = ()


def inspect(reply: Reply) -> None:
    """Raise what a response means unless it is data; see ``core.http.Inspect``."""
    if 200 <= reply.status < 300:
        _inspect_success(reply)
        return
    problem = _problem_of(reply)
    said = f"{problem.text or reply.excerpt}{_correlation(reply)}"
    after = parse_retry_after(reply.headers.get("retry-after"), reply.date or utc_now())
    if reply.status == 429:
        if problem.policy == "DAILY":
            raise DailyLimit(f"the portal's requests of today are used up: {said}")
        pause = _PAUSES.get(problem.policy, _PAUSE)
        raise TryAgain(f"HubSpot throttles: {said}", after=after, at_least=pause)
    if reply.status in (401, 530):
        # 530: the network in front of HubSpot finds no data center for a token that is none.
        raise ConfigurationError(f"HubSpot refuses the access token: {reply.status} {said}", hint=_REFUSED_HINT)
    if reply.status == 403 and (problem.category == "MISSING_SCOPES" or problem.scopes):
        raise Forbidden(problem.scopes)
    if reply.status == 403:
        error = PermanentError(f"HubSpot denies access: {said}", hint="check the portal and its private app.")
        error.kind = "configuration"
        raise error
    if reply.status >= 500 or reply.status in _LATER:
        slow = reply.status in (408, 504, 524)
        raise TryAgain(f"HubSpot failed with {reply.status}: {said}", after=after, slow=slow)
    refusal = {404: NotFound, 414: TooLong, 431: TooLong}.get(reply.status, Refused)
    raise refusal(f"HubSpot refuses the request with {reply.status}: {said}", hint=_UNKNOWN_HINT)


def _inspect_success(reply: Reply) -> None:
    """Every answer that is asked for here lists results: one that does not must never be taken for an empty list."""
    body = reply.json
    if not isinstance(body, dict) or body.get("status") == "error" or not isinstance(body.get("results"), list):
        raise TryAgain(f"{reply.what} answered {reply.status} without results: {reply.excerpt}")
    for error in objects(body.get("errors")):
        # In part, batches answer what there is; anything but "there is none" would be a gap.
        if error.get("category") != "OBJECT_NOT_FOUND":
            raise TryAgain(f"{reply.what} answered in part: {_text(error.get('message'))}{_correlation(reply)}")


def _problem_of(reply: Reply) -> Problem:
    try:
        body = reply.json
    except TryAgain:
        # With an error status, the status says enough.
        return Problem()
    if not isinstance(body, dict):
        return Problem()
    texts = [body.get("message"), *(error.get("message") for error in objects(body.get("errors")))]
    return Problem(
        "; ".join(_text(text) for text in texts if text),
        str(body.get("category") or ""),
        str(body.get("policyName") or "").upper(),
        tuple(dict.fromkeys(_scopes(body))),
    )


def _scopes(body: Mapping[str, Any]) -> Iterable[str]:
    for place in (body, *objects(body.get("errors"))):
        context = place.get("context")
        for name, values in context.items() if isinstance(context, Mapping) else ():
            if name.lower().endswith("scopes") and isinstance(values, list):
                yield from map(str, values)
        for named in _REQUIRED.findall(str(place.get("message"))):
            yield from (scope.strip() for scope in named.split(",") if scope.strip())


def objects(value: object) -> list[Mapping[str, Any]]:
    """What should be a list of objects as one; anything else is left out."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return redact(" ".join(str(value).split()))[:300]


def _correlation(reply: Reply) -> str:
    number = reply.headers.get("x-hubspot-correlation-id")
    return f" [correlation id {number}]" if number else ""
