"""What the tests of the loader share: a warehouse with one landed table, records, and ways to look at the result."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import psycopg

from orchestration.sources.core.records import Extract, Record, Stream
from orchestration.warehouse import database
from orchestration.warehouse.landed_tables import ensure_tables
from orchestration.warehouse.loader import LoadResult, load

SOURCE, STREAM = "quickbooks", "invoice"
TABLE = f"staging_{SOURCE}.{STREAM}"
BATCH = uuid.UUID(int=1)
NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)


def record(record_id: Any, updated_at: datetime | None = NOON, deleted: bool = False, **payload: Any) -> Record:
    return Record(record_id, {"Id": record_id, **payload}, updated_at, deleted)


def gone(record_id: str, updated_at: datetime | None = None) -> Record:
    return Record(record_id, None, updated_at, deleted=True)


class Warehouse:
    """A connection to a test's database, with the landed table in place."""

    def __init__(self) -> None:
        self.connection = database.connect(autocommit=True)
        ensure_tables(self.connection, SOURCE, [Stream(STREAM, "")])

    def load(
        self,
        records: Iterable[Record],
        mode: str = "incremental",
        *,
        org_id: int = 1,
        state: Mapping[str, Any] | None = None,
        connection: psycopg.Connection | None = None,
        **options: Any,
    ) -> LoadResult:
        extract = Extract(records, mode, dict(state or {}))  # type: ignore[arg-type]
        return self.load_extract(extract, org_id=org_id, connection=connection, **options)

    def load_extract(
        self, extract: Extract, *, org_id: int = 1, connection: psycopg.Connection | None = None, **options: Any
    ) -> LoadResult:
        options = {"batch_id": BATCH, "organization": "bennett", **options}
        return load(
            connection or self.connection, org_id=org_id, source=SOURCE, stream=STREAM, extract=extract, **options
        )

    def query(self, statement: str, *parameters: Any) -> list[tuple]:
        return self.connection.execute(statement, parameters).fetchall()

    def one(self, statement: str, *parameters: Any) -> Any:
        return self.query(statement, *parameters)[0][0]

    def payloads(self, org_id: int = 1) -> dict[str, Any]:
        return dict(self.query(f"select record_id, payload from {TABLE} where org_id = %s", org_id))

    def present(self, org_id: int = 1) -> list[str]:
        """Keys of the rows that are not deleted, in order."""
        rows = self.query(
            f"select record_id from {TABLE} where org_id = %s and deleted_at is null order by record_id", org_id
        )
        return [row[0] for row in rows]

    def versions(self) -> dict[tuple[int, str], tuple[str, str, str]]:
        """Physical identity of every row: which transaction wrote it, which locked it, where it lies."""
        rows = self.query(f"select org_id, record_id, xmin::text, xmax::text, ctid::text from {TABLE}")
        return {(row[0], row[1]): row[2:] for row in rows}

    def contents(self) -> list[tuple]:
        """All that a rerun must arrive at again: everything but when and by which run a row was written."""
        return self.query(
            f"""
            select org_id, record_id, payload::text, payload_hash, source_updated_at, deleted_at is null
            from {TABLE} order by org_id, record_id
            """
        )


def failing(records: Iterable[Record], error: BaseException) -> Iterator[Record]:
    yield from records
    raise error


def counting(records: Iterable[Record], seen: Callable[[int], None]) -> Iterator[Record]:
    for number, one in enumerate(records, 1):
        seen(number)
        yield one
