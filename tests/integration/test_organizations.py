"""Applying organizations.yml to a warehouse: what it changes, what it leaves alone and what it refuses."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from orchestration.commands import orgs
from orchestration.errors import UsageError
from orchestration.warehouse import database as warehouse_database
from orchestration.warehouse import locks, organizations
from orchestration.warehouse.organization_entries import OrganizationEntry, OrganizationsFile, default_organization_id
from orchestration.warehouse.organizations import ApplyResult, Organization
from orchestration.warehouse.organizations_file import check_organizations

BENNETT = """\
  - id: 1
    slug: bennett
    name: Bennett
    timezone: America/Chicago
    currency: USD
    fiscal_year_start_month: 11
    connections:
      hubspot: {access_token: env:CANARY_TOKEN}
"""
VITAL = "  - {id: 2, slug: vital, name: VITAL, timezone: UTC, currency: USD}\n"
CANARY = "canary-token-4c1d"


@pytest.fixture
def builder(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    monkeypatch.setenv("CANARY_TOKEN", CANARY)
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


@pytest.fixture
def apply(builder: psycopg.Connection, tmp_path: Path) -> Callable[[str], ApplyResult]:
    def run(entries: str) -> ApplyResult:
        file = tmp_path / "organizations.yml"
        file.write_text("organizations:\n" + entries)
        return organizations.apply_file(builder, file)

    return run


def stored(builder: psycopg.Connection) -> list[object]:
    """All that applying writes, with the version of each row."""
    return [
        builder.execute(f"select xmin, t.* from ops.{table} as t order by 2, 3").fetchall()
        for table in ("organizations", "connections", "tenant_roles", "platform_settings")
    ]


def test_applying_again_writes_nothing(builder: psycopg.Connection, apply: Callable[[str], ApplyResult]) -> None:
    text = BENNETT + VITAL + "platform: {url: env:CANARY_TOKEN}\n"
    assert apply(text) == ApplyResult(added=("bennett", "vital"))
    before = stored(builder)
    assert apply(text) == ApplyResult(unchanged=("bennett", "vital"))
    assert stored(builder) == before
    assert CANARY not in str(before)


def test_only_what_differs_is_written(builder: psycopg.Connection, apply: Callable[[str], ApplyResult]) -> None:
    apply(BENNETT + VITAL)
    moved = BENNETT.replace("America/Chicago", "America/New_York")
    assert apply(moved + VITAL) == ApplyResult(changed=("bennett",), unchanged=("vital",))
    bennett, vital = organizations.list_organizations(builder)
    assert (bennett.timezone, vital.timezone) == ("America/New_York", "UTC")
    times = builder.execute("select updated_at > created_at from ops.organizations order by id").fetchall()
    assert times == [(True,), (False,)]


def test_a_connection_that_is_gone_from_the_file_is_removed_and_a_changed_one_replaced(
    builder: psycopg.Connection, apply: Callable[[str], ApplyResult]
) -> None:
    apply(BENNETT)
    assert organizations.sources_by_organization(builder) == {1: ["hubspot"]}
    other = BENNETT.replace("{access_token: env:CANARY_TOKEN}", "{access_token: env:CANARY_TOKEN, base_url: http://h}")
    assert apply(other) == ApplyResult(changed=("bennett",))
    assert organizations.connected(builder, "hubspot")[0][1]["base_url"] == "http://h"
    assert apply(BENNETT[: BENNETT.index("    connections")]) == ApplyResult(changed=("bennett",))
    assert organizations.sources_by_organization(builder) == {}


def test_tokens_go_with_their_connection_once_nobody_uses_them(
    builder: psycopg.Connection, apply: Callable[[str], ApplyResult]
) -> None:
    apply(BENNETT)
    builder.execute("insert into ops.oauth_tokens (org_id, source) values (1, 'hubspot')")
    apply(BENNETT.replace("America/Chicago", "UTC"))
    assert builder.execute("select source from ops.oauth_tokens").fetchall() == [("hubspot",)]

    def refresh() -> None:
        with warehouse_database.connect(autocommit=True) as other, locks.exclusive(other, "tokens 1 hubspot"):
            holds.set()
            time.sleep(0.5)
            with warehouse_database.connect(autocommit=True) as saving:
                saving.execute("update ops.oauth_tokens set updated_at = now(), revoked_reason = 'refreshed'")
                saved.set()

    holds, saved = threading.Event(), threading.Event()
    thread = threading.Thread(target=refresh)
    thread.start()
    assert holds.wait(30)
    apply(BENNETT[: BENNETT.index("    connections")])
    assert saved.is_set(), "it did not wait for the refresh"
    thread.join(30)
    assert builder.execute("select source from ops.oauth_tokens").fetchall() == []


def test_organizations_the_file_does_not_mention_stay(
    builder: psycopg.Connection, apply: Callable[[str], ApplyResult]
) -> None:
    apply(BENNETT)
    assert apply(VITAL) == ApplyResult(added=("vital",))
    assert [one.slug for one in organizations.list_organizations(builder)] == ["bennett", "vital"]
    assert organizations.sources_by_organization(builder) == {1: ["hubspot"]}


def test_a_new_slug_keeps_the_organizations_uuid(
    builder: psycopg.Connection, apply: Callable[[str], ApplyResult]
) -> None:
    apply(BENNETT)
    apply(BENNETT.replace("slug: bennett", "slug: bennett_inc"))
    (one,) = organizations.list_organizations(builder)
    assert (one.slug, one.organization_id) == ("bennett_inc", default_organization_id("bennett"))
    given = str(uuid.uuid4())
    apply(BENNETT.replace("slug: bennett", f"slug: bennett\n    organization_id: {given}"))
    assert str(organizations.list_organizations(builder)[0].organization_id) == given


def test_an_entry_that_was_copied_and_left_its_id_takes_over_nobodys_rows(
    builder: psycopg.Connection, apply: Callable[[str], ApplyResult]
) -> None:
    apply(BENNETT)
    before = stored(builder)
    with pytest.raises(UsageError, match=r"acme: its id 1 is for good that of bennett \(Bennett\)") as refused:
        apply("  - {id: 1, slug: acme, name: Acme, timezone: UTC, currency: USD}\n")
    assert "apply the new slug first and the new name after it" in str(refused.value)
    assert stored(builder) == before
    renamed = BENNETT.replace("slug: bennett", "slug: acme")
    assert apply(renamed).renamed == {"acme": "bennett"}
    assert apply(renamed.replace("name: Bennett", "name: Acme")).renamed == {}


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (BENNETT.replace("id: 1", "id: 3"), "bennett: its id is 1, not 3; an organization's id never changes"),
        (VITAL.replace("id: 2", f"id: 2, organization_id: {default_organization_id('bennett')}"), "is that of bennett"),
    ],
)
def test_an_identifier_of_another_organization_is_refused_and_nothing_changed(
    builder: psycopg.Connection, apply: Callable[[str], ApplyResult], entry: str, says: str
) -> None:
    apply(BENNETT)
    before = stored(builder)
    with pytest.raises(UsageError, match="nothing was changed") as error:
        apply(entry + "  - {id: 9, slug: other, name: Other, timezone: UTC, currency: USD}\n")
    assert says in str(error.value)
    assert stored(builder) == before


def test_looking_for_contradictions_takes_a_look_at_each_organization_not_at_each_pair(
    builder: psycopg.Connection, apply: Callable[[str], ApplyResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = "".join(
        f"  - {{id: {number}, slug: tenant_{number}, name: T, timezone: UTC, currency: USD}}\n"
        for number in range(1, 101)
    )
    apply(entries)
    looks = 0

    def counted(one: Organization, name: str) -> object:
        nonlocal looks
        looks += 1
        return object.__getattribute__(one, name)

    monkeypatch.setattr(Organization, "__getattribute__", counted)
    assert len(apply(entries).unchanged) == 100
    assert 0 < looks < 100 * 100


def test_a_slug_and_an_organization_id_of_two_others_are_both_named(
    builder: psycopg.Connection, apply: Callable[[str], ApplyResult]
) -> None:
    apply(BENNETT + VITAL)
    given = default_organization_id("vital")
    with pytest.raises(UsageError) as error:
        apply(f"  - {{id: 3, slug: bennett, organization_id: {given}, name: B, timezone: UTC, currency: USD}}\n")
    assert "bennett: its id is 1, not 3" in str(error.value)
    assert "bennett: its organization_id is that of vital" in str(error.value)


def test_a_time_zone_that_only_python_knows_is_refused(builder: psycopg.Connection) -> None:
    """Business dates are computed in the database: it has to know the zone too."""
    entry = OrganizationEntry.model_construct(
        id=1, slug="a", name="A", organization_id=None, timezone="Mars/Olympus", currency="USD",
        fiscal_year_start_month=1, industry=None, connections={},
    )  # fmt: skip
    content = OrganizationsFile.model_construct(organizations=(entry,), platform=None)
    with pytest.raises(UsageError, match="a: the database server does not know the time zone Mars/Olympus"):
        organizations.apply_organizations(builder, content)


def test_connected_gives_settings_unresolved_and_names_what_is_unknown(
    builder: psycopg.Connection, apply: Callable[[str], ApplyResult]
) -> None:
    apply(BENNETT + VITAL)
    ((organization, settings),) = organizations.connected(builder, "hubspot")
    assert (organization.slug, settings) == ("bennett", {"access_token": "env:CANARY_TOKEN"})
    assert organizations.connected(builder, "hubspot", ["bennett", "bennett"]) == [(organization, settings)]
    assert organizations.connected(builder, "zoom") == []
    with pytest.raises(UsageError, match="no organization 'benett', 'x'") as error:
        organizations.connected(builder, "hubspot", ["benett", "bennett", "x"])
    assert error.value.hint == "Known: bennett, vital."
    with pytest.raises(UsageError, match="vital has no connection to hubspot"):
        organizations.connected(builder, "hubspot", ["vital"])


def test_the_command_applies_lists_and_prints_a_working_url(
    builder: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIOP_SECRET_KEY", "4VQHnoAjMc6uhYlVSy7RRVg5ZxVPmVvbYwYuJUgkY3M=")
    file = tmp_path / "organizations.yml"
    file.write_text("organizations:\n" + BENNETT.replace("name: Bennett", 'name: "Bennett [red]"') + VITAL)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(orgs.app, arguments, catch_exceptions=False)
        assert result.exit_code == 0
        return result.stdout

    assert "no organizations yet" in run("list")
    assert run("apply", str(file)) == "added: bennett, vital\n2 added, 0 changed, 0 unchanged\n"
    assert run("apply", str(file)) == "0 added, 0 changed, 2 unchanged\n"
    header, bennett, vital = run("list").splitlines()
    assert header.split("  ")[0] == "id"
    assert bennett.split()[:4] == ["1", "bennett", "Bennett", "[red]"]
    assert bennett.split()[-1] == "hubspot"
    assert vital.split()[:2] == ["2", "vital"]
    url = run("credentials", "bennett")
    assert run("credentials", "bennett") == url
    with psycopg.connect(url.strip()) as tenant:
        assert tenant.execute("select 1").fetchone() == (1,)
    assert run("credentials", "bennett", "--rotate") != url


@pytest.mark.parametrize("arguments", [["credentials"], ["credentials", "bennett", "--all"]])
def test_credentials_are_asked_for_one_or_for_all(builder: psycopg.Connection, arguments: list[str]) -> None:
    result = CliRunner().invoke(orgs.app, arguments)
    assert isinstance(result.exception, UsageError)


def test_a_list_is_connected_with_commas_and_checked_as_the_file_is(
    builder: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUBSPOT_TOKEN", "pat-na1-4711")
    builder.execute(
        "insert into ops.organizations (id, slug, name, organization_id, timezone, currency)"
        " values (1, 'bennett', 'Bennett', gen_random_uuid(), 'UTC', 'USD')"
    )
    command = ["connect", "bennett", "hubspot", "access_token=env:HUBSPOT_TOKEN"]
    connected = CliRunner().invoke(orgs.app, [*command, "skip_streams=goals, tasks"], catch_exceptions=False)
    assert connected.stdout.startswith("connected: bennett hubspot\n")
    stored = builder.execute("select settings from ops.connections").fetchall()
    assert stored == [({"access_token": "env:HUBSPOT_TOKEN", "skip_streams": ["goals", "tasks"]},)]
    # As a file says it, so that applying one that agrees changes nothing.
    entry = BENNETT[: BENNETT.index("    connections")]
    settings = "{access_token: env:HUBSPOT_TOKEN, skip_streams: [goals, tasks]}"
    file = f"organizations:\n{entry}    connections:\n      hubspot: {settings}\n"
    content, problems = check_organizations(file, {"HUBSPOT_TOKEN": "pat-na1-4711"})
    assert (content.organizations[0].connections["hubspot"], problems) == (stored[0][0], [])

    refused = CliRunner().invoke(orgs.app, [*command, "skip_streams=goals,dealz"]).exception
    assert isinstance(refused, UsageError)
    assert "is no stream of HubSpot" in str(refused)
    emptied = CliRunner().invoke(orgs.app, [*command, "skip_streams="], catch_exceptions=False)
    assert emptied.stdout.startswith("changed: bennett hubspot\n")
    assert builder.execute("select settings -> 'skip_streams' from ops.connections").fetchall() == [([],)]
