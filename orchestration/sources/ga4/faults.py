"""What BigQuery's answers mean when they are not data.

Reasons by https://cloud.google.com/bigquery/docs/error-messages; a job that failed names the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from orchestration.errors import ConfigurationError, PermanentError, TransientError
from orchestration.logs import redact
from orchestration.sources.core.http import Reply, Unauthorized
from orchestration.sources.core.instants import parse_retry_after, utc_now
from orchestration.sources.core.retry import TryAgain

# Throttled or failed for now. Those of a job say that it is over: only another job can succeed.
_LATER = {"rateLimitExceeded", "backendError", "internalError", "badGateway", "tableUnavailable", "timeout"}
_JOB_LATER = {"jobBackendError", "jobInternalError", "jobRateLimitExceeded"}
_THROTTLED = {"rateLimitExceeded", "jobRateLimitExceeded"}

_DENIED_HINT = (
    "give the service account the roles BigQuery Job User on the project and BigQuery Data Viewer on the dataset "
    "(docs/sources/ga4.md), or name a project where it is Job User as billing_project; and check that the BigQuery API "
    "is on."
)
_MISSING_HINT = (
    "check project, dataset (analytics_<property id>) and location in organizations.yml, and that the property is "
    "still linked to BigQuery."
)


class QuotaUsedUp(TransientError):
    """The project's or the export's quota of today is used up: asking again before tomorrow can't help."""


class JobFailed(Exception):
    """A job is over without a result, for a reason that another job may not meet. The text is BigQuery's."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class TableGone(PermanentError):
    """A table that was listed is not there any more."""


@dataclass(frozen=True)
class Problem:
    """An error object as far as it is understood."""

    reason: str = ""
    message: str = ""


def inspect(reply: Reply) -> None:
    """Raise what a response means unless it is data; see ``core.http.Inspect``."""
    if 200 <= reply.status < 300:
        body = reply.json
        if not isinstance(body, dict) or "error" in body:
            raise TryAgain(f"{reply.what} answered {reply.status} without data: {reply.excerpt}")
        return
    problem = _problem_of(reply)
    said = problem.message or reply.excerpt
    if reply.status == 401:
        raise Unauthorized(said)
    after = parse_retry_after(reply.headers.get("retry-after"), reply.date or utc_now())
    if problem.reason in _JOB_LATER:
        raise JobFailed(said, problem.reason)
    if reply.status == 429 or problem.reason in _THROTTLED:
        raise TryAgain(f"BigQuery throttles: {said}", after=after, at_least=1.0)
    if reply.status >= 500 or reply.status == 408 or problem.reason in _LATER:
        slow = reply.status in (408, 504)
        raise TryAgain(f"BigQuery failed with {reply.status}: {said}", after=after, slow=slow)
    refuse(problem.reason, said, reply.status)


def refuse(reason: str, said: str, status: int = 0) -> NoReturn:
    """Raise the error that a final reason means, of an answer or of a job."""
    if reason in ("quotaExceeded", "dailyLimitExceeded"):
        raise QuotaUsedUp(
            f"a quota of BigQuery is used up: {said}",
            hint="BigQuery counts anew from midnight, Pacific Time: run the sync again then, or ask for a larger "
            "quota. What was loaded before is untouched.",
        )
    if reason == "bytesBilledLimitExceeded" or "bytes billed" in said.lower():
        raise PermanentError(
            f"BigQuery refuses the statement for its cost: {said}",
            hint="raise maximum_bytes_billed in organizations.yml, if a date's events are worth it.",
        )
    if reason in ("billingNotEnabled", "billingTierLimitExceeded"):
        raise ConfigurationError(f"BigQuery asks for billing: {said}", hint="turn billing on for the project.")
    if reason in ("accessDenied", "forbidden", "insufficientPermissions", "accessNotConfigured") or status == 403:
        raise ConfigurationError(f"BigQuery denies access: {said}", hint=_DENIED_HINT)
    if reason == "notFound" or status == 404:
        if "table" in said.lower():
            raise TableGone(f"BigQuery has not got the table: {said}", hint=_MISSING_HINT)
        raise ConfigurationError(f"BigQuery has not got what was asked for: {said}", hint=_MISSING_HINT)
    raise PermanentError(f"BigQuery refuses the request: {status or ''} {reason} {said}".replace("  ", " "))


def job_failure(reason: str, said: str) -> NoReturn:
    """Raise what a job's own error means: JobFailed where another job may succeed."""
    said = _text(said)
    if reason in _LATER | _JOB_LATER:
        raise JobFailed(said, reason)
    refuse(reason, said)


def _problem_of(reply: Reply) -> Problem:
    try:
        body = reply.json
    except TryAgain:
        # With an error status, the status says enough.
        return Problem()
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return Problem()
    details = error.get("errors")
    first: Any = details[0] if isinstance(details, list) and details else {}
    reason = first.get("reason") if isinstance(first, Mapping) else None
    return Problem(str(reason or ""), _text(error.get("message")))


def _text(value: object) -> str:
    return redact(" ".join(str(value or "").split()))[:300]
