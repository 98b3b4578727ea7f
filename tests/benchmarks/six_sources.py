"""A night over many organizations and all six sources: seconds, organizations a second, memory, and how it grows.

Each night is the whole job: extraction, checks, build.

python -m tests.benchmarks.six_sources        (AIOP_BENCH_ORGANIZATIONS: how many, 200 unless it says otherwise)

HTTP sources are stand-ins of one small account an organization. The two SQL sources are one database each that all
organizations read and land: what is written is the same as from a database each.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import yaml
from cryptography.fernet import Fernet

from orchestration.demo.cases.database import CASE_DATABASES
from orchestration.demo.dealer.database import update as update_dealership
from orchestration.demo.dealer.dealership import LAKESIDE
from orchestration.demo.serving.databases import DemoDatabase, demo_server, ensure_database
from orchestration.demo.world import World, advance, write_world
from orchestration.sources import SOURCES
from orchestration.warehouse import database
from orchestration.warehouse.organizations import apply_file
from tests.benchmarks.harness import Figure, own_warehouse, peak_mebibytes, show

ORGANIZATIONS = int(os.environ.get("AIOP_BENCH_ORGANIZATIONS") or 200)
# A small dealership's database and a small caseload's.
_DEALERSHIP = replace(
    LAKESIDE, first_day=date(2026, 8, 1), orders_per_day=0.7, fleet=6, stock=2, owned=5, customers=8, audited=True
)
_DATABASES = (
    DemoDatabase("bench", "softbase", partial(update_dealership, _DEALERSHIP), {"schema": _DEALERSHIP.schema}),
    CASE_DATABASES[-1],
)
SECRETS = ("client_secret", "refresh_token", "access_token", "url")


def main() -> None:
    """Measure and print."""
    with own_warehouse() as home, _stand_ins(home / "world") as connections:
        slugs = list(dict.fromkeys(slug for slug, _, _ in connections))
        half = set(slugs[: len(slugs) // 2])
        _apply(home, [one for one in connections if one[0] in half])
        _night()
        quiet_half, day_half = _night(), _night_after_a_day(home)
        _apply(home, connections)
        first, quiet, day = _night(), _night(), _night_after_a_day(home)
        rows = _landed()
        # Before the stand-ins' process ends, which is a child as well.
        memory = peak_mebibytes(resource.RUSAGE_CHILDREN)
    half_as_many = "half as many organizations"
    show(
        f"{len(slugs)} organizations × {len(SOURCES)} sources, the job nightly",
        [
            Figure("a night with nothing new", quiet.seconds, quiet_half.seconds, half_as_many, 2.0),
            Figure("a night with a day's changes", day.seconds, day_half.seconds, half_as_many, 2.0),
        ],
        [
            f"a night with nothing new: {len(slugs) / quiet.seconds:.1f} organizations a second; {quiet.steps}",
            f"a night with a day's changes: {len(slugs) / day.seconds:.1f} organizations a second; {day.steps}",
            f"the first night of {len(slugs) - len(half)} beside {len(half)} known ones: {first.seconds:.0f} s; "
            f"{rows:,} rows landed in all",
            f"most memory of a job's process: {memory} MiB",
        ],
    )


@dataclass(frozen=True)
class Night:
    """Seconds of a nightly job, its process' start included, and what it says of its steps."""

    seconds: float
    steps: str


def _night() -> Night:
    """Run the job as the schedule does: extraction, checks of what landed, build, checks of the build."""
    begun = time.perf_counter()
    aiop = Path(sys.executable).with_name("aiop")
    run = subprocess.run([aiop, "run", "nightly"], capture_output=True, text=True, check=False)
    spent = time.perf_counter() - begun
    if run.returncode:
        raise SystemExit(run.stdout[-2_000:] + run.stderr[-4_000:])
    verdict = run.stdout.strip().splitlines()[-1]
    return Night(spent, verdict.partition("(")[2].partition(")")[0])


def _night_after_a_day(home: Path) -> Night:
    world = advance(home / "world", 1)
    for one in _DATABASES:
        with psycopg.connect(demo_server().url(one.name)) as connection:
            one.update(connection, world)
    return _night()


@contextmanager
def _stand_ins(directory: Path) -> Iterator[list[tuple[str, str, dict[str, Any]]]]:
    """(slug, source, settings) of every connection; the stand-ins live in the world of ``directory``."""
    write_world(directory, World())
    command = [sys.executable, "-m", "tests.benchmarks.six_standins", str(ORGANIZATIONS), str(directory)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        connections = json.loads(process.stdout.readline())
        slugs = [slug for slug, source, _ in connections if source == "quickbooks"]
        yield [*connections, *((slug, source, settings) for source, settings in _made() for slug in slugs)]
        process.stdin.close()


def _made() -> Iterator[tuple[str, dict[str, Any]]]:
    """The databases, as connections of everybody."""
    for one in _DATABASES:
        made = ensure_database(demo_server(), one.name, "benchmark-of-many-organizations")
        with made.writing() as connection:
            one.update(connection, World())
        yield one.source, {"url": made.reader_url, "shared_account": True, **one.settings}


def _apply(home: Path, connections: Sequence[tuple[str, str, dict[str, Any]]]) -> None:
    """Make the organizations; credentials go into the environment, where the file refers to them."""
    os.environ.setdefault("AIOP_SECRET_KEY", Fernet.generate_key().decode())
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


def _landed() -> int:
    with database.connect(autocommit=True) as connection:
        row = connection.execute("select sum(rows_inserted) from ops.sync_runs").fetchone()
    return int(row[0]) if row else 0


if __name__ == "__main__":
    main()
