"""Dealerships in a database of their own on the tests' server, and a warehouse that they are connected to."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import sql

from orchestration.demo.dealer.dealership import Dealership
from orchestration.demo.softbase_server import RunningSoftbase, made_database, running
from orchestration.demo.world import World
from orchestration.warehouse.embedded import EmbeddedPostgres


@contextmanager
def softbase(
    server: EmbeddedPostgres, dealerships: Sequence[Dealership], world: World | None = None
) -> Iterator[RunningSoftbase]:
    """The stand-in in a database that is dropped afterwards."""
    name = f"softbase_{uuid.uuid4().hex[:16]}"
    made_database(server.superuser_url("postgres"), name)
    try:
        with running(server.superuser_url(name), dealerships=dealerships, world=world) as started:
            yield started
    finally:
        with psycopg.connect(server.superuser_url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
