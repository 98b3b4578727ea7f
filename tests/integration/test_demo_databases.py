"""The demo's SQL sources: made beside the warehouse, brought to the world's day, and left out where nobody may."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from orchestration.demo import databases, standins
from orchestration.demo.cases.caseload import CASELOADS, SCHEMA
from orchestration.demo.cases.database import CASE_DATABASES
from orchestration.demo.cases.truth import snapshot
from orchestration.demo.organizations import organizations_yaml
from orchestration.demo.world import World, read_world, write_world
from orchestration.settings import load_settings
from orchestration.sources.azure_sql.session import open_cases
from orchestration.sources.azure_sql.verify import case_figures
from orchestration.warehouse.database import database_url


def test_without_the_right_to_make_databases_the_demo_says_so_and_goes_on(database: str, tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "demo").mkdir()
    assert databases.attach(tmp_path, said.append) == []
    (sentence,) = said
    assert "SQL sources are left out" in sentence
    assert "CREATEDB" in sentence
    assert "azure_sql" not in organizations_yaml()


def test_names_of_databases_tell_no_tenant_who_the_others_are() -> None:
    names = [one.name for one in databases.DATABASES]
    assert len(set(names)) == len(names)
    assert not [one.name for one in databases.DATABASES if one.slug in one.name]


@pytest.mark.slow
def test_databases_are_made_once_and_follow_the_world(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database_url()  # starts the server
    home = load_settings().home
    directory = home / "demo"
    write_world(directory, World())
    for caseload in CASELOADS:
        monkeypatch.delenv(f"DEMO_AZURE_SQL_URL_{caseload.slug}".upper(), raising=False)
    made = databases.attach(home, pytest.fail)
    kept = (home / "env").read_text(encoding="utf-8")
    for path in (directory / "databases.json", home / "env"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    written = yaml.safe_load(organizations_yaml(made))["organizations"]
    connections = {one["slug"]: one["connections"].get("azure_sql") for one in written}
    assert {slug for slug, one in connections.items() if one} == {one.slug for one in CASELOADS}
    assert connections["vital_worklife"] == {
        "url": "env:DEMO_AZURE_SQL_URL_VITAL_WORKLIFE",
        "database_schema": SCHEMA,
    }

    def figures() -> dict[str, object]:
        urls = dict(line.split("=", 1) for line in (home / "env").read_text(encoding="utf-8").splitlines())
        found = {}
        for one in CASE_DATABASES:
            settings = {"url": urls[one.variable], **one.settings}
            caseload = next(caseload for caseload in CASELOADS if caseload.slug == one.slug)
            day = read_world(directory).now.astimezone(caseload.zone).date()
            with open_cases(settings, organization=one.slug, timezone="UTC") as session:
                found[one.slug] = (session.database.now(), case_figures(session, day)["total_cases"])
        return found

    def truth(world: World) -> dict[str, object]:
        return {one.slug: (world.now, snapshot(one, world).figures["total_cases"]) for one in CASELOADS}

    assert figures() == truth(World())
    # Again: the same databases, the same passwords. Then days pass.
    assert databases.attach(home, pytest.fail) == made
    assert (home / "env").read_text(encoding="utf-8") == kept
    world = standins.advance(home, 3)
    assert world.now == World().now + timedelta(days=3)
    assert figures() == truth(world)
