"""The upsert strategy on real tables: what moves, what stays, and what stops a build."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from upsert_project import COLUMNS, counts, prepare, rows, write_project

INPUT = """
    insert into scratch.input values
    (2, '2024-01-02', 7, 'seven'), (1, '2024-01-01', 1.005, 'one'),
    (1, '2024-01-02', 2, 'two'), (1, '2024-01-03', 3, 'three')
"""


def test_only_rows_that_differ_are_written(database_everywhere: str, tmp_path: Path) -> None:
    dbt, connection = prepare(database_everywhere, tmp_path, indexes=[{"columns": ["org_id", "label"]}])
    connection.execute(INPUT)
    dbt.build()
    first = rows(connection)
    assert counts(connection) == (4, 0, 0, 4)
    assert [row["id"] for row in first.values()] == [1, 2, 3, 4], "numbered in the key's order"
    assert str(first[1, "2024-01-01"]["amount"]) == "1.01"
    connection.execute("create view public.users_view as select org_id, amount from marts.sample")
    connection.execute("grant select on marts.sample to aiop_bi_all")

    dbt.build()

    assert counts(connection) == (0, 0, 0, 4)
    assert rows(connection) == first, "same xmin and ctid: not one row version written, rounding included"

    connection.execute("update scratch.input set amount = 2.5 where label = 'two'")
    connection.execute("delete from scratch.input where label = 'three'")
    connection.execute("insert into scratch.input values (2, '2024-01-01', null, 'new')")
    dbt.build()

    assert counts(connection) == (1, 1, 1, 4)
    second = rows(connection)
    for key in [(1, "2024-01-01"), (2, "2024-01-02")]:
        assert second[key] == first[key]
    changed, before = second[1, "2024-01-02"], first[1, "2024-01-02"]
    assert (changed["id"], changed["created_at"], str(changed["amount"])) == (
        before["id"],
        before["created_at"],
        "2.50",
    )
    assert changed["updated_at"] > before["updated_at"]
    new = second[2, "2024-01-01"]
    assert (new["id"], new["amount"]) == (5, None), "existing rows used up no number; an explicit NULL is no default"
    assert new["created_at"] == new["updated_at"] == changed["updated_at"]
    assert (1, "2024-01-03") not in second

    assert_untouched_surroundings(connection)


def assert_untouched_surroundings(connection: psycopg.Connection) -> None:
    """What a swapped table would have lost."""

    def one(query: str) -> object:
        row = connection.execute(query).fetchone()
        return row and row[0]

    assert one("select count(*) from public.users_view") == 4
    assert one("select has_table_privilege('aiop_bi_all', 'marts.sample', 'select')")
    assert one("select relrowsecurity from pg_class where oid = 'marts.sample'::regclass")
    assert one("select obj_description('marts.sample'::regclass)") == "A sample."
    assert one("select col_description('marts.sample'::regclass, 4)") == "The amount."
    assert one("select count(*) from pg_policies where schemaname = 'marts' and tablename = 'sample'") == 2
    assert one("select count(*) from pg_indexes where tablename = 'sample'") == 3
    kept = "conrelid = 'marts.sample'::regclass and contype in ('p', 'u', 'f')"
    assert one(f"select string_agg(contype::text, '' order by contype) from pg_constraint where {kept}") == "fpu"
    assert one("select count(*) from ops.tenancy_violations") == 0


@pytest.mark.slow
def test_columns_and_indexes_arrive_in_place_and_other_changes_stop_with_the_way_out(
    database: str, tmp_path: Path
) -> None:
    dbt, connection = prepare(database, tmp_path)
    connection.execute(INPUT)
    dbt.build()
    before = rows(connection)

    columns = {
        **COLUMNS,
        "amount": {"data_type": "numeric(18,2)", "constraints": [{"type": "custom", "expression": "default 1"}]},
        "share": {
            "data_type": "numeric(5,2)",
            "constraints": [{"type": "not_null"}, {"type": "custom", "expression": "default 0"}],
        },
    }
    select = "select org_id, day, amount, label, amount / 3 as share from scratch.input"
    write_project(dbt.project, columns, select, indexes=[{"columns": ["org_id", "share"]}])
    dbt.build()

    after = rows(connection)
    assert {key: row["id"] for key, row in after.items()} == {key: row["id"] for key, row in before.items()}
    assert str(after[2, "2024-01-02"]["share"]) == "2.33"
    described = connection.execute(
        """
        select
            format_type(atttypid, atttypmod), pg_get_expr(adbin, adrelid), attnotnull,
            col_description(attrelid, attnum)
        from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
        where attrelid = 'marts.sample'::regclass and attname in ('amount', 'share') order by attname
        """
    ).fetchall()
    assert described == [("numeric(18,2)", "1", False, "The amount."), ("numeric(5,2)", "0", True, "The share.")]
    assert connection.execute(
        "select count(*) from pg_indexes where tablename = 'sample' and indexdef like '%(org_id, share)'"
    ).fetchone() == (1,)
    stored = rows(connection)
    dbt.build()
    assert rows(connection) == stored

    retyped = {**COLUMNS, "amount": {"data_type": "bigint"}}
    write_project(dbt.project, retyped, "select org_id, day, amount::bigint as amount, label from scratch.input")
    outcome = dbt.run("build")

    assert not outcome.success
    assert '."marts"."sample" alter column "amount" type bigint using "amount"::bigint;' in outcome.messages
    assert 'drop column "share";' in outcome.messages
    assert "Nothing was changed" in outcome.messages
    assert rows(connection) == stored

    # The way out that the message names leads out.
    for line in outcome.messages.splitlines():
        if line.strip().startswith("alter table"):
            connection.execute(line.strip())
    dbt.build()
    assert str(rows(connection)[1, "2024-01-02"]["amount"]) == "2"


def test_a_row_is_deleted_only_inside_the_models_scope(database: str, tmp_path: Path) -> None:
    dbt, connection = prepare(database, tmp_path)
    connection.execute(INPUT)
    dbt.build()
    before = rows(connection)
    write_project(dbt.project, scope="day >= date '2024-01-03'")
    connection.execute("delete from scratch.input")
    connection.execute("insert into scratch.input values (2, '2024-01-03', 9, 'nine')")

    dbt.build()

    after = rows(connection)
    assert counts(connection) == (1, 0, 1, 4)
    assert set(after) == {(1, "2024-01-01"), (1, "2024-01-02"), (2, "2024-01-02"), (2, "2024-01-03")}
    assert all(after[key] == before[key] for key in set(after) & set(before))

    connection.execute("insert into scratch.input values (1, '2024-01-02', 0, 'late')")
    outcome = dbt.run("build")
    assert not outcome.success
    assert "outside its upsert_scope: (org_id, day) = (1, 2024-01-02)" in outcome.messages
    assert rows(connection) == after


def test_a_model_that_speaks_only_of_what_it_returns_deletes_nothing(database: str, tmp_path: Path) -> None:
    dbt, connection = prepare(database, tmp_path)
    connection.execute(INPUT)
    dbt.build()
    before = rows(connection)
    write_project(dbt.project, scope="written")
    connection.execute("delete from scratch.input")
    connection.execute("insert into scratch.input values (1, '2024-01-02', 7, 'moved'), (2, '2024-01-03', 9, 'nine')")

    dbt.build()

    after = rows(connection)
    assert counts(connection) == (1, 1, 0, len(before) + 1)
    assert set(after) == {*before, (2, "2024-01-03")}
    assert after[1, "2024-01-02"]["id"] == before[1, "2024-01-02"]["id"]
    untouched = set(before) - {(1, "2024-01-02")}
    assert all(after[key] == before[key] for key in untouched)


@pytest.mark.parametrize(
    ("duplicate", "named"),
    [
        pytest.param("(1, '2024-01-02', 2, 'two')", "(1, 2024-01-02) 2 times", id="stored-key-and-even-equal-rows"),
        pytest.param("(2, '2025-05-05', 1, 'a'), (2, '2025-05-05', 1, 'b')", "(2, 2025-05-05) 2 times", id="new-key"),
    ],
)
def test_a_key_that_stands_twice_is_an_error_that_names_it(
    database: str, tmp_path: Path, duplicate: str, named: str
) -> None:
    dbt, connection = prepare(database, tmp_path)
    connection.execute(INPUT)
    dbt.build()
    before = rows(connection)
    connection.execute("delete from scratch.input where label = 'three'")
    connection.execute(f"insert into scratch.input values {duplicate}")

    outcome = dbt.run("build")

    assert not outcome.success
    assert named in outcome.messages
    assert "Nothing was changed" in outcome.messages
    assert rows(connection) == before


@pytest.mark.slow
def test_a_model_that_breaks_its_contract_or_says_too_little_is_stopped(database: str, tmp_path: Path) -> None:
    dbt, connection = prepare(database, tmp_path, scope="")
    connection.execute(INPUT)
    assert "needs an upsert_scope" in dbt.run("build").messages

    write_project(dbt.project, select="select org_id, day, amount::text as amount, label from scratch.input")
    assert "contract" in dbt.run("build").messages

    write_project(dbt.project, select="select org_id, day, amount, label, 1 as extra from scratch.input")
    assert "contract" in dbt.run("build").messages

    write_project(dbt.project, select="select org_id, day, amount, repeat(label, 9) as label from scratch.input")
    assert "value too long for type character varying(12)" in dbt.run("build").messages

    assert connection.execute("select to_regclass('marts.sample')").fetchone() == (None,)
