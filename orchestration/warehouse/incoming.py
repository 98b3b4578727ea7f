"""Records on their way into a landed table, the newest of each kept: few in memory, many in a temporary table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import psycopg

from orchestration.sources.core.records import Record
from orchestration.warehouse.read_ahead import ReadAhead
from orchestration.warehouse.rows import Row, RowMaker, keyed, newest
from orchestration.warehouse.shapes import Shapes

# The payload stays text until a row is written: a reload of unchanged rows never pays for parsing it.
_TABLE = """
create temporary table if not exists aiop_incoming (
    arrival bigint,
    record_id text,
    payload text,
    payload_hash bytea,
    updated_at timestamptz,
    version bigint,
    deleted boolean
) on commit delete rows
"""
_COPY = """
copy aiop_incoming (arrival, record_id, payload, payload_hash, updated_at, version, deleted)
from stdin (format binary)
"""
_TYPES = ("int8", "text", "text", "bytea", "timestamptz", "int8", "bool")
# Rows without a key, told apart by their content and how often it occurred before.
_NAME_KEYLESS = """
update aiop_incoming as i set record_id = encode(i.payload_hash, 'hex') || '#' || named.occurrence
from (
    select arrival, row_number() over (partition by payload_hash order by arrival) as occurrence
    from aiop_incoming
    where record_id is null
) as named
where i.arrival = named.arrival
"""
# Sorted by bytes, which any language's order would only slow down.
_KEEP_NEWEST = """
delete from aiop_incoming
where ctid in (
    select ctid
    from (
        select ctid, row_number() over (
            partition by record_id collate "C"
            order by updated_at desc nulls last, version desc nulls last, arrival desc
        ) as place
        from aiop_incoming
    ) as ranked
    where place > 1
)
"""

_TELL_EVERY = 1_000
# Up to here, records are kept in memory and sent with the statement that merges them.
FEW_ROWS = 1_000
FEW_CHARACTERS = 2**20
# From here on the planner has to know how many there are, and hashing them takes memory.
_MANY = 10_000
_MEMORY = """
select set_config('work_mem', '64MB', true) where pg_size_bytes(current_setting('work_mem')) < pg_size_bytes('64MB')
"""


@dataclass(frozen=True)
class Incoming:
    """What came in, the newest of each key.

    few
        The rows, where they are few; None where they stand in this transaction's ``aiop_incoming``.
    received
        Records that arrived, duplicates among them.
    distinct
        Rows that are left.
    deletions, keyless
        Whether records marked as deleted, or without a key, arrived.
    """

    few: list[Row] | None
    received: int
    distinct: int
    deletions: bool
    keyless: bool
    shapes: Shapes
    notes: list[str]


class _GivenUp(Exception):
    """Ends a COPY. Its text goes to the server's log: the cause, which may quote the source, does not."""


def receive(
    connection: psycopg.Connection,
    records: Iterable[Record],
    on_received: Callable[[int], None] | None = None,
    received_bytes: Callable[[], int] = lambda: 0,
) -> Incoming:
    """Take ``records`` in and keep the newest of each key: by ``updated_at``, then version, then arrival.

    Memory is bounded whatever their number: what are not few goes through COPY into a temporary table, while the next
    are read ahead. What iterating raises is raised here. ``on_received`` gets the count so far, now and then;
    ``received_bytes`` tells how much the source has sent.
    """
    made = RowMaker()
    waiting = iter(records)
    first, is_all = _few(made.rows(waiting))
    if is_all:
        few = newest(keyed(first) if made.keyless else first)
        return Incoming(few, made.received, len(few), made.deletions, made.keyless, made.shapes, made.notes())
    with ReadAhead(waiting, received_bytes) as rest:
        _copy(connection, chain(first, made.rows(rest)), on_received)
    distinct = made.received - _tidy(connection, made)
    return Incoming(None, made.received, distinct, made.deletions, made.keyless, made.shapes, made.notes())


def _few(rows: Iterator[Row]) -> tuple[list[Row], bool]:
    """The first rows, and whether there are no others."""
    taken: list[Row] = []
    characters = 0
    for row in rows:
        taken.append(row)
        characters += len(row.payload or "")
        if len(taken) > FEW_ROWS or characters > FEW_CHARACTERS:
            return taken, False
    return taken, True


def _copy(connection: psycopg.Connection, rows: Iterator[Row], on_received: Callable[[int], None] | None) -> None:
    connection.execute(_TABLE)
    cause: BaseException | None = None
    try:
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.set_types(_TYPES)
            try:
                for row in rows:
                    copy.write_row(row)
                    if on_received is not None and row.arrival % _TELL_EVERY == 0:
                        on_received(row.arrival)
            except psycopg.Error:
                raise
            except BaseException as error:  # noqa: BLE001 - raised again below
                cause = error
                raise _GivenUp("the records could not be read to their end") from None
    except _GivenUp:
        assert cause is not None
        raise cause from None


def _tidy(connection: psycopg.Connection, made: RowMaker) -> int:
    """Name what has no key, delete all but the newest of each; how many that were."""
    if made.received >= _MANY:
        connection.execute("analyze aiop_incoming")
        connection.execute(_MEMORY)
    if made.keyless:
        connection.execute(_NAME_KEYLESS)
    # Not prepared: a plan kept from a load of ten would not do for one of a million.
    return connection.execute(_KEEP_NEWEST, prepare=False).rowcount
