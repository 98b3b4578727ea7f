"""BigQuery through Google's client, whose requests go out as all others do: within limits, deadlines and retries.

Google's client knows the calls and how values are encoded. Left to itself it waits without a deadline and repeats for
ten minutes and more, so it is given a transport in place of its own, and none of its retries.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orchestration.errors import TransientError
from orchestration.sources.core.http import HttpClient, Reply
from orchestration.sources.core.limits import RateLimiter
from orchestration.sources.core.paging import LoopGuard
from orchestration.sources.core.records import RequestStats
from orchestration.sources.core.retry import RetryPolicy, TryAgain, with_retry
from orchestration.sources.ga4 import faults
from orchestration.sources.ga4.connection import Ga4Connection
from orchestration.sources.ga4.faults import JobFailed, QuotaUsedUp, inspect

# BigQuery serves 100 requests a second to one user and method.
REQUESTS, SECONDS = 50, 1.0
# Seconds that one request may take. A query's first answer comes after ten at the latest, complete or not.
DEADLINE = 120.0
# Rows asked for at a time; BigQuery ends a page at about ten megabytes, whatever is asked.
PAGE = 10_000
# A statement over one date takes seconds. BigQuery itself would let it run for six hours.
LONGEST_JOB = 1800.0
_POLL, _LONGEST_POLL = 0.5, 10.0

Parameters = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class TableFacts:
    """A table as BigQuery describes it. ``modified``: milliseconds since 1970, None where it does not say."""

    columns: frozenset[str]
    rows: int | None
    modified: int | None


@dataclass
class BigQuery:
    """Read operations on one dataset. For one thread.

    clock
        The server's clock at its last answer; None before the first and where answers carry no date.
    """

    settings: Ga4Connection
    stats: RequestStats
    policy: RetryPolicy
    client: HttpClient = field(init=False)
    limiter: RateLimiter = field(default_factory=lambda: RateLimiter(REQUESTS, SECONDS))
    clock: datetime | None = None
    sleep: Callable[[float], None] = time.sleep
    _used_up: QuotaUsedUp | None = None
    _google: Any = None
    _awaited: bool = False

    def inspect(self, reply: Reply) -> None:
        """See ``core.http.Inspect``; learns the clock from every answer.

        That a job failed is for whoever waits for it, who can ask for another one. Any other request that is told so,
        as for a page of a result, is made again itself.
        """
        self.clock = reply.date or self.clock
        try:
            inspect(reply)
        except QuotaUsedUp as error:
            self._used_up = error
            raise
        except JobFailed as error:
            if self._awaited:
                raise
            raise _again(error) from None

    def request(
        self, method: str, url: str, data: str | None = None, headers: Mapping[str, str] | None = None, **_: Any
    ) -> _Response:
        """What Google's client asks of its transport; see ``requests.Session.request``."""
        if self._used_up is not None:
            raise QuotaUsedUp(self._used_up.message, hint=self._used_up.hint)
        body = json.loads(data) if data else None
        kept = {name: value for name, value in (headers or {}).items() if name.lower() != "content-type"}
        return _Response(self.client.call(method, url, json=body, headers=kept, deadline=DEADLINE))

    @property
    def google(self) -> Any:
        """Google's client. Imported when it is needed: that takes longer than all other sources together."""
        if self._google is None:
            from google.auth.credentials import AnonymousCredentials
            from google.cloud import bigquery

            # Credentials are put on by our own transport, which renews them in time.
            self._google = bigquery.Client(
                project=self.settings.billing_project or self.settings.project,
                credentials=AnonymousCredentials(),
                client_options={"api_endpoint": self.settings.base_url},
                location=self.settings.location,
                _http=self,  # type: ignore[arg-type]
            )
        return self._google

    @property
    def dataset(self) -> str:
        return f"{self.settings.project}.{self.settings.dataset}"

    def tables(self) -> list[str]:
        """Names of all tables of the dataset."""
        from google.cloud.bigquery import DatasetReference

        reference = DatasetReference(self.settings.project, self.settings.dataset)
        listing = self.google.list_tables(reference, page_size=1000, retry=None)
        guard, names = LoopGuard("list of tables"), []
        for page in listing.pages:
            names += [table.table_id for table in page]
            if listing.next_page_token:
                guard.see(listing.next_page_token)
        return names

    def facts(self, table: str) -> TableFacts:
        """What BigQuery says of a table. Raises TableGone where there is none."""
        found = self.google.get_table(f"{self.dataset}.{table}", retry=None)
        modified = found._properties.get("lastModifiedTime")
        return TableFacts(
            frozenset(column.name for column in found.schema),
            found.num_rows,
            int(modified) if modified is not None else None,
        )

    def rows(self, statement: str, parameters: Parameters, *, tables: int = 1) -> Iterator[Mapping[str, Any]]:
        """Rows of a statement over so many ``tables``, a page at a time. Where its job fails, it is asked again.

        Raises PermanentError where it would cost more than the settings allow.
        """

        def attempt() -> Any:
            try:
                return self._answered(statement, parameters, tables)
            except JobFailed as error:
                raise _again(error) from None

        found = with_retry(attempt, policy=self.policy, stats=self.stats)
        guard = LoopGuard("result of a query")
        for page in found.pages:
            yield from page
            if found.next_page_token:
                guard.see(found.next_page_token)

    def _answered(self, statement: str, parameters: Parameters, tables: int) -> Any:
        from google.cloud import bigquery

        config = bigquery.QueryJobConfig(
            query_parameters=[
                bigquery.ArrayQueryParameter(name, "STRING", list(values)) for name, values in parameters.items()
            ],
            maximum_bytes_billed=self.settings.maximum_bytes_billed * tables,
            use_legacy_sql=False,
            labels={"application": "aiop-warehouse"},
        )
        with self._awaiting(), _understood():
            job = self.google.query(statement, job_config=config, api_method="QUERY", retry=None, job_retry=None)
            self._wait(job)
            return job.result(page_size=PAGE, retry=None)

    @contextmanager
    def _awaiting(self) -> Iterator[None]:
        self._awaited = True
        try:
            yield
        finally:
            self._awaited = False

    def _wait(self, job: Any) -> None:
        """Until the job is done, by its own state: from an answer without rows, failed and slow look alike."""
        ends, pause = time.monotonic() + LONGEST_JOB, _POLL
        # Asked at once: Google's client takes no job for done before BigQuery has said so of the job itself.
        while not job.done(retry=None):
            if time.monotonic() + pause > ends:
                raise TransientError(
                    f"a statement was still running after {LONGEST_JOB / 60:.0f} minutes",
                    hint="BigQuery has no slots free for the project; run the sync again later.",
                )
            self.sleep(pause)
            pause = min(pause * 2, _LONGEST_POLL)
        if job.error_result:
            faults.job_failure(str(job.error_result.get("reason")), str(job.error_result.get("message")))


def _again(error: JobFailed) -> TryAgain:
    return TryAgain(f"BigQuery's job failed ({error.reason}): {error}", at_least=1.0)


@contextmanager
def _understood() -> Iterator[None]:
    """Errors that Google's client makes of a job's state, as those of this source."""
    from google.api_core.exceptions import GoogleAPICallError

    try:
        yield
    except GoogleAPICallError as error:
        details = error.errors[0] if error.errors else {}
        faults.job_failure(str(details.get("reason", "")), str(details.get("message") or error.message))


class _Response:
    """A reply as Google's client takes it."""

    def __init__(self, reply: Reply) -> None:
        self.status_code = reply.status
        self.headers = reply.headers
        self.content = reply.body
        self._reply = reply

    def json(self) -> Any:
        return self._reply.json
