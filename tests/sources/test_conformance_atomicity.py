"""Kills, lost database sessions, two runs at once and two organizations: each stream lands whole or not at all."""

from __future__ import annotations

import pytest
from cases import proves
from conformance_world import Warehouse
from standin import ONE, TWO


@proves("20a")
@pytest.mark.parametrize("point", ["between pages", "after a commit"])
def test_killed_and_run_again_it_is_as_if_it_had_not_been(warehouse: Warehouse, point: str) -> None:
    standin = warehouse.standin
    standin.make(2 * standin.page + 1)
    standin.make(3, TWO)
    committed = "select count(*) from ops.watermarks where org_id = 1 and stream = %s"

    def is_due(text: str) -> bool:
        if point == "between pages":
            return standin.pages_asked() == 2
        return bool(standin.pages_asked() and warehouse.query(committed, standin.stream)[0][0])

    warehouse.sync_and_kill(is_due)
    assert warehouse.live() == (set() if point == "between pages" else standin.keys())
    complete = set(warehouse.query("select stream, org_id from ops.watermarks"))
    assert {(stream, row[0]) for stream, rows in warehouse.versions().items() for row in rows} <= complete

    warehouse.night(ONE, TWO)
    after_the_kill = warehouse.contents()
    warehouse.start_over()
    warehouse.night(ONE, TWO)
    assert after_the_kill == warehouse.contents()


@proves("F43")
def test_a_lost_database_session_undoes_its_stream_only(warehouse: Warehouse) -> None:
    standin = warehouse.standin
    standin.make(2 * standin.page + 1)
    end = "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'aiop sync%%'"
    standin.at_page(2, lambda: warehouse.query(end + " and datname = current_database()"))
    report = warehouse.sync()
    assert [failure.stream for failure in report.failures] == [standin.stream]
    assert warehouse.live() == set()
    warehouse.night()
    assert warehouse.live() == standin.keys()


@proves("F45")
def test_two_runs_at_once_land_the_same_rows_as_one(warehouse: Warehouse) -> None:
    standin = warehouse.standin
    standin.make(standin.page + 1)
    assert [report.failures for report in warehouse.sync_twice_at_once()] == [[], []]
    both = warehouse.contents()
    warehouse.start_over()
    warehouse.night()
    assert both == warehouse.contents()


@proves("F40")
def test_one_id_in_two_organizations_is_two_rows(warehouse: Warehouse) -> None:
    standin = warehouse.standin
    assert standin.make_same(3, ONE) == standin.make_same(3, TWO)
    standin.make_same(1, TWO)
    warehouse.night(ONE, TWO)
    assert (warehouse.live(ONE), warehouse.live(TWO)) == (standin.keys(ONE), standin.keys(TWO))
    assert len(warehouse.live(TWO)) == 4
