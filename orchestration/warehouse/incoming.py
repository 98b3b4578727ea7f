"""Records on their way into a landed table: a COPY into a temporary table, and the newest of each kept."""

from __future__ import annotations

import hashlib
from binascii import hexlify
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
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
    version numeric,
    deleted boolean
) on commit delete rows
"""
_COPY = "copy aiop_incoming (arrival, record_id, payload, payload_hash, updated_at, version, deleted) from stdin"
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

_BLOCK_BYTES = 256 * 1024
_NULL = b"\\N"
_LATEST_VERSION = b"Infinity"
# An index entry ends at 2.7 kB.
_MAX_KEY_BYTES = 1_000
_ANALYZE_FROM = 10_000


@dataclass
class Incoming:
    """What stands in the temporary table of this transaction.

    received
        Records that arrived, duplicates among them.
    distinct
        Rows that are left.
    deletions
        Whether records marked as deleted arrived.
    """

    received: int = 0
    distinct: int = 0
    deletions: bool = False
    notes: list[str] = field(default_factory=list)
    shapes: Shapes = field(default_factory=Shapes)


class _GivenUp(Exception):
    """Ends a COPY. Its text goes to the server's log: the cause, which may quote the source, does not."""


def receive(
    connection: psycopg.Connection, records: Iterable[Record], on_received: Callable[[int], None] | None = None
) -> Incoming:
    """COPY ``records`` into the transaction's ``aiop_incoming`` and keep the newest of each key.

    Newest: by ``updated_at``, then version, then arrival. Memory is bounded by one block and one record, whatever the
    number of records. What iterating raises is raised here. ``on_received`` gets the count so far, once a block.
    """
    incoming = Incoming()
    encoder = PayloadEncoder()
    connection.execute(_TABLE)
    cause: BaseException | None = None
    try:
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            try:
                for block in _blocks(records, incoming, encoder):
                    copy.write(block)
                    if on_received is not None:
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
    if incoming.received:
        _tidy(connection, incoming)
    return incoming


def _tidy(connection: psycopg.Connection, incoming: Incoming) -> None:
    connection.execute(_NAME_KEYLESS)
    if incoming.received >= _ANALYZE_FROM:
        connection.execute("analyze aiop_incoming")
    duplicates = connection.execute(_KEEP_NEWEST).rowcount
    incoming.distinct = incoming.received - duplicates


def _blocks(records: Iterable[Record], incoming: Incoming, encoder: PayloadEncoder) -> Iterator[bytes]:
    """Lines of COPY's text format. A plain loop over locals: this runs for every record of every source."""
    encode, shapes, blake2b = encoder.encode, incoming.shapes, hashlib.blake2b
    lines: list[bytes] = []
    size = 0
    for arrival, record in enumerate(records, 1):
        payload = record.payload
        if payload is None:
            text = digest = version = _NULL
        else:
            text = encode(payload, record.record_id)
            digest = b"\\\\x" + hexlify(blake2b(text, digest_size=16).digest())
            version = _version(payload)
            if shapes.wants(arrival) and not record.deleted:
                shapes.observe(msgspec.json.decode(text) if isinstance(payload, msgspec.Raw) else payload)
            if b"\\" in text:
                text = text.replace(b"\\", b"\\\\")
        deleted = b"f"
        if record.deleted:
            deleted = b"t"
            incoming.deletions = True
            if record.updated_at is not None:
                version = _LATEST_VERSION  # of a change and a deletion at one instant, the deletion came after
        updated_at = _instant(record.updated_at) if record.updated_at is not None else _NULL
        line = b"%d\t%b\t%b\t%b\t%b\t%b\t%b\n" % (
            arrival,
            _key(record.record_id),
            text,
            digest,
            updated_at,
            version,
            deleted,
        )
        lines.append(line)
        size += len(line)
        incoming.received = arrival
        if size >= _BLOCK_BYTES:
            yield b"".join(lines)
            lines.clear()
            size = 0
    if lines:
        yield b"".join(lines)


def _key(record_id: str | None) -> bytes:
    """The record's key as a field of COPY; what can't be a key becomes one that is stable and its own."""
    if isinstance(record_id, str) and record_id.isalnum() and len(record_id) <= 200:
        return record_id.encode()
    if record_id is None or record_id == "":
        return _NULL
    given = str(record_id)
    cleaned = clean_text(given)
    if cleaned != given or len(cleaned.encode()) > _MAX_KEY_BYTES:
        digest = hashlib.blake2b(given.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        cleaned = f"{cleaned[:200]}#{digest}"
    field_text = cleaned.encode()
    for plain, escaped in ((b"\\", b"\\\\"), (b"\t", b"\\t"), (b"\n", b"\\n"), (b"\r", b"\\r")):
        field_text = field_text.replace(plain, escaped)
    return field_text


def _version(payload: Any) -> bytes:
    """QuickBooks' SyncToken, which counts a record's versions; other sources have none."""
    token = payload.get("SyncToken") if isinstance(payload, dict) else None
    if isinstance(token, str) and len(token) <= 30 and token.isascii() and token.isdigit():
        return token.encode()
    return b"%d" % token if type(token) is int and 0 <= token < 10**30 else _NULL


def _instant(value: datetime) -> bytes:
    if value.tzinfo is None:
        raise ValueError("a record's updated_at has no time zone")
    try:
        return value.astimezone(UTC).isoformat().encode()
    except OverflowError:  # the first or last day there is
        return value.replace(tzinfo=UTC).isoformat().encode()
