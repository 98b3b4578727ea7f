"""The nine jobs as the data mart document lists them: when, where the clock is, what they read, build and check."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from unittest import mock
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dbt_runs import manifest_file

from orchestration.schedule import next_run


@dataclass(frozen=True)
class Job:
    """A line of the document. ``landed``: the streams without which the mart would stand on yesterday's rows."""

    name: str
    at: str
    mart: str
    landed: str

    @property
    def source(self) -> str:
        return self.landed.split(".")[0]

    @property
    def streams(self) -> set[dg.AssetKey]:
        return {dg.AssetKey([f"staging_{self.source}", name]) for name in self.landed.split(".")[1].split()}


DOCUMENT = [
    Job("etl_sales_daily", "01:00", "mart_sales_daily", "softbase.invoice_reg wo dept"),
    Job(
        "etl_rental_fleet",
        "01:30",
        "mart_rental_fleet",
        "softbase.equipment wo wo_rental dept invoice_reg rental_history",
    ),
    Job(
        "etl_quickbooks_financial",
        "02:00",
        "mart_financial_metrics",
        "quickbooks.profit_and_loss balance_sheet cash_flow account preferences",
    ),
    Job("etl_cash_flow", "02:00", "mart_cash_flow", "softbase.gl chart_of_accounts"),
    Job("etl_hubspot_contacts", "03:00", "mart_crm_contacts", "hubspot.contacts"),
    Job("etl_hubspot_deals", "03:00", "mart_crm_deals", "hubspot.deals pipelines"),
    Job(
        "etl_zoom_metrics",
        "04:00",
        "mart_zoom_metrics",
        "zoom.users phone_users call_queues daily_report meetings call_history",
    ),
    Job("etl_case_metrics", "05:00", "mart_case_metrics", "azure_sql.case_data_summary_nophi"),
    # Its dates tell how many events each table has: what the mart's own check compares with.
    Job("etl_app_analytics", "06:00", "mart_app_analytics", "ga4.sessions days"),
]
BY_NAME = pytest.mark.parametrize("job", DOCUMENT, ids=[job.name for job in DOCUMENT])


@pytest.fixture(scope="module")
def jobs() -> dict[str, dg.JobDefinition]:
    """Jobs by name, resolved as whatever runs them resolves them, over the project that the session has parsed."""
    with mock.patch("orchestration.warehouse.dbt.current_manifest", manifest_file):
        from orchestration.definitions import defs

        resolved = defs().resolve_all_job_defs()
    return {job.name: job for job in resolved if not job.name.startswith("__")}


@pytest.fixture(scope="module")
def manifest() -> dict:
    return json.loads(manifest_file().read_text(encoding="utf-8"))


def selected(job: dg.JobDefinition) -> set[dg.AssetKey]:
    return set(job.asset_layer.selected_asset_keys)


def mart_of(test: dict, manifest: dict) -> set[str]:
    """The model whose check a dbt test is: the one it stands beside, or the one that its own description names."""
    if test["resource_type"] != "test":
        return set()
    beside = manifest["nodes"].get(test.get("attached_node") or "", {}).get("name")
    named = test["config"]["meta"].get("dagster", {}).get("ref", {}).get("name")
    return {beside, named} - {None}


def marts_without_a_job(jobs: Iterable[dg.JobDefinition], manifest: dict) -> list[str]:
    """Tables of the document that no job of the document builds; the night, which builds everything, is none."""
    tables = {node["name"] for node in manifest["nodes"].values() if node["name"].startswith("mart_")}
    built = {key.path[-1] for job in jobs if job.name.startswith("etl_") for key in selected(job)}
    return sorted(tables - built)


def test_the_documents_jobs_are_those_there_are_and_a_night_that_takes_up_what_they_missed(
    jobs: dict[str, dg.JobDefinition],
) -> None:
    assert set(jobs) == {job.name for job in DOCUMENT} | {"nightly"}
    assert set().union(*(selected(job) for job in jobs.values())) == selected(jobs["nightly"])


def test_a_mart_without_a_job_is_named(jobs: dict[str, dg.JobDefinition], manifest: dict) -> None:
    assert marts_without_a_job(jobs.values(), manifest) == []
    for job in DOCUMENT:
        others = [one for name, one in jobs.items() if name != job.name]
        assert marts_without_a_job(others, manifest) == [job.mart]


@BY_NAME
def test_a_job_lands_what_its_mart_is_built_from_of_one_source(job: Job, jobs: dict[str, dg.JobDefinition]) -> None:
    landed = {key for key in selected(jobs[job.name]) if key.path[0].startswith("staging_")}
    assert landed >= job.streams, job.streams - landed
    if job.source == "softbase":
        # Three jobs share its views: a ledger is read without invoices, and invoices without the ledger.
        assert landed == job.streams, landed - job.streams
    assert {key.path[0] for key in landed} == {f"staging_{job.source}"}
    assert f"sync_{job.source}" in {node.name for node in jobs[job.name].nodes}


@BY_NAME
def test_a_job_builds_its_mart_alone_of_all_and_makes_every_check_on_it(
    job: Job, jobs: dict[str, dg.JobDefinition], manifest: dict
) -> None:
    """A check that reads what the job does not build would be left out when the job runs."""
    chosen = selected(jobs[job.name])
    assert [key.path[-1] for key in chosen if key.path[-1].startswith("mart_")] == [job.mart]
    graph = jobs[job.name].asset_layer.asset_graph
    made = {check.name for check in graph.asset_check_keys if check.asset_key.path[-1] == job.mart}
    tests = [node for node in manifest["nodes"].values() if job.mart in mart_of(node, manifest)]
    assert len(tests) >= 3, "its key, its days and at least one rule of its own"
    assert {node["name"] for node in tests} == made
    everything = manifest["nodes"] | manifest["sources"]
    for node in tests:
        read = [everything[parent] for parent in node["depends_on"]["nodes"]]
        # What the warehouse notes of itself is nobody's to build.
        unbuilt = [
            parent["name"]
            for parent in read
            if parent["schema"] != "ops" and dg.AssetKey([parent["schema"], parent["name"]]) not in chosen
        ]
        assert unbuilt == [], node["name"]


@pytest.mark.parametrize("zone", [None, "America/Chicago", "Asia/Kolkata"])
def test_every_job_begins_at_its_documents_hour_in_the_time_zone_that_is_set(
    zone: str | None, jobs: dict[str, dg.JobDefinition], monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestration.defs.jobs import schedules

    monkeypatch.delenv("AIOP_TIMEZONE", raising=False)
    if zone is not None:
        monkeypatch.setenv("AIOP_TIMEZONE", zone)
    made = {schedule.job_name: schedule for schedule in schedules()}
    assert set(made) == set(jobs)
    for job in DOCUMENT:
        hour, minute = map(int, job.at.split(":"))
        schedule = made[job.name]
        assert (schedule.cron_schedule, schedule.execution_timezone) == (f"{minute} {hour} * * *", zone or "UTC")
    # What `aiop status` says of the next run goes by the same clock: 04:00 there, of a summer's day.
    before = datetime(2026, 7, 1, 3, 59, tzinfo=ZoneInfo(zone or "UTC"))
    assert next_run("zoom", before) == (before + timedelta(minutes=1), "etl_zoom_metrics")
