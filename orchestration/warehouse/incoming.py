"""Records on their way into a landed table: a COPY into a temporary table, and the newest of each kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

import msgspec
import psycopg

from orchestration.sources.core.records import Record
from orchestration.warehouse.payloads import PayloadEncoder, clean_text
from orchestration.warehouse.shapes import Shapes

# The payload stays text until a row is written: a reload of unchanged rows never pays for parsing it.
_TABLE = """
create temporary table if not exists aiop_incoming (
    arrival bigint,
    record_id text collate "C",
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
_KEEP_NEWEST = """
delete from aiop_incoming
where ctid in (
    select ctid
    from (
        select ctid, row_number() over (
            partition by record_id
            order by updated_at desc nulls last, version desc nulls last, arrival desc
        ) as place
        from aiop_incoming
    ) as ranked
    where place > 1
)
"""

_TELL_EVERY = 1_000
_LATEST_VERSION = 2**63 - 1
# An index entry ends at 2.7 kB.
_MAX_KEY_BYTES = 1_000
# From here on the planner has to know how many there are, and hashing them takes memory.
_MANY = 10_000
_MEMORY = """
select set_config('work_mem', '64MB', true) where pg_size_bytes(current_setting('work_mem')) < pg_size_bytes('64MB')
"""

_Row = tuple[int, str | None, str | None, bytes | None, datetime | None, int | None, bool]


@dataclass
class Incoming:
    """What stands in the temporary table of this transaction.

    received
        Records that arrived, duplicates among them.
    distinct
        Rows that are left.
    deletions, keyless
        Whether records marked as deleted, or without a key, arrived.
    """

    received: int = 0
    distinct: int = 0
    deletions: bool = False
    keyless: bool = False
    notes: list[str] = field(default_factory=list)
    shapes: Shapes = field(default_factory=Shapes)


class _GivenUp(Exception):
    """Ends a COPY. Its text goes to the server's log: the cause, which may quote the source, does not."""


def receive(
    connection: psycopg.Connection,
    records: Iterable[Record],
    on_received: Callable[[int], None] | None = None,
    *,
    table_needed: Callable[[], bool] = bool,
) -> Incoming:
    """COPY ``records`` into the transaction's ``aiop_incoming`` and keep the newest of each key.

    Newest: by ``updated_at``, then version, then arrival. Memory is bounded by the largest record, whatever their
    number. What iterating raises is raised here. ``on_received`` gets the count so far, now and then.
    Without any record, the table is there only if it is ``table_needed``, which is asked once that is known.
    """
    incoming = Incoming()
    encoder = PayloadEncoder()
    rows = _rows(records, incoming, encoder)
    first = next(rows, None)
    if first is None and not table_needed():
        return incoming
    connection.execute(_TABLE)
    if first is None:
        return incoming
    cause: BaseException | None = None
    try:
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.set_types(_TYPES)
            try:
                for row in chain((first,), rows):
                    copy.write_row(row)
                    if on_received is not None and incoming.received % _TELL_EVERY == 0:
                        on_received(incoming.received)
            except psycopg.Error:
                raise
            except BaseException as error:  # noqa: BLE001 - raised again below
                cause = error
                raise _GivenUp("the records could not be read to their end") from None
    except _GivenUp:
        assert cause is not None
        raise cause from None
    incoming.notes = encoder.notes()
    _tidy(connection, incoming)
    return incoming


def _tidy(connection: psycopg.Connection, incoming: Incoming) -> None:
    if incoming.received >= _MANY:
        connection.execute("analyze aiop_incoming")
        connection.execute(_MEMORY)
    if incoming.keyless:
        connection.execute(_NAME_KEYLESS)
    # Not prepared: a plan kept from a load of ten would not do for one of a million.
    duplicates = connection.execute(_KEEP_NEWEST, prepare=False).rowcount
    incoming.distinct = incoming.received - duplicates


def _rows(records: Iterable[Record], incoming: Incoming, encoder: PayloadEncoder) -> Iterator[_Row]:
    """Rows of the temporary table. A plain loop over locals: this runs for every record of every source."""
    encode, shapes, blake2b = encoder.encode, incoming.shapes, hashlib.blake2b
    for arrival, record in enumerate(records, 1):
        incoming.received = arrival
        payload, updated_at = record.payload, record.updated_at
        if updated_at is not None and updated_at.tzinfo is None:
            raise ValueError("a record's updated_at has no time zone")
        text = digest = version = None
        if payload is not None:
            encoded = encode(payload, record.record_id)
            text, digest = encoded.decode(), blake2b(encoded, digest_size=16).digest()
            version = _version(payload)
            if shapes.wants(arrival) and not record.deleted:
                shapes.observe(msgspec.json.decode(encoded) if isinstance(payload, msgspec.Raw) else payload)
        if record.deleted:
            incoming.deletions = True
            if updated_at is not None:
                version = _LATEST_VERSION  # of a change and a deletion at one instant, the deletion came after
        key = _key(record.record_id)
        if key is None:
            incoming.keyless = True
        yield arrival, key, text, digest, updated_at, version, record.deleted


def _key(record_id: str | None) -> str | None:
    """The record's key; what can't be one becomes a key that is stable and its own. None: the record has none."""
    if isinstance(record_id, str) and record_id.isalnum() and len(record_id) <= 200:
        return record_id
    if record_id is None or record_id == "":
        return None
    given = str(record_id)
    cleaned = clean_text(given)
    if cleaned == given and len(cleaned.encode()) <= _MAX_KEY_BYTES:
        return cleaned
    digest = hashlib.blake2b(given.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"{cleaned[:200]}#{digest}"


def _version(payload: Any) -> int | None:
    """QuickBooks' SyncToken, which counts a record's versions; other sources have none."""
    token = payload.get("SyncToken") if isinstance(payload, dict) else None
    if isinstance(token, str) and len(token) <= 18 and token.isascii() and token.isdigit():
        return int(token)
    return token if type(token) is int and 0 <= token < _LATEST_VERSION else None
