"""A first sync of 50,000 HubSpot records beside its requests alone and beside dlt, and 50 portals side by side.

python -m tests.benchmarks.hubspot_bench
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2

from orchestration.logs import configure_logging
from orchestration.settings import SYNC_WORKERS
from orchestration.sync import SyncReport, sync
from orchestration.warehouse import database
from tests.benchmarks.bare_landing import BareLanding
from tests.benchmarks.harness import Effort, Figure, Meter, best, memory_figure, own_warehouse, peak_mebibytes, show
from tests.benchmarks.hubspot_portals import LARGE, LISTS_ONLY, PORTALS, SMALL, Portals, connect, served

ROUNDS = 2
# Less than HubSpot takes for the smallest of these answers; more would only take longer to measure.
ANSWER_SECONDS = 0.025
ANSWER_SECONDS_OF_MANY = 0.01
TOKENS = {portal.slug: portal.token for portal in PORTALS}
SMALL_SLUGS = [portal.slug for portal in SMALL]


def main() -> None:
    """Measure and print."""
    configure_logging("WARNING")
    with own_warehouse() as home, served() as portals, TemporaryDirectory() as directory:
        with database.connect(autocommit=True) as connection:
            os.environ.update(connect(connection, portals.url))
        meter = Meter(home, portals.pid)
        at_once = _better([_beside(portals, meter, [LARGE.slug], 1) for _ in range(ROUNDS)])
        lists, listing = meter.measure(lambda: _first_sync([LISTS_ONLY]))
        dlt = _by_dlt(portals, meter, Path(directory))
        portals.answer_after(ANSWER_SECONDS)
        delayed = _beside(portals, meter, [LARGE.slug], 1)
        memory = peak_mebibytes()
        portals.answer_after(ANSWER_SECONDS_OF_MANY)
        many = _beside(portals, meter, SMALL_SLUGS, SYNC_WORKERS)
        _, one_by_one = meter.measure(lambda: _first_sync(SMALL_SLUGS, workers=1))
    wait = f"answers after {ANSWER_SECONDS * 1000:.0f} ms"
    short_wait = f"answers after {ANSWER_SECONDS_OF_MANY * 1000:.0f} ms"
    thrown_away = "the same requests, answers thrown away"
    figures = [
        Figure(f"first sync, {wait}", delayed.ours.wall, delayed.alone.wall, thrown_away, 1.5),
        Figure("first sync, answers at once", at_once.ours.wall, at_once.alone.wall, thrown_away, 1.5),
        Figure(
            "first sync, answers at once",
            at_once.ours.wall,
            at_once.copied.wall,
            "the same requests, answers copied into a bare table",
        ),
        Figure(
            f"{len(SMALL)} portals, {short_wait}", many.ours.wall, many.alone.wall, f"{thrown_away}, side by side", 1.5
        ),
        Figure(f"{len(SMALL)} portals, {short_wait}", many.ours.wall, one_by_one.wall, "one portal at a time", 0.5),
        memory_figure(memory),
    ]
    remarks = [
        f"first: {at_once.report.rows_received:,} records in {at_once.requests:,} requests; {len(SMALL)} portals: "
        f"{many.report.rows_received:,} in {many.requests:,}",
        f"CPU of a first sync: {at_once.ours}; of its requests alone: {at_once.alone}",
    ]
    if dlt is not None:
        figures.append(Figure("companies, contacts, deals, answers at once", listing.wall, dlt.seconds, "dlt", 1))
        remarks += [
            f"dlt {dlt.version}: {dlt.rows:,} records of the three lists, merged by id, properties as one json column; "
            f"no associations, nothing archived or merged, no record of what changed. Ours reads these, too "
            f"({lists.rows_received:,} records)",
            f"CPU: ours {listing.own:.2f} s and {listing.server:.2f} s Postgres', dlt {dlt.cpu:.2f} s and "
            f"{dlt.server:.2f} s Postgres'; memory of dlt's process: {dlt.mebibytes} MiB",
        ]
    show(
        f"HubSpot: a portal of {at_once.report.rows_received:,} records, and {len(SMALL)} small ones", figures, remarks
    )


@dataclass
class _Beside:
    """A first sync, its requests alone, and those with their answers copied into a bare table."""

    ours: Effort
    alone: Effort
    copied: Effort
    report: SyncReport
    requests: int


def _beside(portals: Portals, meter: Meter, slugs: Sequence[str], workers: int) -> _Beside:
    portals.forget_requests()
    report, ours = meter.measure(lambda: _first_sync(slugs, workers))
    asked = portals.requests()
    _, alone = meter.measure(lambda: _send_again(portals.url, asked, workers, lambda body: None))
    landing = BareLanding(lambda answer: answer["results"])
    _, copied = meter.measure(lambda: _send_again(portals.url, asked, workers, landing))
    landing.close()
    return _Beside(ours, alone, copied, report, sum(map(len, asked.values())))


def _better(rounds: Sequence[_Beside]) -> _Beside:
    least = {name: best(getattr(one, name) for one in rounds) for name in ("ours", "alone", "copied")}
    return replace(rounds[-1], **least)


@dataclass
class _Dlt:
    """What dlt's load took: ``seconds`` without starting Python and importing, ``server`` Postgres' CPU."""

    version: str
    seconds: float
    cpu: float
    mebibytes: int
    rows: int
    server: float


def _by_dlt(portals: Portals, meter: Meter, directory: Path) -> _Dlt | None:
    """The three lists loaded by dlt into a schema of its own; None where its environment was not made."""
    python = Path(".venv-bench/bin/python")
    if not python.exists():
        print("without dlt: make .venv-bench/.ready")
        return None
    given = {
        "url": portals.url,
        "token": LARGE.token,
        "properties": portals.properties(),
        "database": database.database_url(),
        "schema": "bench_dlt",
        "directory": str(directory),
    }
    script = Path(__file__).with_name("hubspot_dlt.py")
    process, effort = meter.measure(
        lambda: subprocess.run([python, script], input=json.dumps(given), text=True, stdout=subprocess.PIPE, check=True)
    )
    return _Dlt(**json.loads(process.stdout), server=effort.server)


def _first_sync(slugs: Sequence[str], workers: int = SYNC_WORKERS) -> SyncReport:
    with database.connect(autocommit=True) as connection:
        connection.execute("drop schema if exists staging_hubspot cascade")
        connection.execute("truncate ops.watermarks, ops.stream_shapes")
    report = sync("hubspot", orgs=slugs, workers=workers)
    if report.failures:
        raise SystemExit("\n".join(str(failure.error) for failure in report.failures))
    return report


def _send_again(
    url: str, requests: dict[str, list[dict[str, Any]]], workers: int, land: Callable[[bytes], None]
) -> None:
    """The requests alone: one after the other within a portal, as many portals at a time as a sync reads."""
    trusted = httpx2.create_ssl_context()

    def send(slug: str) -> None:
        headers = {"Accept": "application/json", "Authorization": f"Bearer {TOKENS[slug]}"}
        with httpx2.Client(base_url=url, headers=headers, timeout=60, verify=trusted) as client:
            for one in requests[slug]:
                sent = {"content": one["body"], "headers": {"Content-Type": "application/json"}} if one["body"] else {}
                answer = client.request(one["method"], one["path"], params=one["params"], **sent)
                land(answer.raise_for_status().content)

    with ThreadPoolExecutor(workers) as threads:
        list(threads.map(send, requests))


if __name__ == "__main__":
    main()
