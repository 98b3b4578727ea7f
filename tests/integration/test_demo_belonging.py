"""The demo keeps to a warehouse of its own: it overwrites no organization, no connection and no token of a live one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from cryptography.fernet import Fernet
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.demo import databases, standins
from orchestration.demo.belonging import NotTheDemos, leads_to_the_demo, require_demos
from orchestration.demo.cases.database import CASE_DATABASES
from orchestration.demo.dealer.database import SOFTBASE_DATABASES
from orchestration.demo.organizations import BENNETT, COMPANIES, VITAL, organizations_yaml
from orchestration.demo.world import World, write_world
from orchestration.settings import load_settings
from orchestration.warehouse.database import database_url
from orchestration.warehouse.organizations import apply_organizations
from orchestration.warehouse.organizations_file import read_organizations

# As the README has it: the same number and slug as the demo's.
LIVE = {
    "id": 1,
    "slug": "bennett",
    "name": "Bennett Industrial, LLC",
    "timezone": "America/Chicago",
    "currency": "USD",
    "connections": {
        "quickbooks": {
            "realm_id": "4620816365000000000",
            "client_id": "env:QUICKBOOKS_CLIENT_ID",
            "client_secret": "env:QUICKBOOKS_CLIENT_SECRET",
            "refresh_token": "env:BENNETT_REFRESH_TOKEN",
            "start_date": "2024-01-01",
        },
        "softbase": {"url": "env:BENNETT_SOFTBASE_URL", "schema": "ten001"},
    },
}


@pytest.fixture
def warehouse(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    monkeypatch.setenv("AIOP_SECRET_KEY", Fernet.generate_key().decode())
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


def apply(connection: psycopg.Connection, directory: Path, *organizations: dict[str, Any]) -> None:
    path = directory / "organizations.yml"
    text = yaml.safe_dump({"organizations": list(organizations)})
    path.write_text(text, encoding="utf-8")
    variables = {name: f"value of {name}" for name in re.findall(r"env:(\w+)", text)}
    apply_organizations(connection, read_organizations(path, variables))
    path.unlink()


def kept(connection: psycopg.Connection) -> list[list[tuple]]:
    tables = ("organizations", "connections", "oauth_tokens", "watermarks", "platform_settings", "tenant_roles")
    return [connection.execute(f"select * from ops.{table} order by 1, 2").fetchall() for table in tables]


def refused(*arguments: str) -> NotTheDemos:
    error = CliRunner().invoke(app, ["demo", *arguments]).exception
    assert isinstance(error, NotTheDemos), error
    return error


@pytest.mark.parametrize("arguments", [("run",), ("advance", "--days", "3"), ("serve",)], ids=" ".join)
def test_a_live_warehouse_is_left_as_it_is_with_its_tokens(
    warehouse: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setattr(standins, "serve", lambda *_: pytest.fail("served"))
    apply(warehouse, tmp_path, LIVE)
    warehouse.execute("insert into ops.oauth_tokens (org_id, source, tokens) values (1, 'quickbooks', 'a')")
    before = kept(warehouse)

    error = refused(*arguments)

    assert kept(warehouse) == before
    assert list(tmp_path.iterdir()) == [], "neither credentials nor a world of the demo's"
    assert "bennett / quickbooks leads elsewhere" in error.message
    assert f"the database aiop_builder@127.0.0.1:{warehouse.info.port}/{warehouse.info.dbname}" in error.message
    assert "unset DATABASE_URL" in error.hint
    assert warehouse.info.password not in str(error)


def test_of_an_embedded_warehouse_the_home_is_named(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = database_url()
    with psycopg.connect(url) as connection:
        connection.execute("create schema ops; create table ops.organizations (id int, slug text)")
        connection.execute("create table ops.connections (org_id int, source text, settings jsonb)")
        connection.execute("insert into ops.organizations values (1, 'bennett')")
    for arguments in (("run",), ("advance",)):
        error = refused(*arguments)
        assert error.message.startswith(f"the warehouse under {own_home} is not the demo's")
        assert "none of its organizations is connected to the demo's stand-ins" in error.message
        assert "unset AIOP_HOME" in error.hint
    assert not (own_home / "demo").exists()


def test_an_empty_home_is_anybodys_and_time_may_pass_in_it_without_a_server(own_home: Path) -> None:
    assert CliRunner().invoke(app, ["demo", "advance"]).exit_code == 0
    assert not (own_home / "pg").exists()


def test_the_demos_own_warehouse_is_known_whatever_its_ports_and_whoever_joined_it(
    warehouse: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_demos(warehouse)
    monkeypatch.setenv("DEMO_QUICKBOOKS_PORT", "19101")
    made = yaml.safe_load(organizations_yaml((*CASE_DATABASES, *SOFTBASE_DATABASES), COMPANIES))["organizations"]
    apply(warehouse, tmp_path, *made)
    monkeypatch.delenv("DEMO_QUICKBOOKS_PORT")
    require_demos(warehouse)

    joined = LIVE | {"id": 4_711, "slug": "joined"}
    apply(warehouse, tmp_path, joined)
    require_demos(warehouse)

    warehouse.execute(
        "update ops.connections set settings = settings - 'base_url' where org_id = %s and source = 'hubspot'",
        [VITAL.org_id],
    )
    with pytest.raises(NotTheDemos, match="vital_worklife / hubspot leads elsewhere"):
        require_demos(warehouse)


@pytest.mark.parametrize(
    ("number", "slug", "words"),
    [(1, "acme", "organization 1 is acme, the demo's is bennett"), (900, "bennett", "the demo's is number 1")],
)
def test_a_number_or_slug_of_the_demos_that_another_has_is_named(
    warehouse: psycopg.Connection, tmp_path: Path, number: int, slug: str, words: str
) -> None:
    apply(warehouse, tmp_path, LIVE | {"id": number, "slug": slug})
    with pytest.raises(NotTheDemos, match=words):
        require_demos(warehouse)


def test_every_connection_of_the_demo_leads_to_it_and_none_of_a_vendors_does() -> None:
    for one in yaml.safe_load(organizations_yaml((*CASE_DATABASES, *SOFTBASE_DATABASES)))["organizations"]:
        assert all(leads_to_the_demo(settings) for settings in one["connections"].values()), one["slug"]
    assert not any(leads_to_the_demo(settings) for settings in LIVE["connections"].values())
    quickbooks = yaml.safe_load(organizations_yaml((), [BENNETT]))["organizations"][0]["connections"]["quickbooks"]
    assert not leads_to_the_demo(quickbooks | {"base_url": "https://quickbooks.api.intuit.com"})
    assert not leads_to_the_demo(quickbooks | {"refresh_token": "env:BENNETT_REFRESH_TOKEN"})


def test_dev_brings_no_stand_ins_to_a_live_warehouse_beside_the_demos_home(
    warehouse: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The home is the demo's, DATABASE_URL another warehouse."""
    apply(warehouse, tmp_path, LIVE)
    write_world(load_settings().home / "demo", World())
    monkeypatch.setattr(standins, "start_standins", lambda *_: pytest.fail("started"))
    monkeypatch.setattr(databases, "attach", lambda *_: pytest.fail("made databases"))
    monkeypatch.setattr("orchestration.commands.run.prepare", lambda: None)
    monkeypatch.setattr("orchestration.commands.run.serve_dagster", lambda *_: 0)
    shown = CliRunner().invoke(app, ["dev"])
    assert shown.exit_code == 0, shown.exception
    assert "the demo's stand-ins stay away" in shown.output
