"""A sync of the demo's organizations beside the very requests it made, sent again with nothing done about the answers.

python -m tests.benchmarks.sync_bench
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
from cryptography.fernet import Fernet

from orchestration.demo.organizations import COMPANIES, demo_environment, organizations_yaml
from orchestration.demo.standins import start_standins
from orchestration.logs import configure_logging
from orchestration.settings import SYNC_WORKERS
from orchestration.sync import SyncReport, sync
from orchestration.warehouse import database
from orchestration.warehouse.organizations import apply_file
from orchestration.warehouse.tokens import PostgresTokenStore
from tests.benchmarks.bare_landing import BareLanding
from tests.benchmarks.harness import Effort, Figure, Meter, best, memory_figure, own_warehouse, peak_mebibytes, show

ROUNDS = 2
# Less than QuickBooks takes for the smallest of these answers.
ANSWER_SECONDS = 0.1
SOURCE = "quickbooks"


def main() -> None:
    """Measure and print: the first sync and the next night's, each the better of two rounds."""
    configure_logging("WARNING")
    with own_warehouse() as home, _stand_ins(home) as (url, process):
        _sync()  # the stand-in writes its ledgers when they are first asked for
        meter = Meter(home, process)
        at_once = _measured(url, meter, delay=0.0)
        delayed = _measured(url, meter, delay=ANSWER_SECONDS)
    wait = f"answers after {ANSWER_SECONDS * 1000:.0f} ms"
    first, night = delayed.first.report, delayed.night.report
    show(
        f"Sync of {len(first.organizations)} organizations from the QuickBooks stand-in",
        [
            delayed.first.figure(f"first sync, {wait}"),
            delayed.night.figure(f"a night with nothing new, {wait}"),
            at_once.first.figure("first sync, answers at once"),
            at_once.night.figure("a night with nothing new, answers at once"),
            at_once.first.beyond("first sync, answers at once"),
            at_once.night.beyond("a night with nothing new, answers at once"),
            memory_figure(peak_mebibytes()),
        ],
        [
            f"first: {first.rows_received:,} records, {first.rows_changed:,} rows written, in "
            f"{delayed.first.requests:,} requests; night: {night.rows_received:,} records, "
            f"{night.rows_changed:,} rows written, in {delayed.night.requests:,}",
            "QuickBooks itself takes longer to answer; answers at once show what the work in between costs",
            f"CPU of a first sync: {at_once.first.ours}; of its requests alone: {at_once.first.alone}",
            f"CPU of such a night: {at_once.night.ours}; of its requests alone: {at_once.night.alone}",
        ],
    )


@dataclass
class _Beside:
    """A sync, its requests alone, and those with their answers copied into a bare table.

    The least each took in any round, and what the last sync did.
    """

    ours: Effort
    alone: Effort
    copied: Effort
    report: SyncReport
    requests: int

    def figure(self, what: str) -> Figure:
        naive_form = "the same requests, organizations side by side, answers thrown away"
        return Figure(what, self.ours.wall, self.alone.wall, naive_form, 1.5)

    def beyond(self, what: str) -> Figure:
        """Ours beside a sync that keeps no promise but to land."""
        return Figure(what, self.ours.wall, self.copied.wall, "the same requests, answers copied into a bare table")


@dataclass
class _Measured:
    first: _Beside
    night: _Beside


def _measured(url: str, meter: Meter, delay: float) -> _Measured:
    httpx2.delete(f"{url}/_control/faults").raise_for_status()
    if delay:
        slow = {"kind": "delay", "path": "/v3/", "seconds": delay, "count": None}
        httpx2.post(f"{url}/_control/faults", json=slow).raise_for_status()
    firsts, nights = [], []
    for _ in range(ROUNDS):
        _forget()
        firsts.append(_round(url, meter))
        nights.append(_round(url, meter))
    return _Measured(_better(firsts), _better(nights))


def _round(url: str, meter: Meter) -> _Beside:
    httpx2.delete(f"{url}/_control/log").raise_for_status()
    report, ours = meter.measure(_sync)
    asked = httpx2.get(f"{url}/_control/log").json()
    companies = _by_company(asked)
    _, alone = meter.measure(lambda: _send_again(url, companies, lambda body: None))
    landing = BareLanding(_records)
    _, copied = meter.measure(lambda: _send_again(url, companies, landing))
    landing.close()
    return _Beside(ours, alone, copied, report, len(asked))


def _records(answer: Any) -> list[Any]:
    rows = [row for rows in answer.get("QueryResponse", {}).values() if isinstance(rows, list) for row in rows]
    return rows or [answer]


def _better(rounds: list[_Beside]) -> _Beside:
    least = {name: best(getattr(one, name) for one in rounds) for name in ("ours", "alone", "copied")}
    return replace(rounds[-1], **least)


@contextmanager
def _stand_ins(home: Path) -> Iterator[tuple[str, int]]:
    """The stand-in in a process of its own, without limits, and every demo organization connected to it.

    Gives its address and the id of its process.
    """
    for name in ("DEMO_QUICKBOOKS_PORT", "DEMO_HUBSPOT_PORT", "DEMO_ZOOM_PORT", "DEMO_GA4_PORT"):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            os.environ[name] = str(free.getsockname()[1])
    os.environ |= {"AIOP_SECRET_KEY": Fernet.generate_key().decode(), **demo_environment()}
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file, database.connect() as connection:
        file.write(organizations_yaml(companies=COMPANIES))
        file.flush()
        apply_file(connection, Path(file.name))
    with start_standins(home) as servers:
        limits = {"per_minute": None, "reports_per_minute": None, "at_once": None}
        httpx2.post(f"{servers.quickbooks_url}/_control/limits", json=limits).raise_for_status()
        assert servers.process is not None
        yield servers.quickbooks_url, servers.process


def _sync() -> SyncReport:
    report = sync(SOURCE)
    if report.failures:
        raise SystemExit("\n".join(str(failure.error) for failure in report.failures))
    return report


def _forget() -> None:
    """Everything that was landed, so that the next sync is a first one. Tokens stay."""
    with database.connect(autocommit=True) as connection:
        connection.execute(f"drop schema staging_{SOURCE} cascade")
        connection.execute("truncate ops.watermarks, ops.stream_shapes")


@dataclass
class _Requests:
    """What one company was asked, with a token that is still good."""

    token: str
    asked: list[dict[str, Any]]


def _by_company(asked: list[dict[str, Any]]) -> list[_Requests]:
    companies = {company.realm_id: _Requests(_access_token(company.org_id), []) for company in COMPANIES}
    for one in asked:
        if one["method"] == "GET" and one["realm"] in companies:
            companies[one["realm"]].asked.append(one)
    return list(companies.values())


def _send_again(url: str, companies: list[_Requests], land: Callable[[bytes], None]) -> None:
    """The requests alone: one after the other within a company, as many companies at a time as a sync reads."""
    # Reading which certificates are trusted takes longer than a request: once, as in a sync.
    trusted = httpx2.create_ssl_context()

    def send(company: _Requests) -> None:
        headers = {"Accept": "application/json", "Authorization": f"Bearer {company.token}"}
        with httpx2.Client(base_url=url, headers=headers, timeout=60, verify=trusted) as client:
            for one in company.asked:
                land(client.get(one["path"], params=one["params"]).raise_for_status().content)

    with ThreadPoolExecutor(SYNC_WORKERS) as threads:
        list(threads.map(send, companies))


def _access_token(org_id: int) -> str:
    with PostgresTokenStore(org_id, SOURCE).locked() as cell:
        assert cell.tokens is not None
        assert cell.tokens.access_token is not None
        return cell.tokens.access_token


if __name__ == "__main__":
    main()
