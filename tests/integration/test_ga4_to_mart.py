"""Living apps to the mart: what BigQuery holds each night is what the mart shows, through all a night's steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from cryptography.fernet import Fernet
from dbt_runs import Dbt, warehouse

from orchestration.demo.ga4.properties import FJORD_APP, VITAL_APP
from orchestration.demo.ga4_server import RunningGa4, running
from orchestration.quality.check import check
from orchestration.sync import SyncReport, sync
from orchestration.verify import verify
from orchestration.warehouse import database, organizations

# Days without a table lie before and after the first night; the streamed tables of late nights are among these.
APPS = (
    replace(VITAL_APP, known_users=30, history_days=38, missing=frozenset({-31, 2}), flag_since=-35),
    replace(FJORD_APP, known_users=8, history_days=12),
)
SELECTION = ("--select", "+mart_app_analytics", "organizations", "--exclude-resource-type", "unit_test")
METRICS = (
    "daily_active_users",
    "weekly_active_users",
    "monthly_active_users",
    "new_users",
    "returning_users",
    "total_sessions",
    "avg_session_duration_secs",
    "screens_per_session",
    "ios_downloads",
    "android_downloads",
    "top_screens",
)


@dataclass
class AppWorld:
    server: RunningGa4
    connection: psycopg.Connection
    dbt: Dbt

    def night(self) -> SyncReport:
        report = sync("ga4")
        assert not report.failures, report.failures
        self.dbt.rebuild(*SELECTION)
        return report

    def mart(self, slug: str) -> dict[date, dict[str, Any]]:
        rows = self.connection.execute(
            f"select metric_date, {', '.join(METRICS)} from marts.mart_app_analytics as mart"
            " join ops.organizations on organizations.id = mart.org_id where slug = %s",
            [slug],
        ).fetchall()
        return {row[0]: dict(zip(METRICS, row[1:], strict=True)) for row in rows}

    def versions(self) -> list[tuple]:
        return self.connection.execute(
            "select org_id, metric_date, xmin::text from marts.mart_app_analytics order by 1, 2"
        ).fetchall()


@pytest.fixture
def world(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppWorld]:
    monkeypatch.setenv("AIOP_SECRET_KEY", Fernet.generate_key().decode())
    with running(properties=APPS) as server:
        entries = [
            {
                "id": number,
                "slug": app.slug,
                "name": app.slug,
                "timezone": app.timezone,
                "currency": "USD",
                "connections": {"ga4": server.connection(app.slug)},
            }
            for number, app in enumerate(APPS, start=1)
        ]
        file = tmp_path / "organizations.yml"
        file.write_text(yaml.safe_dump({"organizations": entries}), encoding="utf-8")
        with connect() as connection:
            organizations.apply_file(connection, file)
            yield AppWorld(server, connection, warehouse(database, tmp_path / "dbt"))


def connect() -> Any:
    return database.connect(autocommit=True)


@pytest.mark.slow
def test_every_night_the_mart_is_what_bigquery_holds(world: AppWorld) -> None:
    """First night, late events, a date that never comes, daily tables that replace streamed ones, a quiet night."""
    held: dict[str, dict[date, dict[str, Any]]] = {app.slug: {} for app in APPS}
    for days in (0, 1, 1, 2):
        if days:
            world.server.advance(days)
        world.night()
        for app in APPS:
            # What BigQuery no longer has stays as it was.
            held[app.slug] |= world.server.truth(app.slug)
            assert world.mart(app.slug) == held[app.slug], (app.slug, days)
    newest = held["vital_worklife"][max(held["vital_worklife"])]
    assert newest["monthly_active_users"] is None, "a date of the last 28 was never exported"
    assert any(row["monthly_active_users"] for row in held["vital_worklife"].values())
    assert {type(row["avg_session_duration_secs"]) for row in held["vital_worklife"].values()} == {Decimal}

    assert [str(one) for one in check("ga4").failing] == []
    versions = world.versions()
    assert world.night().rows_changed == 0
    assert world.versions() == versions
    world.dbt.build(*SELECTION)

    assert verify("ga4").agrees
    world.connection.execute("update marts.mart_app_analytics set daily_active_users = daily_active_users + 1")
    outcome = verify("ga4", [APPS[0].slug])
    # Of the three newest dates that are no longer streamed into.
    daily = world.connection.execute(
        "select event_date from intermediate.int_ga4__known_days where org_id = 1 and not is_provisional"
        " order by event_date desc limit 3"
    ).fetchall()
    assert [(one.organization, one.month, one.metric) for one in outcome.differences] == [
        (APPS[0].slug, day, "daily_active_users") for (day,) in sorted(daily)
    ]
