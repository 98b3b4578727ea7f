"""Published views: replaced in place where they changed, not under their readers, never with their owner's rights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from dbt_runs import Dbt

from orchestration.settings import PROJECT_ROOT

COLUMNS = {"org_id": "integer", "amount": "numeric(18,2)"}


def write_project(directory: Path, select: str, columns: dict[str, str] = COLUMNS) -> Path:
    project = yaml.safe_load((PROJECT_ROOT / "dbt_project.yml").read_text(encoding="utf-8"))
    project |= {"macro-paths": [str(PROJECT_ROOT / "macros")], "test-paths": ["tests"]}
    project["models"] = {
        "aiop": {"+persist_docs": {"relation": True, "columns": True}, **project["models"]["aiop"]["marts"]}
    }
    model = {
        "name": "sample",
        "description": "A sample.",
        "config": {"materialized": "published_view"},
        "columns": [{"name": name, "data_type": kind, "description": f"The {name}."} for name, kind in columns.items()],
    }
    (directory / "models").mkdir(parents=True, exist_ok=True)
    (directory / "dbt_project.yml").write_text(yaml.safe_dump(project), encoding="utf-8")
    (directory / "models" / "sample.yml").write_text(yaml.safe_dump({"models": [model]}), encoding="utf-8")
    (directory / "models" / "sample.sql").write_text(select, encoding="utf-8")
    return directory


@pytest.mark.slow
def test_a_view_changes_in_place_or_says_why_not(database: str, tmp_path: Path) -> None:
    connection = psycopg.connect(database, autocommit=True)
    connection.execute(
        "insert into ops.organizations (id, slug, name, organization_id, timezone, currency)"
        " values (1, 'one', 'One', gen_random_uuid(), 'UTC', 'USD');"
        "create table marts.base (org_id int, amount numeric(18,2), label text, unique (org_id, label));"
        "insert into marts.base values (1, 5, 'a'); select ops.secure_table('marts.base')"
    )

    def view() -> tuple[Any, ...]:
        row = connection.execute(
            "select xmin::text, reloptions, obj_description(oid), col_description(oid, 2),"
            " has_table_privilege('aiop_bi', oid, 'select') from pg_class where oid = 'marts.sample'::regclass"
        ).fetchone()
        assert row is not None
        return row

    dbt = Dbt(write_project(tmp_path / "project", "select org_id, amount from marts.base"), database, tmp_path / "s")
    dbt.build()
    first = view()
    assert first[1:] == (["security_invoker=true"], "A sample.", "The amount.", True)
    connection.execute("create view public.users_view as select amount from marts.sample")

    # Written otherwise, it is the same view.
    write_project(dbt.project, "-- Its rows.\nSELECT\n    base.org_id,\n    base.amount\nFROM marts.base")
    dbt.build()
    assert view() == first

    added = {**COLUMNS, "label": "text"}
    write_project(dbt.project, "select org_id, amount * 2 as amount, label from marts.base", added)
    outcome = dbt.run("build")
    assert not outcome.success
    assert "change their type under its readers: amount." in outcome.messages
    write_project(dbt.project, "select org_id, (amount * 2)::numeric(18,2) as amount, label from marts.base", added)
    dbt.build()
    assert view()[0] != first[0]
    assert view()[1:] == first[1:]
    assert connection.execute("select amount from public.users_view").fetchall() == [(10,)]

    write_project(dbt.project, "select org_id, label from marts.base", {"org_id": "integer", "label": "text"})
    outcome = dbt.run("build")
    assert not outcome.success
    assert "their type under its readers: amount, label. New columns go to the end." in outcome.messages
    assert connection.execute("select amount from public.users_view").fetchall() == [(10,)]

    # The way out that the message names leads out.
    (way_out,) = [line for line in outcome.messages.splitlines() if line.strip().startswith("drop view")]
    connection.execute(way_out.strip())
    dbt.build()
    assert view()[1] == ["security_invoker=true"]
    assert connection.execute("select * from ops.tenancy_violations").fetchall() == []
    connection.close()
