"""A night over many organizations and all six sources: seconds, organizations a second, memory, and how it grows.

python -m tests.benchmarks.six_sources        (AIOP_BENCH_ORGANIZATIONS: how many, 200 unless it says otherwise)

HTTP sources are stand-ins of one small account an organization. The two SQL sources are one database each that all
organizations read and land: what is written is the same as from a database each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from cryptography.fernet import Fernet

from orchestration.demo.cases.database import CASE_DATABASES
from orchestration.demo.dealer.database import update as update_dealership
from orchestration.demo.dealer.dealership import LAKESIDE
from orchestration.demo.serving.databases import DemoDatabase, demo_server, ensure_database
from orchestration.demo.world import World
from orchestration.sources import SOURCES
from orchestration.sync import sync
from orchestration.warehouse import database
from orchestration.warehouse.organizations import apply_file
from tests.benchmarks.harness import Figure, own_warehouse, peak_mebibytes, show

ORGANIZATIONS = int(os.environ.get("AIOP_BENCH_ORGANIZATIONS") or 200)
SECRETS = ("client_secret", "refresh_token", "access_token", "url")


def main() -> None:
    """Measure and print."""
    with own_warehouse() as home, _stand_ins() as connections:
        slugs = _apply(home, connections)
        half, rest = slugs[: len(slugs) // 2], slugs[len(slugs) // 2 :]
        first = sum(_night(half).values()) + sum(_night(rest).values())
        night_of_half = min(sum(_night(half).values()) for _ in range(2))
        nights = [_night(slugs) for _ in range(2)]
        by_source = min(nights, key=lambda one: sum(one.values()))
        night = sum(by_source.values())
        rows = _landed()
    show(
        f"{len(slugs)} organizations × {len(SOURCES)} sources",
        [Figure("a night with nothing new", night, night_of_half, "half as many organizations", 2.0)],
        [
            f"first night: {first:.0f} s for {rows:,} landed rows, {len(slugs) / first:.1f} organizations a second",
            f"a night with nothing new: {len(slugs) / night:.1f} organizations a second; seconds by source: "
            + ", ".join(f"{source} {seconds:.1f}" for source, seconds in by_source.items()),
            f"memory of the syncing process: {peak_mebibytes()} MiB",
        ],
    )


@contextmanager
def _stand_ins() -> Iterator[list[tuple[str, str, dict[str, Any]]]]:
    command = [sys.executable, "-m", "tests.benchmarks.six_standins", str(ORGANIZATIONS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        connections = json.loads(process.stdout.readline())
        slugs = [slug for slug, source, _ in connections if source == "quickbooks"]
        yield [*connections, *((slug, source, settings) for source, settings in _databases() for slug in slugs)]
        process.stdin.close()


def _databases() -> Iterator[tuple[str, dict[str, Any]]]:
    """A small dealership's database and a small caseload's, as connections of everybody."""
    dealership = replace(
        LAKESIDE, first_day=date(2026, 8, 1), orders_per_day=0.7, fleet=6, stock=2, owned=5, customers=8, audited=True
    )
    dealer = DemoDatabase("bench", "softbase", partial(update_dealership, dealership), {"schema": dealership.schema})
    for one in (dealer, CASE_DATABASES[-1]):
        made = ensure_database(demo_server(), one.name, "benchmark-of-many-organizations")
        with made.writing() as connection:
            one.update(connection, World())
        yield one.source, {"url": made.reader_url, "shared_account": True, **one.settings}


def _apply(home: Path, connections: Sequence[tuple[str, str, dict[str, Any]]]) -> list[str]:
    """Make the organizations; credentials go into the environment, where the file refers to them."""
    os.environ["AIOP_SECRET_KEY"] = Fernet.generate_key().decode()
    by_slug: dict[str, dict[str, Any]] = {}
    for slug, source, given in connections:
        settings = dict(given)
        for name in SECRETS:
            if name in settings:
                variable = f"BENCH_{source}_{slug}_{name}".upper()
                os.environ[variable] = settings[name]
                settings[name] = f"env:{variable}"
        by_slug.setdefault(slug, {})[source] = settings
    entries = [
        {"id": n, "slug": slug, "name": slug, "timezone": "America/Chicago", "currency": "USD", "connections": held}
        for n, (slug, held) in enumerate(by_slug.items(), start=1)
    ]
    path = home / "many-organizations.yml"
    path.write_text(yaml.safe_dump({"organizations": entries}), encoding="utf-8")
    with database.connect() as connection:
        apply_file(connection, path)
    return list(by_slug)


def _night(slugs: Sequence[str]) -> dict[str, float]:
    """Seconds that extracting each source of these organizations takes."""
    spent = {}
    for source in SOURCES:
        begun = time.perf_counter()
        report = sync(source, orgs=slugs)
        spent[source] = time.perf_counter() - begun
        if report.failures:
            raise SystemExit("\n".join(str(failure.error) for failure in report.failures[:5]))
    return spent


def _landed() -> int:
    with database.connect(autocommit=True) as connection:
        row = connection.execute("select sum(rows_inserted) from ops.sync_runs").fetchone()
    return int(row[0]) if row else 0


if __name__ == "__main__":
    main()
