"""A sync of the demo's organizations beside the very requests it made, sent again with nothing done about the answers.

python -m tests.benchmarks.sync_bench
"""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from cryptography.fernet import Fernet

from orchestration.demo.organizations import COMPANIES, demo_environment, organizations_yaml
from orchestration.demo.standins import start_standins
from orchestration.logs import configure_logging
from orchestration.sync import DEFAULT_WORKERS, SyncReport, sync
from orchestration.warehouse import database
from orchestration.warehouse.organizations import apply_file
from orchestration.warehouse.tokens import PostgresTokenStore
from tests.benchmarks.harness import Figure, own_warehouse, peak_mebibytes, show

ROUNDS = 2
# Less than QuickBooks takes for the smallest of these answers.
ANSWER_SECONDS = 0.1
SOURCE = "quickbooks"


def main() -> None:
    """Measure and print: the first sync and the next night's, each the better of two rounds."""
    configure_logging("WARNING")
    with own_warehouse() as home, _stand_ins(home) as url:
        _sync()  # the stand-in writes its ledgers when they are first asked for
        at_once = _measured(url, delay=0.0)
        delayed = _measured(url, delay=ANSWER_SECONDS)
    alone = "the same requests, organizations side by side, answers thrown away"
    wait = f"answers after {ANSWER_SECONDS * 1000:.0f} ms"
    first, night = delayed.first_report, delayed.night_report
    show(
        f"Sync of {len(first.organizations)} organizations from the QuickBooks stand-in",
        [
            Figure(f"first sync, {wait}", *delayed.first, alone, 1.5),
            Figure(f"a night with nothing new, {wait}", *delayed.night, alone, 1.5),
            Figure("first sync, answers at once", *at_once.first, alone, 1.5),
            Figure("a night with nothing new, answers at once", *at_once.night, alone, 1.5),
        ],
        [
            f"first: {first.rows_received:,} records, {first.rows_changed:,} rows written, in "
            f"{delayed.first_requests:,} requests; night: {night.rows_received:,} records, "
            f"{night.rows_changed:,} rows written, in {delayed.night_requests:,}",
            "QuickBooks itself takes longer to answer; answers at once show what the work in between costs",
            f"memory of this process: {peak_mebibytes()} MiB",
        ],
    )


@dataclass
class _Measured:
    """Seconds (ours, requests alone) of the better round, and what the last one did."""

    first: tuple[float, float]
    night: tuple[float, float]
    first_report: SyncReport
    night_report: SyncReport
    first_requests: int
    night_requests: int


def _measured(url: str, delay: float) -> _Measured:
    httpx2.delete(f"{url}/_control/faults").raise_for_status()
    if delay:
        slow = {"kind": "delay", "path": "/v3/", "seconds": delay, "count": None}
        httpx2.post(f"{url}/_control/faults", json=slow).raise_for_status()
    firsts, nights = [], []
    for _ in range(ROUNDS):
        _forget()
        first, first_asked = _watched_sync(url)
        firsts.append((first.seconds, _send_again(url, first_asked)))
        night, night_asked = _watched_sync(url)
        nights.append((night.seconds, _send_again(url, night_asked)))
    return _Measured(_best(firsts), _best(nights), first, night, len(first_asked), len(night_asked))


def _best(rounds: list[tuple[float, float]]) -> tuple[float, float]:
    ours, alone = zip(*rounds, strict=True)
    return min(ours), min(alone)


@contextmanager
def _stand_ins(home: Path) -> Iterator[str]:
    """The stand-in in a process of its own, without limits, and every demo organization connected to it."""
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
        yield servers.quickbooks_url


def _sync() -> SyncReport:
    report = sync(SOURCE)
    if report.failures:
        raise SystemExit("\n".join(str(failure.error) for failure in report.failures))
    return report


def _watched_sync(url: str) -> tuple[SyncReport, list[dict[str, Any]]]:
    httpx2.delete(f"{url}/_control/log").raise_for_status()
    report = _sync()
    return report, httpx2.get(f"{url}/_control/log").json()


def _forget() -> None:
    """Everything that was landed, so that the next sync is a first one. Tokens stay."""
    with database.connect(autocommit=True) as connection:
        connection.execute(f"drop schema staging_{SOURCE} cascade")
        connection.execute("truncate ops.watermarks, ops.stream_shapes")


def _send_again(url: str, asked: list[dict[str, Any]]) -> float:
    """Seconds that the requests take alone: one after the other within a company, as many companies at a time."""
    companies = {company.realm_id: [] for company in COMPANIES}
    for one in asked:
        if one["method"] == "GET" and one["realm"] in companies:
            companies[one["realm"]].append(one)
    tokens = {company.realm_id: _access_token(company.org_id) for company in COMPANIES}

    def send(realm: str) -> None:
        headers = {"Accept": "application/json", "Authorization": f"Bearer {tokens[realm]}"}
        with httpx2.Client(base_url=url, headers=headers, timeout=60) as client:
            for one in companies[realm]:
                client.get(one["path"], params=one["params"]).raise_for_status()

    begun = time.perf_counter()
    with ThreadPoolExecutor(DEFAULT_WORKERS) as threads:
        list(threads.map(send, companies))
    return time.perf_counter() - begun


def _access_token(org_id: int) -> str:
    with PostgresTokenStore(org_id, SOURCE).locked() as cell:
        assert cell.tokens is not None
        assert cell.tokens.access_token is not None
        return cell.tokens.access_token


if __name__ == "__main__":
    main()
