"""Expectations on landed rows: what they find, whom they hold back, and that nobody else is touched."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import psycopg
import pytest
from landed_reports import cell, line, report, section
from quality_world import CANARY, QualityWorld, balance_sheet, invoice, profit_and_loss

from orchestration.quality import documents
from orchestration.quality.check import QualityReport
from orchestration.quality.expectations import Expectation, Suite
from orchestration.quality.holding import held, release
from orchestration.quality.measure import measure
from orchestration.quality.suites import suites
from orchestration.settings import PROJECT_ROOT
from orchestration.sources import SOURCES
from orchestration.sources.core.sql_values import record_key
from orchestration.warehouse import migrate
from orchestration.warehouse.landed_tables import ensure_tables

AIOP = str(Path(sys.executable).with_name("aiop"))


@pytest.fixture
def world(database: str) -> QualityWorld:
    return QualityWorld()


def found(checked: QualityReport) -> set[tuple[str, str, str, int]]:
    return {(one.organization, one.stream, one.expectation, one.unexpected) for one in checked.failing}


def holding(checked: QualityReport) -> dict[str, str]:
    return {one.organization: one.reason for one in checked.held}


def test_good_rows_break_nothing_and_hold_nobody_back(world: QualityWorld) -> None:
    for org in (1, 2):
        world.land_reports(org)
        world.land(org, "invoice", [invoice(number) for number in range(30)])
    checked = world.check()
    assert (found(checked), checked.held) == (set(), ())
    assert checked.measured == 6
    # A verdict on every expectation of every stream that landed, for each organization.
    (verdicts,) = world.query("select count(*), bool_and(passed), min(observed) from ops.quality_results")
    expected = sum(
        len(s.expectations) + 1
        for s in suites("quickbooks")
        if s.stream in ("invoice", "profit_and_loss", "balance_sheet")
    )
    assert verdicts == (2 * expected, True, 2)


@pytest.mark.parametrize(
    ("fields", "expectation"),
    [
        ({"Id": "another"}, "id_is_key"),
        ({"TxnDate": "2025-02-30"}, "transaction_date_readable"),
        ({"TxnDate": " "}, "transaction_date_present"),
        ({"TotalAmt": "twelve", "Balance": None}, "total_amount_readable"),
        ({"TotalAmt": None}, "total_amount_present"),
        ({"Balance": -0.01}, "open_balance_within_total"),
        ({"TotalAmt": -5, "Balance": 1}, "open_balance_within_total"),
        ({"DueDate": "soon"}, "due_date_readable"),
        ({"ExchangeRate": 0}, "exchange_rate_positive"),
    ],
)
def test_a_corrupted_record_is_found_by_the_rule_it_breaks(world: QualityWorld, fields: dict, expectation: str) -> None:
    world.land(1, "invoice", [invoice(1, **fields), invoice(2)])
    assert ("org_1", "invoice", expectation, 1) in found(world.check())


@pytest.mark.parametrize("payload", [[], "text", 7, {"Rows": 3}, {"Id": {"a": []}, "Line": "x", "TxnDate": []}])
def test_a_record_of_any_shape_is_counted_and_stops_no_check(world: QualityWorld, payload: object) -> None:
    for suite in suites("quickbooks"):
        world.land(1, suite.stream, [("1", payload)])  # type: ignore[list-item]
    checked = world.check()
    assert {one.stream for one in checked.failing} == {suite.stream for suite in suites("quickbooks")}


def test_a_critical_failure_holds_back_one_organization_until_a_good_load(world: QualityWorld) -> None:
    for org in (1, 2, 3):
        world.land_reports(org)
    assert not world.check().held
    world.land(2, "balance_sheet", [report("balance_sheet", balance_sheet(equity="700.01"), "2025-02")])
    world.land(3, "invoice", [invoice(1, TotalAmt="twelve")])
    checked = world.check()
    assert holding(checked) == {"org_2": "balance_sheet: not so in 1 of 2 records: assets are liabilities plus equity"}
    assert checked.change.held == ("org_2",)
    assert ("org_3", "invoice", "total_amount_readable", 1) in found(checked), "a warning, which holds nobody back"

    # A load that changes other records does not make it good, and since when it is held stays.
    since = checked.held[0].since
    world.land(2, "balance_sheet", [report("balance_sheet", balance_sheet(), "2025-03")])
    assert world.check().held[0].since == since

    world.land(2, "balance_sheet", [report("balance_sheet", balance_sheet(), "2025-02")])
    checked = world.check()
    assert (holding(checked), checked.change.released) == ({}, ("org_2",))
    assert world.query("select released_by, released_at is not null from ops.held_back") == [
        ("a later load was good", True)
    ]


def test_reports_are_held_to_what_they_state(world: QualityWorld) -> None:
    key, payload = report("profit_and_loss", profit_and_loss(net="61.00"), "2025-01")
    world.land(1, "profit_and_loss", [(key, payload)])
    world.land(2, "profit_and_loss", [report("profit_and_loss", profit_and_loss(income="1OO.00"), "2025-01")])
    world.land(3, "profit_and_loss", [(key.replace("2025-01", "2025-02"), payload | {"basis": "modified"})])
    assert {(org, name) for org, _, name, _ in found(world.check())} == {
        ("org_1", "net_income_adds_up"),
        ("org_2", "amounts_readable"),
        ("org_3", "net_income_adds_up"),
        ("org_3", "basis_known"),
        ("org_3", "key_is_period"),
    }


def without_total(whole: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in whole.items() if key != "Summary"}


def test_a_group_without_a_total_contradicts_nothing_and_the_others_are_still_compared(
    world: QualityWorld,
) -> None:
    income, *others = profit_and_loss()
    world.land(1, "profit_and_loss", [report("profit_and_loss", [without_total(income), *others], "2025-01")])
    assets, both = balance_sheet()
    world.land(1, "balance_sheet", [report("balance_sheet", [without_total(assets), both], "2025-01")])
    # One that is not compared hides nothing: 1000.00 is not 300.00 + 700.01.
    hidden = [assets, without_total(balance_sheet(equity="700.01")[1])]
    world.land(2, "balance_sheet", [report("balance_sheet", hidden, "2025-01")])
    # Its lines are none: what it says is its heading. 300.00 + 700.00 = 1000.00.
    heading = {"Header": {"ColData": cell("Assets", "1000.00")}, "group": "TotalAssets"}
    world.land(3, "balance_sheet", [report("balance_sheet", [heading, both], "2025-01")])
    assert found(world.check()) == {("org_2", "balance_sheet", "balance_sheet_balances", 1)}


def test_a_report_of_lines_without_any_known_group_is_named(world: QualityWorld) -> None:
    strange = [section("Umsatz", [line("Verkauf", "100.00", "1")], "100.00", group="Umsatz")]
    world.land(1, "profit_and_loss", [report("profit_and_loss", strange, "2025-01")])
    world.land(2, "balance_sheet", [report("balance_sheet", [line("Bank", "1.00", "3")], "2025-01")])
    world.land(3, "profit_and_loss", [report("profit_and_loss", strange, "2025-01", no_data=True)])
    world.land(3, "cash_flow", [report("cash_flow", [], "2025-01", no_data=False)])
    checked = world.check()
    assert found(checked) == {
        ("org_1", "profit_and_loss", "groups_known", 1),
        ("org_2", "balance_sheet", "groups_known", 1),
    }
    assert checked.held == ()


@pytest.mark.parametrize(("left", "collapsed"), [(0, True), (15, True), (16, False), (30, False)])
def test_losing_half_of_the_rows_or_all_is_drift(world: QualityWorld, left: int, collapsed: bool) -> None:
    for org in (1, 2):
        world.land(org, "invoice", [invoice(number) for number in range(30)])
    assert not world.check().collapsed
    world.land(1, "invoice", [], gone=[str(number) for number in range(left, 30)])
    checked = world.check()
    assert [(one.organization, str(one)) for one in checked.collapsed] == (
        [("org_1", f"invoice: {left} rows, 30 before")] if collapsed else []
    )
    assert bool(checked.held) == collapsed


def test_a_collapse_is_measured_against_the_last_believable_count_until_the_rows_are_back(world: QualityWorld) -> None:
    world.land(1, "invoice", [invoice(number) for number in range(30)])
    world.check()
    world.land(1, "invoice", [], gone=[str(number) for number in range(30)])
    assert holding(world.check()) == {"org_1": "invoice: 0 rows, 30 before"}
    # Two nights later, still nothing believable.
    world.land(1, "invoice", [invoice(1)])
    assert holding(world.check()) == {"org_1": "invoice: 1 rows, 30 before"}
    world.land(1, "invoice", [invoice(number) for number in range(28)])
    assert holding(world.check()) == {}


def test_a_few_rows_gone_from_a_small_stream_warn_and_hold_nobody_back(world: QualityWorld) -> None:
    world.land(1, "deposit", [("1", {"Id": "1", "TxnDate": "2025-01-01", "TotalAmt": 1})])
    world.land_reports(2)
    world.check()
    world.land(1, "deposit", [], gone=["1"])
    # Of what is published, any count counts.
    key, _ = report("balance_sheet", [], "2025-01")
    world.land(2, "balance_sheet", [], gone=[key])
    checked = world.check()
    assert {one.organization for one in checked.collapsed} == {"org_1", "org_2"}
    assert holding(checked) == {"org_2": "balance_sheet: 1 rows, 2 before"}


def deals(*numbers: int) -> list[tuple[str, dict[str, Any]]]:
    created = {"createdAt": "2026-01-01T00:00:00Z", "properties": {"pipeline": "default", "dealstage": "won"}}
    return [(str(number), {"id": str(number), **created}) for number in numbers]


@pytest.fixture
def portals(world: QualityWorld) -> QualityWorld:
    world.query("insert into ops.connections select id, 'hubspot', '{}' from ops.organizations returning 1")
    ensure_tables(world.connection, "hubspot", SOURCES["hubspot"].streams)
    return world


def test_what_the_source_names_as_deleted_is_no_collapse_and_is_expected_no_more(portals: QualityWorld) -> None:
    for org in (1, 2, 3):
        portals.land(org, "deals", deals(1, 2, 3, 4), source="hubspot")
    assert not portals.check(source="hubspot").collapsed

    # Two of four archived; all of them, one without a payload, as losers of merges are.
    portals.land(1, "deals", [], archived=deals(1, 2), source="hubspot")
    portals.land(2, "deals", [], archived=[("1", None), *deals(2, 3, 4)], source="hubspot")
    # One named, and of the three that should be left one is: 1 <= 3 / 2.
    portals.land(3, "deals", [], archived=deals(1), gone=["1", "2", "3"], source="hubspot")
    assert holding(portals.check(source="hubspot")) == {"org_3": "deals: 1 rows, 3 before"}

    # What was named once is not taken off again: 1 of 2 is half.
    portals.land(1, "deals", [], gone=["3"], source="hubspot")
    portals.land(3, "deals", deals(5), source="hubspot")
    assert holding(portals.check(source="hubspot")) == {"org_1": "deals: 1 rows, 2 before"}


def test_records_new_and_deleted_at_once_hide_no_collapse(portals: QualityWorld) -> None:
    portals.land(1, "deals", deals(1, 2, 3, 4), source="hubspot")
    portals.check(source="hubspot")
    portals.land(1, "deals", [], archived=deals(5, 6, 7, 8), gone=["1", "2"], source="hubspot")
    assert holding(portals.check(source="hubspot")) == {"org_1": "deals: 2 rows, 4 before"}


def test_released_by_name_only_more_of_it_holds_back_again(world: QualityWorld) -> None:
    world.land_reports(1)
    world.land(1, "invoice", [invoice(number) for number in range(30)])
    world.check()
    world.land(1, "invoice", [], gone=[str(number) for number in range(30)])
    world.land(1, "balance_sheet", [report("balance_sheet", balance_sheet(equity="1.00"), "2025-02")])
    assert holding(world.check()).keys() == {"org_1"}

    release(world.connection, "org_1", "quickbooks")
    assert held(world.connection) == []
    world.land(1, "balance_sheet", [report("balance_sheet", balance_sheet(), "2025-04")])
    checked = world.check()
    assert checked.held == ()
    assert found(checked) == {("org_1", "balance_sheet", "balance_sheet_balances", 1)}, "accepted is not forgotten"

    world.land(1, "balance_sheet", [report("balance_sheet", balance_sheet(equity="2.00"), "2025-03")])
    assert holding(world.check()).keys() == {"org_1"}


def test_only_what_later_loads_wrote_is_looked_at_again(world: QualityWorld) -> None:
    for org in (1, 2):
        world.land(org, "invoice", [invoice(number) for number in range(30)])
    first = world.check()
    world.land(1, "invoice", [invoice(1)])  # the same: nothing written
    assert (first.measured, world.check().measured) == (2, 0)
    # What was looked at stays as it was seen: the row is changed behind the loader's back, another by a load.
    world.query("update staging_quickbooks.invoice set payload = '{}' where org_id = 2 and record_id = '3' returning 1")
    world.land(2, "invoice", [invoice(4, TotalAmt="x")])
    checked = world.check()
    assert (checked.measured, {name for _, _, name, _ in found(checked)}) == (1, {"total_amount_readable"})
    # Expectations that changed look at everything.
    (invoices,) = (suite for suite in suites("quickbooks") if suite.stream == "invoice")
    rule = Expectation("has_fields", "there are fields", "landed.payload = '{}'")
    changed = Suite("quickbooks", "invoice", (*invoices.expectations, rule), invoices.fields)
    assert measure(world.connection, changed, uuid.uuid4()) == 2
    assert world.query("select org_id, unexpected_count from ops.quality_results where expectation = 'has_fields'") == [
        (1, 0),
        (2, 1),
    ]
    # And those that are no more leave no verdict.
    world.check()
    assert world.query("select from ops.quality_results where expectation = 'has_fields'") == []


def test_data_docs_and_results_hold_no_value_of_a_record_and_no_credential(
    world: QualityWorld, database: str, tmp_path: Path
) -> None:
    world.land_reports(1)
    customer = ("7", {"Id": CANARY, "DisplayName": CANARY, "Balance": CANARY, "Active": CANARY})
    world.land(1, "customer", [customer])
    world.land(2, "invoice", [invoice(1, TxnDate=CANARY, TotalAmt=CANARY, Balance=CANARY, DueDate=CANARY)])
    world.land(2, "profit_and_loss", [report("profit_and_loss", profit_and_loss(net=CANARY), "2025-01")])
    checked = world.check(document=True)
    assert not checked.trouble
    assert checked.validation is not None
    assert checked.validation.failed == len({(one.stream, one.expectation) for one in checked.failing})
    assert {one.expectation for one in checked.failing} >= {"balance_readable", "total_amount_readable", "id_is_key"}

    pages = {
        path: path.read_text("utf-8")
        for path in (tmp_path / "data_docs").rglob("*")
        if path.suffix in (".html", ".json")
    }
    assert documents.site("quickbooks") / "index.html" in pages
    assert any("total amount is a number" in page for page in pages.values())
    password = psycopg.conninfo.conninfo_to_dict(database)["password"]
    secret = [CANARY, CANARY.split()[0], password, "org_1", "Organization 1"]
    assert [str(path) for path, page in pages.items() for word in secret if word in page] == []

    assert CANARY not in repr(checked)
    for table in ("quality_results", "quality_violations", "quality_streams", "held_back"):
        assert all(CANARY not in str(row) for row in world.query(f"select t::text from ops.{table} as t"))

    # Nothing new: neither looked at nor built again. New results: pages of now, none of before.
    index = checked.validation.index
    built = index.stat().st_ino
    assert world.check(document=True).validation is None
    assert index.stat().st_ino == built


def test_data_docs_that_cannot_be_built_are_said_and_decide_nothing(
    world: QualityWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(documents, "validate", broken)
    world.land(1, "balance_sheet", [report("balance_sheet", balance_sheet(equity="1.00"), "2025-02")])
    checked = world.check(document=True)
    assert checked.trouble == "Data Docs were not built: OSError"
    assert holding(checked).keys() == {"org_1"}


def test_the_command_shows_holds_back_and_releases(world: QualityWorld) -> None:
    def aiop(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [AIOP, "quality", *arguments], capture_output=True, text=True, cwd=PROJECT_ROOT, env=os.environ, check=False
        )

    world.land(2, "balance_sheet", [report("balance_sheet", balance_sheet(equity="1.00"), "2025-02")])
    world.check()
    shown = aiop("--org", "org_2", "--source", "quickbooks")
    assert shown.returncode == 1
    assert "org_2 / quickbooks: balance_sheet: not so in 1 of 1 records" in shown.stdout
    assert aiop("--org", "org_1").stdout == "nothing that landed breaks an expectation\n"
    assert aiop("release", "org_1", "quickbooks").returncode == 2
    assert aiop("release", "org_2", "quickbooks").returncode == 0
    assert aiop().returncode == 0


def test_the_migrations_are_one_chain(database: str) -> None:
    assert migrate.current(database) == migrate.head()


def test_a_row_without_its_key_is_noted_and_one_under_another_key_holds_back(world: QualityWorld) -> None:
    def land(org_id: int, *serials: Any, key: str | None = None) -> None:
        units = [{"SerialNo": serial, "Customer": False} for serial in serials]
        rows = [(record_key(unit, ["SerialNo"]) if key is None else key, unit) for unit in units]
        world.land(org_id, "equipment", rows, source="softbase")

    world.connection.execute(
        "insert into ops.connections (org_id, source, settings) select id, 'softbase', '{}' from ops.organizations"
    )
    # Left out in three ways; of a text that Postgres can't hold, and longer than an index can.
    land(1, "A1", None, "", " ", "A\x00B", "C" * 1500)
    history = {"SerialNo": None, "Year": 2026, "Month": 1}
    world.land(1, "rental_history", [(record_key(history, list(history)), history)], source="softbase")
    land(2, "A1", key="A2")
    land(2, "A3")
    checked = world.check(source="softbase")
    assert {one.organization for one in checked.held} == {"org_2"}
    assert found(checked) >= {
        ("org_1", "equipment", "serial_no_present", 3),
        ("org_1", "rental_history", "serial_no_present", 1),
        ("org_2", "equipment", "is_keyed", 1),
    }
    assert not [one for one in found(checked) if one[0] == "org_1" and one[2] == "is_keyed"]
