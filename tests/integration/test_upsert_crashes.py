"""A build that dies half way, and two builds at once: processes of their own, and real kills."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from upsert_project import SELECT, counts, prepare, rows

ASLEEP = "select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'"

# Rows are deleted first and updated then: whoever sleeps in an update has half of the work behind it.
SLOW_UPDATES = """
    create function scratch.sleep() returns trigger language plpgsql as 'begin perform pg_sleep(2); return new; end';
    create trigger slow before update on marts.sample for each row execute function scratch.sleep();
"""


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str] | None = None) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "gave up waiting"
        assert process is None or process.poll() is None, process.stdout.read() if process.stdout else ""
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("death", ["the server ends the session", "the process is killed"])
def test_a_build_that_dies_half_way_leaves_the_rows_as_they_were(database: str, tmp_path: Path, death: str) -> None:
    dbt, connection = prepare(database, tmp_path)
    connection.execute("insert into scratch.input values (1, '2024-01-01', 1, 'a'), (1, '2024-01-02', 2, 'b')")
    dbt.build()
    before = rows(connection)
    connection.execute("update scratch.input set amount = 10 where label = 'a'")
    connection.execute("update scratch.input set day = '2024-01-03' where label = 'b'")
    connection.execute(SLOW_UPDATES)

    process = dbt.start("build")
    wait_for(lambda: connection.execute(ASLEEP).fetchall(), process)
    if death == "the process is killed":
        process.kill()
        assert process.wait() == -9
    else:
        connection.execute(f"select pg_terminate_backend(pid) from ({ASLEEP}) as asleep")
        assert process.wait() != 0
    # A session whose client is gone ends at its next word to it.
    wait_for(lambda: not connection.execute(ASLEEP).fetchall())

    assert rows(connection) == before
    connection.execute("drop trigger slow on marts.sample")
    dbt.build()
    assert counts(connection) == (1, 1, 1, 2)
    after = rows(connection)
    assert set(after) == {(1, "2024-01-01"), (1, "2024-01-03")}
    assert after[1, "2024-01-01"]["id"] == 1
    assert after[1, "2024-01-01"]["created_at"] == before[1, "2024-01-01"]["created_at"]


@pytest.mark.slow
def test_two_first_builds_at_once_wait_for_each_other(database: str, tmp_path: Path) -> None:
    dbt, connection = prepare(database, tmp_path)
    connection.execute("insert into scratch.input values (1, '2024-01-01', 1, 'a'), (1, '2024-01-02', 2, 'b')")
    (dbt.project / "models" / "sample.sql").write_text(
        f"select source.* from ({SELECT}) as source cross join (select pg_sleep(1)) as slowly", encoding="utf-8"
    )
    processes = [dbt.start("run", "--target-path", str(tmp_path / f"target{number}")) for number in range(2)]

    for process in processes:
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output

    written = connection.execute(
        "select rows_inserted from ops.build_models where model = 'marts.sample' order by finished_at"
    ).fetchall()
    assert written == [(2,), (0,)]
    assert [row["id"] for row in rows(connection).values()] == [1, 2]


@pytest.mark.slow
def test_readers_are_not_stopped_by_a_build(database: str, tmp_path: Path) -> None:
    dbt, connection = prepare(database, tmp_path)
    connection.execute("insert into scratch.input values (1, '2024-01-01', 1, 'a')")
    dbt.build()
    connection.execute("update scratch.input set amount = 10")
    connection.execute(SLOW_UPDATES)
    process = dbt.start("build")
    wait_for(lambda: connection.execute(ASLEEP).fetchall(), process)

    with psycopg.connect(database, options="-c lock_timeout=500ms") as reader:
        seen = reader.execute("select amount::int from marts.sample").fetchall()

    assert seen == [(1,)], "yesterday's rows until the build commits"
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert connection.execute("select amount::int from marts.sample").fetchall() == [(10,)]
