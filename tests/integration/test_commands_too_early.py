"""Commands before there is what they act on: a sentence and the way out, never a traceback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date

import psycopg
import pytest
from typer.testing import CliRunner

from orchestration import cli
from orchestration.errors import AiopError, ConfigurationError, DatabaseError
from orchestration.verified_figures import SUBJECTS
from orchestration.verify import verify
from orchestration.warehouse.organizations import list_organizations


@pytest.fixture
def builder(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            """
            insert into ops.organizations (id, slug, name, organization_id, timezone, currency)
            values (1, 'bennett', 'Bennett', gen_random_uuid(), 'UTC', 'USD')
            """
        )
        yield connection


def refused(*arguments: str) -> AiopError:
    error = CliRunner().invoke(cli.app, list(arguments)).exception
    assert isinstance(error, AiopError), error
    return error


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "quickbooks"),
        ("quality",),
        ("quality", "check", "quickbooks"),
        ("quality", "release", "bennett", "quickbooks"),
    ],
    ids=" ".join,
)
def test_a_database_that_was_never_set_up_is_said_to_be_so(
    builder: psycopg.Connection, arguments: tuple[str, ...]
) -> None:
    builder.execute("drop schema ops cascade")
    error = refused(*arguments)
    assert isinstance(error, DatabaseError)
    assert str(error) == "The warehouse database was never set up.\n  → Run `aiop db init`."
    assert builder.execute("select to_regnamespace('ops')").fetchone() == (None,)


def test_verifying_before_the_first_build_names_the_jobs_that_build(builder: psycopg.Connection) -> None:
    def connect(source: str) -> None:
        builder.execute("insert into ops.connections (org_id, source, settings) values (1, %s, '{}')", [source])

    for source in SUBJECTS:
        connect(source)
    assert str(refused("verify", "quickbooks")) == (
        "the marts of quickbooks are not built yet\n  → aiop run etl_quickbooks_financial"
    )
    for source in SUBJECTS:
        error = refused("verify", source)
        assert error.message == f"the marts of {source} are not built yet"
        assert error.hint.startswith("aiop run etl_")
    assert refused("verify", "hubspot").hint == "aiop run etl_hubspot_contacts and aiop run etl_hubspot_deals"


def test_verifying_with_a_variable_that_is_not_set_names_organization_and_source(
    builder: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CANARY_TOKEN", raising=False)
    settings = json.dumps({"access_token": "env:CANARY_TOKEN"})
    builder.execute("insert into ops.connections (org_id, source, settings) values (1, 'hubspot', %s)", [settings])
    deals(builder, None)
    outcome = verify("hubspot")
    (error,) = outcome.errors
    assert isinstance(error, ConfigurationError)
    assert (error.organization, error.source) == ("bennett", "hubspot")
    assert str(error).startswith("bennett / hubspot: access_token refers to the environment variable CANARY_TOKEN")


def deals(builder: psycopg.Connection, by_stage: dict[str, int] | None) -> None:
    """CRM marts as far as they are compared: one snapshot of deals, none of contacts."""
    builder.execute("create schema if not exists marts")
    builder.execute("drop table if exists marts.mart_crm_contacts, marts.mart_crm_deals")
    builder.execute(
        """
        create table marts.mart_crm_contacts (
            org_id int, snapshot_date date, total_contacts int, new_contacts_30d int, new_contacts_7d int,
            subscribers int, leads int, marketing_qualified int, sales_qualified int, opportunities int, customers int,
            evangelists int, other_lifecycle int
        );
        create table marts.mart_crm_deals (
            org_id int, snapshot_date date, total_deals int, open_deals int, won_deals int, lost_deals int,
            total_pipeline_value numeric, won_value numeric, lost_value numeric, average_deal_size numeric,
            deals_by_stage jsonb
        )
        """
    )
    builder.execute(
        "insert into marts.mart_crm_deals (org_id, snapshot_date, total_deals, deals_by_stage)"
        " values (1, '2026-03-31', 3, %s)",
        [None if by_stage is None else json.dumps(by_stage)],
    )


@pytest.mark.parametrize(
    ("by_stage", "figures"),
    [(None, {}), ({}, {}), ({"1/new": 2, "1/won": 1}, {"deals_by_stage 1/new": 2, "deals_by_stage 1/won": 1})],
)
def test_deals_by_stage_are_a_figure_a_stage_and_none_where_they_are_unknown(
    builder: psycopg.Connection, by_stage: dict[str, int] | None, figures: dict[str, int]
) -> None:
    deals(builder, by_stage)
    (organization,) = list_organizations(builder)
    found = SUBJECTS["hubspot"].mart(builder, organization)[date(2026, 3, 31)]
    assert {name: value for name, value in found.items() if name.startswith("deals_by_stage")} == figures
    assert found["total_deals"] == 3
