"""The demo's SQL sources: made where the warehouse is, and brought to the world's day."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg

from orchestration.demo.cases.database import CASE_DATABASES
from orchestration.demo.environment import write_environment
from orchestration.demo.serving.databases import DemoDatabase, Server, demo_server, ensure_database, password_of
from orchestration.demo.world import World, read_world
from orchestration.errors import AiopError
from orchestration.settings import load_settings
from orchestration.warehouse.embedded import EmbeddedPostgres

DATABASES: tuple[DemoDatabase, ...] = (*CASE_DATABASES,)


def bring_up(directory: Path, world: World, server: Server | None = None) -> dict[str, str]:
    """Make the databases where missing and bring them to the world's day; their readers' URLs by variable.

    Raises AiopError where the warehouse's server lets nobody make databases.
    """
    server = server or demo_server()
    urls = {}
    for one in DATABASES:
        database = ensure_database(server, one.name, password_of(directory, one.name))
        with database.writing() as connection:
            one.update(connection, world)
        urls[one.variable] = database.reader_url
    return urls


def attach(home: Path, say: Callable[[str], None]) -> list[DemoDatabase]:
    """Bring the databases up and their readers' URLs into `$AIOP_HOME/env`: the server may be on another port now.

    Gives those that are there: none, and a word why, where the warehouse's server lets nobody make databases.
    """
    directory = home / "demo"
    try:
        urls = bring_up(directory, read_world(directory))
    except AiopError as refused:
        say(f"SQL sources are left out: {refused}")
        return []
    write_environment(home / "env", urls, replace=True)
    return [one for one in DATABASES if one.variable in urls]


def follow(world: World) -> None:
    """Bring databases that were made to the world's day, where their server runs; else the next start does it."""
    settings = load_settings()
    if settings.database_url is None and EmbeddedPostgres(settings.home).status().state != "running":
        return
    server = demo_server()
    with psycopg.connect(server.url(server.maintenance), autocommit=True) as connection:
        made = {row[0] for row in connection.execute("select datname from pg_database").fetchall()}
    for one in DATABASES:
        if one.name in made:
            with psycopg.connect(server.url(one.name), application_name="aiop stand-in") as connection:
                one.update(connection, world)
