"""organizations.yml: what is accepted, and how everything wrong with a file is said at once, by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.errors import UsageError
from orchestration.warehouse.organization_entries import default_organization_id
from orchestration.warehouse.organizations_file import check_organizations, read_organizations

GOOD = """\
organizations:
  - id: 1
    slug: bennett
    name: Bennett
    timezone: America/Chicago
    currency: USD
    fiscal_year_start_month: 11
    industry: "42"
    connections:
      quickbooks: {realm_id: "9130", client_id: env:A, client_secret: env:B, refresh_token: env:C,
        accounting_method: Accrual, start_date: 2024-01-01, base_url: http://127.0.0.1:9101}
      hubspot: {access_token: env:D, base_url: http://127.0.0.1:9102}
  - {id: 2, slug: vital, name: VITAL WorkLife, timezone: UTC, currency: USD}
platform: {url: env:E}
"""
VARIABLES = dict.fromkeys("ABCDE", "a value")


def problems(text: str, environment: dict[str, str] | None = None) -> list[str]:
    return [str(problem) for problem in check_organizations(text, VARIABLES if environment is None else environment)[1]]


def with_line(line: str) -> str:
    """A file with one organization whose seventh line is ``line``."""
    return (
        "organizations:\n  - id: 1\n    slug: bennett\n    name: Bennett\n    timezone: UTC\n    currency: USD\n"
        f"    {line}\n"
    )


def test_a_complete_file_is_read_with_its_defaults() -> None:
    content, found = check_organizations(GOOD, VARIABLES)
    assert found == []
    assert content is not None
    bennett, vital = content.organizations
    assert (bennett.id, bennett.fiscal_year_start_month, bennett.industry) == (1, 11, "42")
    assert (vital.fiscal_year_start_month, vital.industry, vital.organization_id, vital.connections) == (
        1,
        None,
        None,
        {},
    )
    assert content.platform is not None
    assert content.platform.url == "env:E"


def test_connections_are_kept_as_written_without_defaults_and_without_secrets() -> None:
    content, _ = check_organizations(GOOD, VARIABLES)
    assert content is not None
    assert content.organizations[0].connections == {
        "quickbooks": {
            "realm_id": "9130",
            "client_id": "env:A",
            "client_secret": "env:B",
            "refresh_token": "env:C",
            "accounting_method": "Accrual",
            "start_date": "2024-01-01",
            "base_url": "http://127.0.0.1:9101",
        },
        "hubspot": {"access_token": "env:D", "base_url": "http://127.0.0.1:9102"},
    }


def test_every_problem_is_listed_with_its_line_in_one_error(tmp_path: Path) -> None:
    file = tmp_path / "organizations.yml"
    file.write_text(
        """\
organizations:
  - id: 1
    slug: bennett
    name: Bennett
    time_zone: America/Chicago
    timezone: America/Chicgo
    currency: usd
    fiscal_year_start_month: 13
    connections:
      quickbooks: {realm_id: 9130, client_id: env:NOT_SET, client_secret: hunter2-in-clear, refresh_token: env:C,
                   start_date: 2024-02-30}
      hubspott: {access_token: env:D}
  - id: 1
    slug: Vital
    name: VITAL
    timezone: UTC
    currency: USD
organisations: []
"""
    )
    with pytest.raises(UsageError) as error:
        read_organizations(file, VARIABLES)
    message = str(error.value)
    assert message.splitlines()[:-1] == [
        f"{file} has 11 problems; nothing was changed:",
        "  line 5: bennett time_zone: unknown key (did you mean timezone?)",
        "  line 6: bennett timezone: 'America/Chicgo' is not a time zone (did you mean America/Chicago?)",
        "  line 7: bennett currency: 'usd' is not a currency (ISO 4217, such as USD)",
        "  line 8: bennett fiscal_year_start_month: should be less than or equal to 12",
        "  line 10: bennett connections.quickbooks.client_id: the environment variable NOT_SET is not set",
        "  line 10: bennett connections.quickbooks.client_secret: must be a reference such as env:NAME: "
        "no secret stands in this file",
        "  line 11: bennett connections.quickbooks.start_date: "
        "should be a valid date or datetime, day value is outside expected range",
        "  line 12: bennett connections.hubspott: unknown source (did you mean hubspot?)",
        "  line 13: id 1 is also that of line 2",
        "  line 14: Vital slug: must be lower-case letters, digits and _ (41 at most), starting with a letter",
        "  line 18: organisations: unknown key (did you mean organizations?)",
    ]
    assert "hunter2" not in message


@pytest.mark.parametrize(
    "line",
    [
        "connections: {hubspot: {access_token: env:C, pat-na1-0c4f7a: x}}",
        "connections: {AB11736412345canaryQ8xJ2mN7pR4tV6wY9z: {a: b}}",
        '"postgresql://u:canary@h/d": 1',
    ],
)
def test_a_credential_in_the_place_of_a_key_is_not_shown(line: str) -> None:
    (said,) = problems(with_line(line))
    assert "unknown" in said
    assert "…" in said
    assert not any(secret in said for secret in ("pat-na1", "canary"))


@pytest.mark.parametrize(
    "slug",
    ["Bennett", "1bennett", "_b", "ben-nett", "ben nett", "x'; drop table y;--", "b" * 42, "bennétt", "\u0430bc", ""],
)
def test_a_slug_that_could_be_mistaken_is_refused(slug: str) -> None:
    text = with_line("industry: '42'").replace("slug: bennett", f'slug: "{slug}"')
    assert len(problems(text)) == 1
    assert problems(text)[0].startswith("line 3: ")


@pytest.mark.parametrize("slug", ["b", "b" * 41, "vital_worklife", "a1_"])
def test_a_plain_slug_is_accepted(slug: str) -> None:
    assert problems(with_line("industry: '42'").replace("slug: bennett", f"slug: {slug}")) == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("fiscal_year_start_month: 0", "greater than or equal to 1"),
        ("fiscal_year_start_month: '11'", "valid integer"),
        ("fiscal_year_start_month: true", "valid integer"),
        ("industry: 42", "must be text: put it in quotes"),
        ("industry: retail", "must be a NAICS sector or code"),
        ("organization_id: 0b7c", "valid UUID"),
        ("connections: []", "must be keys with values"),
        ("connections: {quickbooks: }", "its settings are missing"),
        ("connections: {salesforce: {a: b}}", "unknown source (known: "),
        ("connections: {hubspot: {acces_token: env:D}}", "connections.hubspot.access_token: is missing"),
        ("connections: {hubspot: {access_token: env:D, base_url: ftp://x}}", "must be an http(s) address"),
        ("slug: again", "key 'slug' stands here twice"),
        ("fiscal_year_start_month: 011", "011 reads as the number 9 in YAML: put it in quotes"),
    ],
)
def test_a_wrong_value_is_named_at_its_line(line: str, says: str) -> None:
    found = problems(with_line(line))
    assert any(problem.startswith("line 7: ") and says in problem for problem in found), found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: the file is empty"),
        ("organizations: []", "line 1: organizations: there is none"),
        ("organizations: 1", "line 1: organizations: must be a list"),
        ("- 1", "line 1: the file: must be keys with values"),
        ("organizations:\n  - 1", "line 2: organization 1: must be keys with values"),
        ("platform: {url: env:E}", "line 1: organizations: is missing"),
        ("organizations:\n\t- id: 1", "line 2: "),
        ("organizations: [\x00]", "line 1: holds a character that YAML does not allow"),
        ("organizations: &all [*all]", "line 1: is nested too deeply"),
        ("organizations: !!python/object/apply:os.system ['true']", "line 1: "),
        ("platform: {url: postgres://u:hunter2@h/d}\norganizations: []", "line 1: platform.url: must be a reference"),
    ],
)
def test_a_file_that_makes_no_sense_is_described_not_crashed_on(text: str, says: str) -> None:
    found = problems(text)
    assert any(problem.startswith(says) for problem in found), found
    assert "hunter2" not in str(found)


def test_the_same_identifiers_twice_point_at_both_lines() -> None:
    text = """\
organizations:
  - {id: 1, slug: a, name: A, timezone: UTC, currency: USD, organization_id: 8a4f6d3e-1111-4222-8333-444455556666}
  - {id: 2, slug: a, name: B, timezone: UTC, currency: USD, organization_id: 8A4F6D3E-1111-4222-8333-444455556666}
"""
    assert problems(text) == [
        "line 3: organization_id 8a4f6d3e-1111-4222-8333-444455556666 is also that of line 2",
        "line 3: slug a is also that of line 2",
    ]


def test_a_reference_needs_a_value_and_belongs_to_connections() -> None:
    assert problems(GOOD, {**VARIABLES, "C": " "}) == [
        "line 10: bennett connections.quickbooks.refresh_token: the environment variable C is not set"
    ]
    assert problems(with_line("industry: env:A")) == [
        "line 7: bennett industry: is no place for a reference: only connections and platform take them"
    ]


def test_settings_may_be_shared_by_anchors() -> None:
    text = """\
organizations:
  - {id: 1, slug: a, name: A, timezone: UTC, currency: USD, connections: {hubspot: &h {access_token: env:A}}}
  - {id: 2, slug: b, name: B, timezone: UTC, currency: USD, connections: {hubspot: {<<: *h, access_token: env:B}}}
"""
    content, found = check_organizations(text, VARIABLES)
    assert found == []
    assert content is not None
    assert content.organizations[1].connections == {"hubspot": {"access_token": "env:B"}}


def test_an_unreadable_file_is_an_error_of_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't be read"):
        read_organizations(tmp_path / "nowhere.yml")
    (tmp_path / "latin.yml").write_bytes(b"organizations: \xe9")
    with pytest.raises(UsageError, match="not UTF-8"):
        read_organizations(tmp_path / "latin.yml")


def test_the_uuid_of_a_slug_never_changes() -> None:
    assert str(default_organization_id("bennett")) == "c1d6a2ee-0637-56f1-848f-d16b85411c61"
