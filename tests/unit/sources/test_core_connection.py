"""Settings of a connection: references in the file, values when it is opened, and no value in a message."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

import pytest
from pydantic import Field, ValidationError

from orchestration.errors import ConfigurationError
from orchestration.sources import connection_models
from orchestration.sources.core.connection import ConnectionSettings, SecretReference
from orchestration.sources.quickbooks.connection import PRODUCTION_URL, TOKEN_URL, QuickBooksConnection

FILE = {
    "realm_id": "9130",
    "client_id": "env:A",
    "client_secret": "env:B",
    "refresh_token": "env:C",
    "start_date": "2024-01-01",
}


def problems(**changes: object) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        QuickBooksConnection.model_validate({**FILE, **changes})
    assert "canary" not in str(caught.value)
    return {str(one["loc"][0]): one["msg"] for one in caught.value.errors()}


def test_the_documented_form_is_accepted_and_the_real_services_are_the_default() -> None:
    connection = QuickBooksConnection.model_validate(FILE)
    assert connection.start_date == date(2024, 1, 1)
    assert connection.accounting_method is None
    assert (connection.base_url, connection.token_url) == (PRODUCTION_URL, TOKEN_URL)


@pytest.mark.parametrize("key", ["client_secret", "refresh_token"])
@pytest.mark.parametrize("value", ["canary-secret", "env:", "env:A B", "$canary", "ENV:A"])
def test_a_secret_in_the_file_is_refused_without_being_shown(key: str, value: str) -> None:
    assert "must be a reference such as env:NAME" in problems(**{key: value})[key]


def test_all_problems_are_listed_at_once() -> None:
    found = problems(realm_id=None, start_date="soon", accounting_method="accrual", colour="canary")
    assert set(found) == {"realm_id", "start_date", "accounting_method", "colour"}


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9101", "http://localhost:9101/", "http://quickbooks:80", "https://x.example", "env:URL"]
)
def test_addresses_nearby_may_do_without_tls(url: str) -> None:
    assert QuickBooksConnection.model_validate({**FILE, "base_url": url}).base_url == url.rstrip("/")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://quickbooks.api.intuit.com", "must use https"),
        ("ftp://127.0.0.1", "must be an http(s) address"),
        ("127.0.0.1:9101", "must be an http(s) address"),
        ("https://user:canary@x.example", "must not hold a user name or password"),
    ],
)
def test_addresses_that_would_give_credentials_away_are_refused(url: str, problem: str) -> None:
    assert problem in problems(base_url=url)["base_url"]


def test_a_realm_written_as_a_number_is_taken_as_text() -> None:
    assert QuickBooksConnection.model_validate({**FILE, "realm_id": 9130}).realm_id == "9130"


def test_resolved_values_are_not_mistaken_for_references() -> None:
    connection = QuickBooksConnection.resolved({**FILE, "client_secret": " hush ", "refresh_token": "AB11"})
    assert connection.client_secret == "hush"
    assert "hush" not in repr(connection)
    with pytest.raises(ConfigurationError, match="client_secret: Value error, is empty"):
        QuickBooksConnection.resolved({**FILE, "client_secret": ""})


class Database(ConnectionSettings):
    account_fields: ClassVar[tuple[str, ...]] = ("url", "schema_name")

    url: SecretReference
    schema_name: str = Field("dbo", alias="schema")


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        ({"url": "mssql+pymssql://reader:other@Server.example:1433/dealer?timeout=9"}, True),
        ({"url": "mssql+pymssql://reader:pw@server.example/dealer/", "schema": "dbo"}, True),
        ({"url": "mssql+pymssql://reader:pw@server.example/dealer", "schema": "ben002"}, False),
        ({"url": "mssql+pymssql://reader:pw@server.example/another"}, False),
        ({"url": "mssql+pymssql://reader:pw@server.example:1434/dealer"}, False),
        ({"url": "mssql+pymssql://reader:pw@server.example:port/dealer"}, False),
        ({"url": "env:NOT_SET_HERE"}, False),
    ],
)
def test_an_account_is_where_an_address_leads_whoever_logs_in(other: dict[str, str], is_same: bool) -> None:
    one = {"url": "mssql+pymssql://reader:pw@server.example/dealer"}
    assert (Database.account_key(other) == Database.account_key(one)) == is_same


def test_settings_that_name_no_account_are_nobodys_double() -> None:
    assert ConnectionSettings.account_key({"anything": "x"}) is None


@pytest.mark.parametrize("model", connection_models().values(), ids=connection_models())
def test_every_source_says_which_settings_name_its_account(model: type[ConnectionSettings]) -> None:
    assert model.account_fields
    assert set(model.account_fields) <= model.model_fields.keys()
