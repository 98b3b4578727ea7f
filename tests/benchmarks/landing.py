"""Landing a million records: the loader beside a server-side COPY of the same rows into the same table shape.

python -m tests.benchmarks.landing [number of records]
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path

from orchestration.sources.core.records import Extract, Record, Stream
from orchestration.warehouse import database
from orchestration.warehouse.landed_tables import ensure_tables
from orchestration.warehouse.loader import load
from tests.benchmarks.harness import Figure, administrator, memory_figure, own_warehouse, peak_mebibytes, seconds, show
from tests.benchmarks.invoices import as_objects, as_text

RECORDS = 1_000_000
ROUNDS = 2
TABLE = "staging_bench.invoice"


def main(records: int = RECORDS) -> None:
    """Measure and print. Every figure is the better of two rounds, ours and the naive form in turn."""
    figures: list[list[float]] = []
    with own_warehouse() as home:
        with database.connect(autocommit=True) as connection:
            ensure_tables(connection, "bench", [Stream("invoice", "")])
        _load(as_objects(records // 10))
        memory_of_a_tenth = peak_mebibytes()
        for _ in range(ROUNDS):
            figures.append(_round(records, home))
        memory = peak_mebibytes()
        size = _size()
    first, reload, text, text_reload, copy = (min(times) for times in zip(*figures, strict=True))
    server_side = "server-side COPY of the same rows into the same table shape"
    show(
        f"Landing {records:,} invoices ({size})",
        [
            Figure("first load, dictionaries with Decimals", first, copy, server_side, 3),
            Figure("first load, ready text", text, copy, server_side, 3),
            Figure("reload of unchanged rows, dictionaries", reload, first, "our own first load", 1.5),
            Figure("reload of unchanged rows, ready text", text_reload, text, "our own first load", 1.5),
            memory_figure(memory),
        ],
        [
            f"rate: {records / first:,.0f} records a second the first time, {records / reload:,.0f} unchanged ones",
            f"memory of this process: {memory_of_a_tenth} MiB after {records // 10:,} records, {memory} MiB after "
            f"{records:,}",
        ],
    )


def _round(records: int, home: Path) -> list[float]:
    def fresh(work: Callable[[], object]) -> float:
        with database.connect(autocommit=True) as connection:
            connection.execute(f"truncate {TABLE}")
        return seconds(work)

    first = fresh(lambda: _load(as_objects(records)))
    reload = seconds(lambda: _load(as_objects(records)))
    copy = _server_side_copy(home)
    text = fresh(lambda: _load(as_text(records)))
    text_reload = seconds(lambda: _load(as_text(records)))
    return [first, reload, text, text_reload, copy]


def _load(records: Iterable[Record]) -> None:
    with database.connect(autocommit=True) as connection:
        load(
            connection,
            org_id=1,
            source="bench",
            stream="invoice",
            extract=Extract(records, "full"),
            batch_id=uuid.uuid4(),
            allow_deletes=True,
        )


def _server_side_copy(home: Path) -> float:
    """Seconds the server takes to COPY the landed rows from a file of its own into an empty table of the same shape."""
    path = home / "pg" / "data" / "rows.copy"
    with administrator() as session:
        session.execute(f"copy {TABLE} to '{path}'")
        session.execute(f"create table public.bare (like {TABLE} including all)")
        try:
            return seconds(lambda: session.execute(f"copy public.bare from '{path}'"))
        finally:
            session.execute("drop table public.bare")
            path.unlink()


def _size() -> str:
    with database.connect(autocommit=True) as connection:
        row = connection.execute(f"select avg(length(payload::text))::int from {TABLE}").fetchone()
    assert row is not None
    return f"{row[0]} characters each"


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
