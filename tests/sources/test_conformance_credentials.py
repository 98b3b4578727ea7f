"""Credentials that rotate, end and are refused; and that none of them is ever written down."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from cases import proves
from conformance_world import Warehouse
from psycopg import sql
from standin import ONE, TWO, StandIn
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.logs import configure_logging


@pytest.fixture
def logged_in_full() -> Iterator[None]:
    """The program's own log, on standard error."""
    configure_logging("DEBUG")
    yield
    root = logging.getLogger()
    for handler in [one for one in root.handlers if one.get_name() == "aiop"]:
        root.removeHandler(handler)
    structlog.reset_defaults()


@proves("1")
def test_a_rotated_token_is_stored_before_use_and_outlives_a_kill(warehouse: Warehouse) -> None:
    standin = warehouse.standin
    standin.make(3)
    standin.rotate()
    stored: list[int] = []

    def is_used(text: str) -> bool:
        if not standin.refreshes() or "refresh_token" in text:
            return False
        stored.append(warehouse.query("select count(*) from ops.oauth_tokens where tokens is not null")[0][0])
        return True

    warehouse.sync_and_kill(is_used)
    assert stored == [1], "when the first request came, the token was stored"
    standin.expire()
    warehouse.night()
    assert warehouse.live() == standin.keys()
    assert len(set(standin.refreshes())) == len(standin.refreshes()) == 2


@proves("2")
def test_two_runs_refresh_once_and_send_no_replaced_token(warehouse: Warehouse) -> None:
    standin = warehouse.standin
    standin.make(20)
    standin.rotate()
    for rounds in (1, 2, 3):
        assert [report.failures for report in warehouse.sync_twice_at_once()] == [[], []]
        assert len(standin.refreshes()) == rounds
        standin.expire()
    assert len(set(standin.refreshes())) == 3


@proves("3")
def test_refused_credentials_end_one_organization_with_a_way_out(warehouse: Warehouse) -> None:
    standin = warehouse.standin
    standin.make(2, ONE)
    standin.make(2, TWO)
    warehouse.night(ONE, TWO)
    standin.refuse(ONE)
    standin.make(1, TWO)
    before = len(standin.asked())
    report = warehouse.sync(ONE)
    assert len(standin.asked()) <= before + 2
    assert {failure.stream for failure in report.failures} == set(warehouse.streams)
    assert {failure.error.kind for failure in report.failures} == {"configuration"}
    assert all(failure.error.hint for failure in report.failures)

    ran = CliRunner().invoke(app, ["sync", standin.source])
    assert ran.exit_code == 1
    assert "1 of 2 organizations complete" in ran.output
    assert report.failures[0].error.hint in ran.output
    assert warehouse.live(TWO) == standin.keys(TWO)
    assert warehouse.live(ONE) == standin.keys(ONE), "what was loaded before stays"


@proves("4")
def test_a_token_that_ends_between_pages_is_renewed_once(standin: StandIn) -> None:
    standin.make(2 * standin.page + 1)
    standin.at_page(2, standin.expire)
    read = standin.read()
    assert set(read.keys) == standin.keys()
    assert len(standin.refreshes()) == 2
    assert read.session.stats.retries == 0


@proves("F9")
@pytest.mark.parametrize(("days", "said"), [(10, True), (60, False)])
def test_an_authorization_about_to_end_is_announced(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch, days: int, said: bool
) -> None:
    stream = standin.end_authorization_in(days, monkeypatch)
    assert any("the authorization ends on" in note for note in standin.read(stream=stream).extract.notes) is said


@proves("5")
@pytest.mark.usefixtures("logged_in_full")
def test_no_secret_is_written_down(
    warehouse: Warehouse,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run that works, runs whose errors repeat the secrets, and one that is refused, all logged in full."""
    standin = warehouse.standin
    caplog.set_level("DEBUG")
    standin.make(3)
    reports = [warehouse.night(ONE, TWO)]
    for status in (400, 500, 200):
        secrets = " ".join(standin.secret_values())
        body = (
            secrets if status == 200 else json.dumps({"message": secrets, "Fault": {"Error": [{"Message": secrets}]}})
        )
        warehouse.read_in_full_next()
        standin.fault("body", status=status, body=body, count=None)
        reports.append(warehouse.sync())
        assert reports[-1].failures
        standin.heal()
    standin.refuse(ONE)
    reports.append(warehouse.sync())
    monkeypatch.setenv("AIOP_LOG_LEVEL", "DEBUG")
    printed = CliRunner().invoke(app, ["sync", standin.source]).output

    said = [str(failure.error) for report in reports for failure in report.failures]
    captured = capfd.readouterr()
    written = "\n".join([*said, printed, captured.out, captured.err, caplog.text, *_everything(warehouse)])
    assert "transient" in written
    for secret in standin.secret_values():
        assert secret not in written


def _everything(warehouse: Warehouse) -> list[str]:
    """Every row of every table, as text."""
    tables = warehouse.query(
        r"select schemaname, tablename from pg_tables where schemaname !~ '^(pg_|information_schema)'"
    )
    rows = []
    for name in tables:
        statement = sql.SQL("select t::text from {} as t").format(sql.Identifier(*name))
        rows += [row[0] for row in warehouse.connection.execute(statement)]
    return rows
