"""marts.relationships: what it lists is so in the data, and nothing that has an organization is missing from it."""

from __future__ import annotations

import pytest
from bi_world import MARTS, BiWorld

pytestmark = pytest.mark.xdist_group("bi")

_NAMED = "child_schema || '.' || child_table, child_columns, parent_schema || '.' || parent_table, parent_columns"


def listed(bi: BiWorld) -> list[tuple[str, ...]]:
    return bi.rows(bi.tenants[1], f"select {_NAMED}, cardinality from marts.relationships order by 1, 2, 3")


def test_each_relationship_holds_and_is_as_many_to_one_as_it_says(bi: BiWorld) -> None:
    found = listed(bi)
    assert {child for child, *_ in found} >= {f"marts.{mart}" for mart in MARTS}
    for child, columns, parent, parent_columns, cardinality in found:
        names, parents = columns.split(", "), parent_columns.split(", ")
        joined = " and ".join(f"c.{a} = p.{b}" for a, b in zip(names, parents, strict=True))
        rows = bi.rows(bi.owner, f"select count(*) from {child}")[0][0]
        matched = bi.rows(
            bi.owner,
            f"select count(*), count(distinct c.ctid) from {child} as c inner join {parent} as p on {joined}"
            if child != "marts.organization_calendar"
            else f"select count(*), count(distinct (c.org_id, c.calendar_date)) from {child} as c"
            f" inner join {parent} as p on {joined}",
        )
        assert rows > 0, child
        assert matched == [(rows, rows)], f"{child} ({columns}): every row has one parent, and only one"
        if cardinality == "one-to-one":
            distinct = bi.rows(bi.owner, f"select count(distinct ({columns})) from {child}")
            assert distinct == [(rows,)], f"{child} ({columns})"


def test_everything_that_has_an_organization_leads_to_it_and_every_mart_to_the_calendar(bi: BiWorld) -> None:
    relations = bi.rows(
        bi.owner,
        """
        select c.oid::regclass::text from pg_class as c inner join pg_attribute as a on a.attrelid = c.oid
        where c.relnamespace = 'marts'::regnamespace and c.relkind in ('r', 'v') and a.attname = 'org_id'
        """,
    )
    leads = {(one[0], one[2]) for one in listed(bi)}
    assert {f"marts.{mart}" for mart in MARTS} <= {name for (name,) in relations}
    for (name,) in relations:
        assert (name, "marts.organizations") in leads
        if name.startswith("marts.mart_"):
            assert (name, "marts.organization_calendar") in leads


def test_cardinality_follows_from_the_keys(bi: BiWorld) -> None:
    cardinality = {(one[0], one[2]): one[4] for one in listed(bi)}
    assert cardinality["marts.mart_crm_deals", "marts.organizations"] == "many-to-one"
    assert cardinality["marts.mart_crm_deals", "marts.organization_calendar"] == "one-to-one"
    assert cardinality["marts.organization_calendar", "marts.calendar"] == "many-to-one"


def test_a_row_without_its_parent_fails_the_models_own_test(bi: BiWorld) -> None:
    bi.owner.execute("insert into marts.mart_crm_deals (org_id, snapshot_date) values (3, '2040-01-01')")
    try:
        outcome = bi.dbt.run("test", "--select", "belongs_to_mart_crm_deals*")
        assert not outcome.success
        (name,) = [name for name, status in outcome.statuses.items() if status == "fail"]
        assert bi.rows(bi.owner, outcome.compiled[name]) != []
    finally:
        bi.owner.execute("delete from marts.mart_crm_deals where org_id = 3")
    assert bi.dbt.run("test", "--select", "belongs_to_mart_crm_deals*").success
