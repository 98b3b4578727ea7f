"""Data, programs and places the embedded server can't use: a sentence each, and no process left behind."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from postgres_helpers import (
    SMALL,
    as_nobody,
    as_root,
    assert_nothing_runs,
    query,
)
from servers import DEBIAN, DEBIAN_MAJOR, EMBEDDED, PROGRAMS

from orchestration.errors import DatabaseError
from orchestration.warehouse import embedded_binaries
from orchestration.warehouse.embedded import EmbeddedPostgres
from orchestration.warehouse.embedded_binaries import MINIMUM_MAJOR

OTHER = DEBIAN_MAJOR or MINIMUM_MAJOR


@pytest.mark.skipif(DEBIAN_MAJOR in (None, 18), reason="no Postgres of another major version than the embedded one")
@pytest.mark.parametrize(("made_by", "opened_by"), [(OTHER, 18), (18, OTHER)])
def test_data_of_another_major_version_is_left_alone(own_home: Path, made_by: int, opened_by: int) -> None:
    programs = {OTHER: PROGRAMS[DEBIAN], 18: PROGRAMS[EMBEDDED]}
    EmbeddedPostgres(own_home, programs[made_by], SMALL).init()
    server = EmbeddedPostgres(own_home, programs[opened_by], SMALL)
    with pytest.raises(DatabaseError, match=f"made by Postgres {made_by}.* Postgres {opened_by}") as caught:
        server.start()
    assert "AIOP_PG_BIN" in caught.value.hint
    assert_nothing_runs(server)
    right = EmbeddedPostgres(own_home, programs[made_by], SMALL)
    assert right.start().major == made_by


def test_a_directory_that_holds_something_else_is_not_touched(server: EmbeddedPostgres) -> None:
    server.data.mkdir(parents=True)
    (server.data / "thesis.txt").write_text("mine")
    server.home.chmod(0o755)
    if os.geteuid() == 0:
        os.chown(server.data, 65534, 65534)
    with pytest.raises(DatabaseError, match="holds no Postgres data"):
        server.start()
    assert (server.data / "thesis.txt").read_text() == "mine"
    assert_nothing_runs(server)


def test_lost_or_damaged_passwords_are_said_to_be(server18: EmbeddedPostgres) -> None:
    server18.start()
    server18.stop()
    state = server18.directory / "server.json"
    kept = state.read_text()
    state.write_text("{")
    with pytest.raises(DatabaseError, match="damaged"):
        server18.start()
    state.unlink()
    with pytest.raises(DatabaseError, match="passwords, is gone"):
        server18.start()
    assert_nothing_runs(server18)
    state.write_text(kept)
    server18.start()


def test_programs_that_are_missing_or_too_old_are_named(
    own_home: Path, session_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = session_root / f"{own_home.name}-bin"
    programs.mkdir(mode=0o755)
    monkeypatch.setenv("AIOP_PG_BIN", str(programs))
    server = EmbeddedPostgres(own_home)
    with pytest.raises(DatabaseError, match="lacks initdb, pg_ctl, postgres"):
        server.start()
    for name in ("initdb", "pg_ctl", "postgres"):
        (programs / name).write_text('#!/bin/sh\necho "postgres (PostgreSQL) 14.11"\n')
        (programs / name).chmod(0o755)
    with pytest.raises(DatabaseError, match="are Postgres 14; 15 or newer is needed"):
        server.start()
    assert_nothing_runs(server)


@as_root
def test_a_home_behind_a_closed_directory_names_that_directory(own_home: Path) -> None:
    own_home.mkdir(mode=0o700)
    server = EmbeddedPostgres(own_home / "project" / ".aiop", None, SMALL)
    with pytest.raises(DatabaseError, match=f"can't enter {own_home}\n") as caught:
        server.start()
    assert f"chmod o+x {own_home}" in caught.value.hint
    assert list(own_home.iterdir()) == []
    assert_nothing_runs(server)
    own_home.chmod(0o711)
    server.start()


@as_root
def test_packaged_programs_the_account_cannot_read_are_copied_beside_the_data(
    own_home: Path, session_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = embedded_binaries.packaged_directory()
    assert found is not None
    site, package = found.parents[2], found.parents[1]
    closed = session_root / f"{own_home.name}-site"
    closed.mkdir(mode=0o700)
    for name in (package.name, f"{package.name}.libs"):
        subprocess.run(["cp", "-a", str(site / name), str(closed / name)], check=True)
    hidden = closed / found.relative_to(site)
    monkeypatch.setattr(embedded_binaries, "packaged_directory", lambda: hidden)
    server = EmbeddedPostgres(own_home, None, SMALL)
    server.start()
    assert query(server.builder_url(), "select 1") == [(1,)]
    psql = server.program("psql")
    assert own_home in psql.parents
    assert subprocess.run([psql, "--version"], capture_output=True, check=True).stdout.startswith(b"psql")
    assert server.stop() is True
    # Chosen by name they are not copied: it could be a whole system.
    with pytest.raises(DatabaseError, match="can't execute the programs in"):
        EmbeddedPostgres(own_home / "other", hidden, SMALL).start()


@as_root
def test_an_ordinary_user_runs_the_server_as_itself(own_home: Path) -> None:
    own_home.mkdir()
    os.chown(own_home, 65534, 65534)
    server = EmbeddedPostgres(own_home / "home", None, SMALL)

    def cycle() -> str:
        status = server.start()
        owner = os.stat(f"/proc/{status.pid}").st_uid
        mode = oct(server.home.stat().st_mode & 0o777)
        return f"{owner} {mode} {query(server.builder_url(), 'select 1')} {server.stop()}"

    assert as_nobody(cycle) == "65534 0o700 [(1,)] True"
    # Root goes on as the user that the data belongs to.
    assert server.start().state == "running"
    assert os.stat(f"/proc/{server.status().pid}").st_uid == 65534


@as_root
def test_an_ordinary_user_is_told_that_a_server_is_somebody_elses(own_home: Path) -> None:
    server = EmbeddedPostgres(own_home, None, SMALL)
    server.start()
    for call in (server.start, server.stop, server.builder_url, server.init):
        answer = as_nobody(call)
        assert answer.startswith("DatabaseError"), answer
        assert "AIOP_HOME to a directory of your own" in answer
    server.stop()
    assert "AIOP_HOME to a directory of your own" in as_nobody(server.start)
    assert_nothing_runs(server)
