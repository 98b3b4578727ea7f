"""The least that landing can be: answers decoded, their records copied into a table without a key, a commit for each.

No hash, no order of keys, no duplicates found, nothing deleted, no watermark, no lock, no record of a run. What a sync
takes beyond its requests is to be seen beside this.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import msgspec
import psycopg

from orchestration.warehouse import database

TABLE = "public.bare_records"


class BareLanding:
    """One connection for each thread that calls it."""

    def __init__(self, records_of: Callable[[Any], list[Any]]) -> None:
        self._records_of = records_of
        self._of_thread = threading.local()
        self._connections: list[psycopg.Connection] = []
        with database.connect(autocommit=True) as connection:
            connection.execute(f"drop table if exists {TABLE}")
            connection.execute(f"create table {TABLE} (payload jsonb)")

    def __call__(self, body: bytes) -> None:
        """Land one answer."""
        records = self._records_of(msgspec.json.decode(body))
        connection = self._connection()
        with connection.transaction(), connection.cursor().copy(f"copy {TABLE} from stdin") as copy:
            for record in records:
                copy.write_row((msgspec.json.encode(record).decode(),))

    def close(self) -> None:
        """End its sessions and remove the table."""
        for connection in self._connections:
            connection.close()
        with database.connect(autocommit=True) as connection:
            connection.execute(f"drop table {TABLE}")

    def _connection(self) -> psycopg.Connection:
        if not hasattr(self._of_thread, "connection"):
            self._of_thread.connection = database.connect(autocommit=True)
            self._connections.append(self._of_thread.connection)
        connection: psycopg.Connection = self._of_thread.connection
        return connection
