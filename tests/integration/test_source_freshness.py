"""``dbt source freshness``: how long ago every stream was last read, of the organization that waits longest."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from dbt_runs import warehouse

from orchestration.sources import SOURCES
from orchestration.warehouse.landed_tables import ensure_tables

AIOP = str(Path(sys.executable).with_name("aiop"))
# Hours since the last success, and what dbt says: a night may be two hours late, a second one may not be missed.
AGES = ((25, "pass"), (27, "warn"), (49, "warn"), (51, "error"))
STREAMS = [(source, stream.name) for source in SOURCES for stream in SOURCES[source].streams]


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    """Organization 1, fresh everywhere, and 2, which is what is asked about; both connected for 100 hours."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "insert into ops.organizations (id, slug, name, organization_id, timezone, currency)"
            " select n, 'org_' || n, 'Organization', gen_random_uuid(), 'UTC', 'USD' from generate_series(1, 2) as n"
        )
        for source in SOURCES:
            connection.execute(
                "insert into ops.connections (org_id, source, settings, created_at)"
                " select n, %s, '{}', now() - interval '100 hours' from generate_series(1, 2) as n",
                [source],
            )
            ensure_tables(connection, source, SOURCES[source].streams)
        for source, stream in STREAMS:
            read(connection, 1, source, stream, 1)
        yield connection


def read(connection: psycopg.Connection, org_id: int, source: str, stream: str, hours_ago: int) -> None:
    connection.execute(
        "insert into ops.watermarks (org_id, source, stream, state, run_id, last_success_at)"
        " values (%s, %s, %s, '{}', 1, now() - %s * interval '1 hour')",
        [org_id, source, stream, hours_ago],
    )


def test_a_stream_is_as_old_as_the_last_success_of_whoever_waits_longest(
    connection: psycopg.Connection, database: str, tmp_path: Path
) -> None:
    expected = {}
    for number, (source, stream) in enumerate(STREAMS):
        hours, verdict = (*AGES, (None, "error"))[number % 5]
        # Without a success it is as old as its connection.
        if hours is not None:
            read(connection, 2, source, stream, hours)
        expected[f"{source}.{stream}"] = verdict
    # What nobody has is not late, however old what it left is.
    connection.execute("delete from ops.connections where source = 'hubspot'")
    expected |= {name: "pass" for name in expected if name.startswith("hubspot.")}

    outcome = warehouse(database, tmp_path / "dbt").run("source", "freshness")

    found = {name: status for name, status in outcome.statuses.items() if "." in name}
    assert found == expected
    assert {"pass", "warn", "error"} == {outcome.statuses[name] for name in expected if name[:4] == "quic"}
    assert not outcome.success


@pytest.mark.slow
def test_the_command_hands_on_what_dbt_says_and_its_exit_code(connection: psycopg.Connection) -> None:
    read(connection, 2, "quickbooks", "invoice", 72)
    arguments = ("source", "freshness", "--select", "source:quickbooks.invoice", "source:quickbooks.bill")
    asked = subprocess.run([AIOP, "dbt", *arguments], capture_output=True, text=True, check=False)
    assert asked.returncode == 1
    assert "ERROR STALE freshness of quickbooks.invoice" in asked.stdout
    assert "ERROR STALE freshness of quickbooks.bill" in asked.stdout, "never read"
