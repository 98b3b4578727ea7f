"""The tables that sources land in: ``staging_<source>.<stream>``, all alike."""

from __future__ import annotations

import re
from collections.abc import Iterable

import psycopg
from psycopg import sql

from orchestration.errors import UsageError
from orchestration.sources.core.records import Stream
from orchestration.warehouse import locks

# What Postgres keeps of a name, less the schema's prefix.
_NAME = re.compile(r"[a-z][a-z0-9_]{0,50}\Z")

_TABLE = """
create table if not exists {table} (
    org_id int not null,
    record_id text not null,
    payload jsonb not null,
    payload_hash bytea not null,
    source_updated_at timestamptz,
    deleted_at timestamptz,
    extracted_at timestamptz not null,
    run_id bigint not null,
    primary key (org_id, record_id)
)
"""
# A part is found without reading the organization's other rows, by the load that replaces it and by models.
_PARTS = "create index if not exists {name} on {table} (org_id, left(record_id, {length}))"
_TABLE_COMMENT = "Landed as received: one row per organization and record of the source, kept when deleted there."
_COMMENTS = {
    "org_id": "The organization (ops.organizations.id).",
    "record_id": "The record's key in the source.",
    "payload": "The record as received; numbers keep every digit.",
    "payload_hash": "blake2b (16 bytes) of the payload as JSON with sorted keys: whether a record changed.",
    "source_updated_at": "When the source last changed the record, where it says so.",
    "deleted_at": "When the record was gone in the source; null while it is there.",
    "extracted_at": "Start of the load that last changed this row.",
    "run_id": "The load that last changed this row (ops.sync_runs).",
}


def schema_name(source: str) -> str:
    """The schema a source lands in."""
    return f"staging_{_checked(source)}"


def landed_table(source: str, stream: str) -> sql.Identifier:
    """The qualified name of a stream's table, quoted."""
    return sql.Identifier(schema_name(source), _checked(stream))


def ensure_tables(connection: psycopg.Connection, source: str, streams: Iterable[Stream]) -> None:
    """Create the source's schema and the tables of its streams where they are missing; safe to run side by side."""
    schema, wanted = schema_name(source), {_checked(stream.name): stream for stream in streams}
    indexed = {name: f"{name}_parts" for name, stream in wanted.items() if stream.part_length}
    with connection.transaction():
        rows = connection.execute(
            "select relname from pg_class where relnamespace = to_regnamespace(%s) and relname = any (%s)",
            [schema, [*wanted, *indexed.values()]],
        ).fetchall()
    there = {name for (name,) in rows}
    missing = [name for name in wanted if name not in there or indexed.get(name, name) not in there]
    if not missing:
        return
    # Two sessions creating one table run into each other even with "if not exists".
    with locks.exclusive(connection, f"landed tables of {source}", wait_seconds=60):
        connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
        for name in missing:
            table = landed_table(source, name)
            connection.execute(sql.SQL(_TABLE).format(table=table))
            comment = sql.SQL("comment on table {} is {}").format(table, _TABLE_COMMENT)
            connection.execute(comment)
            for column, text in _COMMENTS.items():
                named = sql.Identifier(schema, name, column)
                connection.execute(sql.SQL("comment on column {} is {}").format(named, text))
            if name in indexed:
                index, length = sql.Identifier(indexed[name]), sql.Literal(wanted[name].part_length)
                connection.execute(sql.SQL(_PARTS).format(name=index, table=table, length=length))


def analyze_new(connection: psycopg.Connection, source: str) -> None:
    """Have the planner count tables of the source that rows came into for the first time.

    The server does so by itself, but a minute later: what is built next would be planned for empty tables.
    """
    schema = schema_name(source)
    rows = connection.execute(
        "select relname from pg_class where relnamespace = to_regnamespace(%s) and relkind = 'r' and reltuples < 0"
        " and pg_relation_size(oid) > 0",
        [schema],
    ).fetchall()
    for (name,) in rows:
        connection.execute(sql.SQL("analyze {}").format(sql.Identifier(schema, name)))


def _checked(name: str) -> str:
    if not _NAME.match(name):
        raise UsageError(f"{name!r} can't name a source or stream", hint="lower case letters, digits and _, up to 51")
    return name
