"""The embedded server on a full disk: a real, small file system."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from postgres_helpers import (
    as_root,
    assert_nothing_runs,
    query,
)

from orchestration.errors import DatabaseError
from orchestration.warehouse import embedded_processes
from orchestration.warehouse.database_errors import database_errors
from orchestration.warehouse.embedded import EmbeddedPostgres


@pytest.fixture
def small_disk(own_home: Path) -> Iterator[Callable[[int], None]]:
    """A function that makes the home a file system of its own with that many MiB, or changes the size."""
    mounted = False

    def size(mebibytes: int) -> None:
        nonlocal mounted
        own_home.mkdir(exist_ok=True)
        options = f"size={mebibytes}m,mode=0711" + (",remount" if mounted else "")
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(own_home)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            pytest.skip(f"mounting is not allowed here: {result.stderr.strip()}")
        mounted = True

    yield size
    if mounted:
        embedded_processes.end_all(own_home / "pg" / "data")
        subprocess.run(["umount", str(own_home)], check=True)


def fill(directory: Path) -> Path:
    """A file that takes all the space there is."""
    path = directory / "filler"
    with path.open("wb") as file:
        try:
            while True:
                file.write(b"x" * 65536)
                file.flush()
        except OSError:
            pass
    return path


@as_root
def test_a_disk_too_full_for_a_database_is_said_to_be_and_nothing_stays(
    server: EmbeddedPostgres, small_disk: Callable[[int], None]
) -> None:
    small_disk(24)
    with pytest.raises(DatabaseError, match=f"the disk that holds {server.directory} is full") as caught:
        server.start()
    assert "free some space" in caught.value.hint
    assert_nothing_runs(server)
    assert server.status().state == "absent"
    assert {path.name for path in server.directory.iterdir()} <= {"lock", "server.json"}
    small_disk(400)
    server.start()
    assert query(server.builder_url(), "select 1") == [(1,)]


@as_root
def test_a_start_on_a_full_disk_is_explained_and_works_once_there_is_space(
    server: EmbeddedPostgres, small_disk: Callable[[int], None]
) -> None:
    small_disk(200)
    server.start()
    with psycopg.connect(server.builder_url(), autocommit=True) as connection:
        connection.execute("create table kept as select 1 as a")
    server.stop()
    filler = fill(server.home)
    with pytest.raises(DatabaseError, match="is full"):
        server.start()
    assert_nothing_runs(server)
    filler.unlink()
    server.start()
    assert query(server.builder_url(), "select a from kept") == [(1,)]


@as_root
def test_a_disk_that_fills_up_under_a_load_ends_it_with_a_sentence_and_keeps_what_was_committed(
    server: EmbeddedPostgres, small_disk: Callable[[int], None]
) -> None:
    small_disk(200)
    server.start()
    with psycopg.connect(server.builder_url(), autocommit=True) as connection:
        connection.execute("create table kept as select 1 as a")

    def load() -> None:
        with database_errors(), psycopg.connect(server.builder_url()) as connection:
            connection.execute("create table big (a text)")
            with connection.cursor().copy("copy big from stdin") as copy:
                for _ in range(20_000):
                    copy.write(os.urandom(10_000).hex() + "\n")

    with pytest.raises(DatabaseError, match=r"disk is full|connection to the database broke|crashed") as caught:
        load()
    assert caught.value.hint
    small_disk(600)
    server.start()
    assert query(server.builder_url(), "select a from kept") == [(1,)]
    assert query(server.builder_url(), "select to_regclass('big')::text") == [(None,)]
