"""What a dbt process is given, and that only one builds at a time."""

from __future__ import annotations

import stat
import threading
import time
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from orchestration.defs.execution import prepare_dagster_home
from orchestration.errors import AiopError, DatabaseError
from orchestration.settings import load_settings
from orchestration.warehouse.dbt import build_lock, build_rows, current_manifest, dbt_environment, dbt_paths, run_dbt


def test_what_quotes_rows_is_made_for_its_owners_eyes_alone(database: str) -> None:
    prepare_dagster_home()
    for path in (dbt_paths().home, load_settings().home / "dagster"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path


def test_a_second_build_waits_for_the_first_and_says_so(database: str) -> None:
    said: list[str] = []
    waits, entered, order = threading.Event(), threading.Event(), []

    def second() -> None:
        def on_wait(message: str) -> None:
            said.append(message)
            waits.set()

        with build_lock(on_wait):
            order.append("second")
            entered.set()

    with build_lock(said.append):
        thread = threading.Thread(target=second)
        thread.start()
        assert waits.wait(30)
        assert not entered.is_set()
        order.append("first")
    thread.join(30)

    assert order == ["first", "second"]
    assert said == ["another build is running: waiting for it to end"]


def test_limits_for_short_work_do_not_take_the_lock_from_a_build(database: str, superuser_url: str) -> None:
    said, order, waits = list[str](), list[str](), threading.Event()
    limits = {"idle_in_transaction_session_timeout": "300ms", "statement_timeout": "300ms", "transaction_timeout": "1s"}
    with psycopg.connect(superuser_url, autocommit=True) as administrator:
        name = sql.Identifier(administrator.info.dbname)
        for limit, value in limits.items():
            administrator.execute(sql.SQL("alter database {} set {} = {}").format(name, sql.Identifier(limit), value))

    def second() -> None:
        with build_lock(lambda message: (said.append(message), waits.set())):
            order.append("second")

    with build_lock():
        thread = threading.Thread(target=second)
        thread.start()
        assert waits.wait(30)
        time.sleep(1.5)
        order.append("first")
    thread.join(30)

    assert order == ["first", "second"]


def test_a_build_waits_for_a_tenants_open_transaction_only_so_long(database: str) -> None:
    with psycopg.connect(database, options=dbt_environment()["PGOPTIONS"]) as build:
        assert build.execute("show lock_timeout").fetchone() == ("1min",)


def test_a_lock_that_can_not_be_had_is_a_sentence(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("drop table ops.locks")
    with pytest.raises(DatabaseError, match=r"ops\.locks"), build_lock():
        raise AssertionError("it must not be entered")


@pytest.mark.slow
def test_the_manifest_is_parsed_once_and_needs_no_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIOP_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody:canary-4711@127.0.0.1:1/nothing")
    manifest = current_manifest()
    parsed_at = manifest.stat().st_mtime_ns

    assert current_manifest() == manifest
    assert manifest.stat().st_mtime_ns == parsed_at

    (manifest.parent / "parsed_from").write_text("another state of the project", encoding="utf-8")
    parsed_again = []
    monkeypatch.setattr("orchestration.warehouse.dbt.run_dbt", lambda arguments, _: parsed_again.append(arguments[0]))
    assert current_manifest() == manifest
    assert parsed_again == ["parse"]
    left = [path for path in tmp_path.rglob("*") if path.is_file() and b"canary-4711" in path.read_bytes()]
    assert left == [], "the password reached a file"


@pytest.mark.slow
def test_a_failure_names_the_model_and_not_the_password(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    password = str(psycopg.conninfo.conninfo_to_dict(database)["password"])
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("drop view ops.tenancy_violations")

    with pytest.raises(AiopError) as raised:
        run_dbt(["run", "--select", "organizations"], dbt_environment())

    assert "aiop db init" in str(raised.value)
    assert password not in str(raised.value)
    logs = "".join(path.read_text(encoding="utf-8") for path in dbt_paths().logs.glob("*"))
    assert logs
    assert password not in logs


def test_counts_of_a_build_are_given_to_dagster_by_model(database: str) -> None:
    build = "6b1e0f5c-0000-4000-8000-000000000001"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("insert into ops.build_runs (build_id, status) values (%s, 'running')", [build])
        connection.execute("insert into ops.build_models values (%s, 'marts.organizations', 1, 2, 3, 4, 0.1)", [build])
        metadata = {"invocation_id": build, "unique_id": "model.aiop.organizations"}

        assert build_rows("run-1", metadata) == {
            "dagster/row_count": 4,
            "rows_inserted": 1,
            "rows_updated": 2,
            "rows_deleted": 3,
        }
        assert build_rows("run-1", metadata | {"unique_id": "model.aiop.stg_quickbooks__account"}) == {}
        assert connection.execute("select dagster_run_id from ops.build_runs").fetchall() == [("run-1",)]
