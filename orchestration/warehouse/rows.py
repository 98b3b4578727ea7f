"""Records as rows of a landed table: payloads as text with their hash, keys that can be keys, the newest of each."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from orchestration.sources.core.records import Record
from orchestration.warehouse.payloads import PayloadEncoder, clean_text
from orchestration.warehouse.shapes import Shapes

_LATEST_VERSION = 2**63 - 1
_NEVER = datetime.min.replace(tzinfo=UTC)
# An index entry ends at 2.7 kB.
_MAX_KEY_BYTES = 1_000


class Row(NamedTuple):
    """A record as it lands. ``record_id`` None: it has no key; ``payload`` None: it is only named as deleted."""

    arrival: int
    record_id: str | None
    payload: str | None
    payload_hash: bytes | None
    updated_at: datetime | None
    version: int | None
    deleted: bool


class RowMaker:
    """Makes the rows of one load.

    received
        Records so far.
    deletions, keyless
        Whether any of them was marked as deleted, or had no key.
    """

    def __init__(self) -> None:
        self.received = 0
        self.deletions = False
        self.keyless = False
        self.shapes = Shapes()
        self._encoder = PayloadEncoder()

    def notes(self) -> list[str]:
        """What had to be replaced in payloads; see PayloadEncoder."""
        return self._encoder.notes()

    def rows(self, records: Iterable[Record]) -> Iterator[Row]:
        """A row for each record; may be called again for more. A plain loop over locals: it runs for every record."""
        encode, shapes, blake2b = self._encoder.encode, self.shapes, hashlib.blake2b
        for arrival, record in enumerate(records, self.received + 1):
            self.received = arrival
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
                self.deletions = True
                if updated_at is not None:
                    version = _LATEST_VERSION  # of a change and a deletion at one instant, the deletion came after
            key = _key(record.record_id)
            if key is None:
                self.keyless = True
            yield Row(arrival, key, text, digest, updated_at, version, record.deleted)


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


def keyed(rows: Iterable[Row]) -> list[Row]:
    """Rows without a key get one of their content and how often it occurred before: identical ones are all kept."""
    occurrences: Counter[bytes | None] = Counter()
    named = []
    for row in rows:
        if row.record_id is None:
            occurrences[row.payload_hash] += 1
            # Without a content either there is nothing to tell it by, and nothing to land.
            if row.payload_hash is not None:
                row = row._replace(record_id=f"{row.payload_hash.hex()}#{occurrences[row.payload_hash]}")
        named.append(row)
    return named


def newest(rows: Iterable[Row]) -> list[Row]:
    """The newest row of each key: by ``updated_at``, then version, then arrival, in the order of which they come."""
    kept: dict[str | None, Row] = {}
    for row in rows:
        other = kept.get(row.record_id)
        if other is None or _age(row) >= _age(other):
            kept[row.record_id] = row
    return list(kept.values())


def _age(row: Row) -> tuple[bool, datetime, bool, int]:
    """Orders the versions of a record: what has no date or number comes before what has one."""
    return row.updated_at is not None, row.updated_at or _NEVER, row.version is not None, row.version or 0
