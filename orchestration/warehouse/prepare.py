"""Everything a warehouse has before its first row."""

from __future__ import annotations

import psycopg

from orchestration.sources import SOURCES
from orchestration.warehouse import migrate
from orchestration.warehouse.landed_tables import ensure_tables


def prepare(connection: psycopg.Connection) -> None:
    """Bring schemas, roles and the landed tables of every source up to date; idempotent.

    The tables of sources that nobody is connected to are there, too: the models above read them.
    """
    migrate.upgrade(connection)
    for source in SOURCES.values():
        ensure_tables(connection, source.name, source.streams)
    connection.commit()
