"""A warehouse on real Postgres with the two accounts of a stand-in connected, to sync, kill and look into."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from cryptography.fernet import Fernet
from psycopg import sql
from standin import ONE, TWO, StandIn

from orchestration.sources import SOURCES
from orchestration.sync import SyncReport, sync
from orchestration.warehouse import database, organizations

ORG_IDS = {ONE: 1, TWO: 2}


@dataclass
class Warehouse:
    """``connection`` is the builder's, each statement its own transaction."""

    standin: StandIn
    connection: psycopg.Connection

    @property
    def streams(self) -> list[str]:
        return [stream.name for stream in SOURCES[self.standin.source].streams]

    def query(self, statement: str, *parameters: Any) -> list[tuple]:
        """Rows; in the statement, ``{stream}`` is the table of the stand-in's stream, ``{key}`` a row's id there."""
        table = sql.Identifier(f"staging_{self.standin.source}", self.standin.stream)
        key = sql.SQL(self.standin.key)  # type: ignore[arg-type]
        return self.connection.execute(sql.SQL(statement).format(stream=table, key=key), parameters).fetchall()  # type: ignore[arg-type]

    def sync(self, *accounts: str, **options: Any) -> SyncReport:
        return sync(self.standin.source, orgs=accounts or (ONE,), **options)

    def sync_twice_at_once(self) -> list[SyncReport]:
        """Two runs side by side, each with sessions of its own."""
        reports: list[SyncReport] = []
        threads = [threading.Thread(target=lambda: reports.append(self.sync())) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        return reports

    def night(self, *accounts: str) -> SyncReport:
        """A sync that must succeed."""
        report = self.sync(*accounts)
        assert not report.failures, [str(failure.error) for failure in report.failures]
        return report

    def live(self, account: str = ONE) -> set[str]:
        rows = self.query("select {key} from {stream} where org_id = %s and deleted_at is null", ORG_IDS[account])
        return {row[0] for row in rows}

    def value(self, key: str, path: str | None = None, stream: str | None = None) -> Any:
        """What stands at a path (default: where edits show) of a record's payload, as text."""
        table = sql.Identifier(f"staging_{self.standin.source}", stream or self.standin.stream)
        row = self.connection.execute(
            sql.SQL(
                "select payload #>> %s from {} where org_id = 1 and {} = %s order by deleted_at nulls first"
            ).format(
                table,
                sql.SQL(self.standin.key if stream in (None, self.standin.stream) else "record_id"),  # type: ignore[arg-type]
            ),
            [path or self.standin.content, key],
        ).fetchone()
        assert row is not None, f"{key} did not land"
        return row[0]

    def landed(self, columns: str) -> dict[str, list[tuple]]:
        schema = f"staging_{self.standin.source}"
        return {
            stream: self.query(f"select {columns} from {schema}.{stream} order by org_id, record_id")
            for stream in self.streams
        }

    def contents(self) -> dict[str, list[tuple]]:
        """All landed rows but for when and by which run they landed."""
        return self.landed("org_id, record_id, payload::text, payload_hash, source_updated_at, deleted_at is null")

    def versions(self) -> dict[str, list[tuple]]:
        """Moves whenever a row is written."""
        return self.landed("org_id, record_id, xmin::text, ctid::text")

    def state(self, stream: str | None = None) -> dict[str, Any]:
        rows = self.query(
            "select state from ops.watermarks where org_id = 1 and stream = %s", stream or self.standin.stream
        )
        return rows[0][0] if rows else {}

    def watermark(self) -> list[tuple]:
        return self.query(
            "select state, run_id, last_success_at from ops.watermarks where org_id = 1 and stream = %s",
            self.standin.stream,
        )

    def read_in_full_next(self) -> None:
        """Forget how far the stream was read; its rows stay."""
        self.connection.execute("update ops.watermarks set state = '{}' where stream = %s", [self.standin.stream])

    def start_over(self) -> None:
        """Forget all that landed."""
        self.connection.execute(f"drop schema if exists staging_{self.standin.source} cascade")
        self.connection.execute("truncate ops.watermarks")

    def notes(self, stream: str | None = None) -> str:
        """What the last run of the stream noted."""
        rows = self.query(
            "select array_to_string(notes, '; ') from ops.sync_runs where org_id = 1 and stream = %s"
            " order by run_id desc limit 1",
            stream or self.standin.stream,
        )
        return rows[0][0]

    def sync_and_kill(self, when: Callable[[str], bool]) -> None:
        """Sync both accounts in a process of its own, one after the other, until a request that ``when`` holds for."""
        call = f"sync({self.standin.source!r}, orgs=['one', 'two'], workers=1)"
        program = f"from orchestration.sync import sync; {call}"
        process = subprocess.Popen([sys.executable, "-c", program], env=os.environ.copy())

        def kill(text: str) -> None:
            if process.poll() is None and when(text):
                process.kill()
                process.wait(30)

        self.standin.before(kill)
        assert process.wait(60) == -9


@contextmanager
def warehouse_of(standin: StandIn, directory: Path, patch: pytest.MonkeyPatch) -> Iterator[Warehouse]:
    """Both accounts as organizations of a fresh database, which DATABASE_URL names."""
    patch.setenv("AIOP_SECRET_KEY", Fernet.generate_key().decode())
    entries = []
    for account, number in ORG_IDS.items():
        settings = standin.settings(account)
        for name in standin.secrets:
            variable = f"CONFORMANCE_{account}_{name}".upper()
            patch.setenv(variable, settings[name])
            settings[name] = f"env:{variable}"
        facts = {"id": number, "slug": account, "name": account, "timezone": "America/Chicago", "currency": "USD"}
        entries.append({**facts, "connections": {standin.source: settings}})
    file = directory / "organizations.yml"
    file.write_text(yaml.safe_dump({"organizations": entries}), encoding="utf-8")
    with database.connect(autocommit=True) as connection:
        organizations.apply_file(connection, file)
        yield Warehouse(standin, connection)
