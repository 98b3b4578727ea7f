"""What a load changes in a landed table: each rule once, as a statement over ``aiop_incoming``.

Many records stand in a temporary table of that name and the statements follow one another. Few are sent as arrays with
one statement that holds them all. docs/decisions/001-landing.md has what each costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import psycopg
from psycopg import sql

from orchestration.warehouse.incoming import Incoming
from orchestration.warehouse.landed_tables import landed_table
from orchestration.warehouse.rows import Row

# Rows that are there, and how many of them did not come.
_HELD = """
select count(*) as present, count(*) filter (where i.record_id is null) as missing
from {table} as t
left join aiop_incoming as i on i.record_id = t.record_id
where t.org_id = %(org_id)s and t.deleted_at is null {scope}
"""
# What is whole where not all of it is: one list of equal length each, because an array is looked up in a hash table
# and a pattern tried row by row.
_IN_PARTS = "left(t.record_id, {length}) = any (%(parts_{length})s::text[])"
# A table known to have few rows would be looked through for each record, and with it the rows just inserted: a million
# squared. One with more rows than came in keeps its index: a few changes are no reason to read it whole.
_HASH_WHERE_MORE_COME_THAN_ARE_THERE = """
select set_config('enable_nestloop', 'off', true)
from pg_class
where oid = %(table)s::regclass and reltuples < %(distinct)s
"""
# A deleted record keeps the payload it had.
_DELETE_NAMED = """
update {table} as t
set deleted_at = coalesce(i.updated_at, now()), extracted_at = now(), run_id = %(run_id)s,
    source_updated_at = coalesce(i.updated_at, t.source_updated_at)
from aiop_incoming as i
where t.org_id = %(org_id)s and t.record_id = i.record_id and i.deleted and t.deleted_at is null
"""
_UPDATE = """
update {table} as t
set payload = i.payload::jsonb, payload_hash = i.payload_hash, source_updated_at = i.updated_at, deleted_at = null,
    extracted_at = now(), run_id = %(run_id)s
from aiop_incoming as i
where t.org_id = %(org_id)s and t.record_id = i.record_id and not i.deleted
    and (t.payload_hash <> i.payload_hash or t.deleted_at is not null)
"""
_INSERT = """
insert into {table} (
    org_id, record_id, payload, payload_hash, source_updated_at, deleted_at, extracted_at, run_id
)
select %(org_id)s, i.record_id, i.payload::jsonb, i.payload_hash, i.updated_at,
    case when i.deleted then coalesce(i.updated_at, now()) end, now(), %(run_id)s
from aiop_incoming as i
where i.payload is not null
    and not exists (select from {table} as t where t.org_id = %(org_id)s and t.record_id = i.record_id)
"""
_DELETE_MISSING = """
update {table} as t
set deleted_at = now(), extracted_at = now(), run_id = %(run_id)s
where t.org_id = %(org_id)s and t.deleted_at is null {scope}
    and not exists (select from aiop_incoming as i where i.record_id = t.record_id)
"""
# Sent in binary: as text, every quote of every payload would be escaped, by Python code.
_SENT = """
select * from unnest(
    %(record_ids)b::text[], %(payloads)b::text[], %(hashes)b::bytea[], %(instants)b::timestamptz[],
    %(deletions)b::bool[]
) as sent (record_id, payload, payload_hash, updated_at, deleted)
"""


class MissingTooMany(Exception):
    """What was read whole came without more of the ``present`` rows than is believable; nothing was changed."""

    def __init__(self, present: int, missing: int) -> None:
        super().__init__(f"{missing} of {present}")
        self.present = present
        self.missing = missing


@dataclass
class Merged:
    """Rows written: named by the source as deleted, updated, inserted, and missing from what was read whole."""

    named: int = 0
    updated: int = 0
    inserted: int = 0
    missing: int = 0


@dataclass
class Merge:
    """Changes of one load to the rows of one organization in ``staging_<source>.<stream>``.

    full
        The records are all there are: what did not come is marked as deleted.
    replaced
        Where they are not: beginnings of the keys of parts that came whole (``Extract.replaced``).
    max_missing_share
        Of the rows that are there of what came whole, the most that may be missing.
    """

    connection: psycopg.Connection
    source: str
    stream: str
    org_id: int
    run_id: int
    full: bool
    replaced: Sequence[str]
    max_missing_share: float

    def run(self, incoming: Incoming) -> Merged:
        """Merge what came in. Raises MissingTooMany before anything is written."""
        names = {
            "org_id": self.org_id,
            "run_id": self.run_id,
            "share": self.max_missing_share,
            "distinct": incoming.distinct,
            **self._parts,
        }
        return self._few(incoming, incoming.few, names) if incoming.few is not None else self._many(incoming, names)

    @property
    def _looks_for_missing(self) -> bool:
        return self.full or bool(self.replaced)

    @cached_property
    def _parts(self) -> dict[str, list[str]]:
        """Beginnings of keys by their length, as the statements name them; none where everything came."""
        parts: dict[str, list[str]] = {}
        if not self.full:
            for beginning in self.replaced:
                parts.setdefault(f"parts_{len(beginning)}", []).append(beginning)
        return parts

    def _on_table(self, statement: str) -> bytes:
        conditions = [_IN_PARTS.format(length=name.removeprefix("parts_")) for name in self._parts]
        scope = f"and ({' or '.join(conditions)})" if conditions else ""
        return _on(statement, self.source, self.stream, scope)

    def _many(self, incoming: Incoming, names: Mapping[str, Any]) -> Merged:
        def execute(statement: str) -> psycopg.Cursor:
            # Not prepared: a plan kept from a load of ten would not do for one of a million.
            return self.connection.execute(self._on_table(statement), names, prepare=False)

        table = landed_table(self.source, self.stream).as_string(self.connection)
        self.connection.execute(_HASH_WHERE_MORE_COME_THAN_ARE_THERE, {"table": table, "distinct": incoming.distinct})
        merged, missing = Merged(), 0
        if self._looks_for_missing:
            question = f"select present, missing, {_gone(incoming.keyless)} from ({_HELD}) as held"  # noqa: S608
            row = execute(question).fetchone()
            assert row is not None
            present, missing, gone = row
            if gone > self.max_missing_share * present:
                raise MissingTooMany(present, gone)
        if incoming.deletions:
            merged.named = execute(_DELETE_NAMED).rowcount
        merged.updated = execute(_UPDATE).rowcount
        merged.inserted = execute(_INSERT).rowcount
        if missing:
            merged.missing = execute(_DELETE_MISSING).rowcount
        return merged

    def _few(self, incoming: Incoming, rows: Sequence[Row], names: Mapping[str, Any]) -> Merged:
        if not rows and not self._looks_for_missing:
            return Merged()
        statement = _together(self._looks_for_missing, incoming.deletions, incoming.keyless)
        sent = {
            "record_ids": [row.record_id for row in rows],
            "payloads": [row.payload for row in rows],
            "hashes": [row.payload_hash for row in rows],
            "instants": [row.updated_at for row in rows],
            "deletions": [row.deleted for row in rows],
        }
        found = self.connection.execute(self._on_table(statement), {**names, **sent}, prepare=False).fetchone()
        assert found is not None
        present, gone, accepted, *written = found
        if not accepted:
            raise MissingTooMany(present, gone)
        return Merged(*written)


def _gone(keyless: bool) -> str:
    """How many of the rows that did not come are gone from the source.

    A row without a key that changed is another row: only by how many there are fewer says what is gone.
    """
    return "greatest(0, present - %(distinct)s)" if keyless else "missing"


@cache
def _together(whole: bool, deletions: bool, keyless: bool) -> str:
    """The statements as one. They write different rows each, so it does not matter that none sees the others' work."""
    changes = {
        "named": _DELETE_NAMED if deletions else "",
        "updated": _UPDATE,
        "inserted": _INSERT,
        "missed": _DELETE_MISSING if whole else "",
    }
    held = _HELD if whole else "select 0 as present, 0 as missing"
    parts = [
        f"aiop_incoming as materialized ({_SENT})",
        f"held as materialized ({held})",
        f"gone as materialized (select held.*, {_gone(keyless) if whole else 'missing'} as gone from held)",  # noqa: S608
        "verdict as materialized (select gone.*, gone <= %(share)s::float8 * present as accepted from gone)",
    ]
    counts = []
    for name, change in changes.items():
        due = "accepted and missing > 0" if name == "missed" else "accepted"
        if change:
            parts.append(f"{name} as ({change} and (select {due} from verdict) returning 1)")  # noqa: S608
        counts.append(f"(select count(*) from {name})" if change else "0")  # noqa: S608
    return f"with {', '.join(parts)} select present, gone, accepted, {', '.join(counts)} from verdict"  # noqa: S608


@cache
def _on(statement: str, source: str, stream: str, scope: str) -> bytes:
    return sql.SQL(statement).format(table=landed_table(source, stream), scope=sql.SQL(scope)).as_bytes()
