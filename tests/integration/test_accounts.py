"""Two organizations that name one account of a source: refused by name, unless each of them says that it is shared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.types.json import Jsonb

from orchestration.errors import UsageError
from orchestration.warehouse import accounts, connecting, organizations

VARIABLES = {"TOKEN_A": "canary-token-a", "TOKEN_A_AGAIN": "canary-token-a", "TOKEN_B": "canary-token-b"}
HUBSPOT = "hubspot: {{access_token: env:{0}{1}}}"
QUICKBOOKS = (
    'quickbooks: {{realm_id: "{0}", client_id: id, client_secret: env:TOKEN_A, refresh_token: env:{1},'
    " start_date: 2024-01-01{2}}}"
)
SANDBOX = ", base_url: https://sandbox-quickbooks.api.intuit.com"
SHARED = ", shared_account: true"


@pytest.fixture
def builder(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


@pytest.fixture
def apply(builder: psycopg.Connection, tmp_path: Path) -> Callable[..., None]:
    def run(*connections: str, first: int = 1) -> None:
        entries = [
            f"  - {{id: {number}, slug: org_{number}, name: Org, timezone: UTC, currency: USD,"
            f" connections: {{{connection}}}}}\n"
            for number, connection in enumerate(connections, first)
        ]
        file = tmp_path / "organizations.yml"
        file.write_text("organizations:\n" + "".join(entries))
        organizations.apply_file(builder, file)

    return run


def count(builder: psycopg.Connection) -> int:
    row = builder.execute("select count(*) from ops.organizations").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize(
    ("first", "second", "fields"),
    [
        pytest.param(
            HUBSPOT.format("TOKEN_A", ""), HUBSPOT.format("TOKEN_A", ""), "base_url, access_token", id="variable"
        ),
        pytest.param(
            HUBSPOT.format("TOKEN_A", ""), HUBSPOT.format("TOKEN_A_AGAIN", ""), "base_url, access_token", id="value"
        ),
        pytest.param(
            HUBSPOT.format("TOKEN_A", ""),
            HUBSPOT.format("TOKEN_A", ", base_url: https://api.hubapi.com/"),
            "base_url, access_token",
            id="default-said-aloud",
        ),
        pytest.param(
            QUICKBOOKS.format("9130", "TOKEN_A", ""),
            QUICKBOOKS.format("9130", "TOKEN_B", ""),
            "base_url, realm_id",
            id="realm-by-another-grant",
        ),
        pytest.param(
            HUBSPOT.format("TOKEN_A", SHARED), HUBSPOT.format("TOKEN_A", ""), "base_url, access_token", id="one-says-so"
        ),
    ],
)
def test_one_account_for_two_is_refused_with_both_names_and_nothing_changes(
    builder: psycopg.Connection, apply: Callable[..., None], first: str, second: str, fields: str
) -> None:
    with pytest.raises(UsageError) as refused:
        apply(first, second)
    source = first.partition(":")[0]
    assert f"org_1, org_2: the same account of {source} ({fields})" in str(refused.value)
    assert "shared_account: true" in refused.value.hint
    assert not [value for value in (*VARIABLES.values(), "9130") if value in str(refused.value)]
    assert count(builder) == 0

    # Nor does a later file, or one connection, do what one file could not.
    apply(first)
    with pytest.raises(UsageError, match="org_1, org_2"):
        apply(second, first=2)
    assert count(builder) == 1


def test_accounts_that_differ_or_are_shared_by_agreement_are_let_be(
    builder: psycopg.Connection, apply: Callable[..., None]
) -> None:
    apply(
        QUICKBOOKS.format("9130", "TOKEN_A", ""),
        QUICKBOOKS.format("9131", "TOKEN_A", ""),
        QUICKBOOKS.format("9130", "TOKEN_B", SANDBOX),
        HUBSPOT.format("TOKEN_A", SHARED),
        HUBSPOT.format("TOKEN_A", SHARED),
        HUBSPOT.format("TOKEN_B", ""),
    )
    assert count(builder) == 6
    stored = builder.execute("select settings from ops.connections where org_id = 4").fetchall()
    assert stored == [({"access_token": "env:TOKEN_A", "shared_account": True},)]


def test_connecting_one_looks_at_all_others_and_lets_the_way_out_be_taken_in_two_steps(
    builder: psycopg.Connection, apply: Callable[..., None]
) -> None:
    apply(HUBSPOT.format("TOKEN_A", ""), HUBSPOT.format("TOKEN_B", ""))
    same = {"access_token": "env:TOKEN_A_AGAIN"}
    with pytest.raises(UsageError, match="org_1, org_2"):
        connecting.connect(builder, "org_2", "hubspot", same)
    with pytest.raises(UsageError, match="org_1, org_2"):
        connecting.connect(builder, "org_2", "hubspot", same | {"shared_account": "true"})
    assert builder.execute("select settings from ops.connections where org_id = 2").fetchall() == [
        ({"access_token": "env:TOKEN_B"},)
    ]
    assert connecting.connect(builder, "org_1", "hubspot", same | {"shared_account": "true"}).change == "changed"
    assert connecting.connect(builder, "org_2", "hubspot", same | {"shared_account": "true"}).change == "changed"


def test_what_others_share_already_stops_nobody_else(builder: psycopg.Connection, apply: Callable[..., None]) -> None:
    apply(HUBSPOT.format("TOKEN_A", ""), HUBSPOT.format("TOKEN_B", ""))
    builder.execute("update ops.connections set settings = %s", [Jsonb({"access_token": "env:TOKEN_A"})])
    apply(HUBSPOT.format("TOKEN_B", ""), first=3)
    assert count(builder) == 3
    # A variable that is not set here is compared by its name.
    builder.execute("update ops.connections set settings = %s", [Jsonb({"access_token": "env:ELSEWHERE"})])
    with pytest.raises(UsageError, match="org_1, org_2, org_3"):
        accounts.refuse_shared(builder, ["hubspot"], [3])
