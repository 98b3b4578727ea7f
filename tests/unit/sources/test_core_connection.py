"""Settings of a connection: references in the file, values when it is opened, and no value in a message."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from orchestration.errors import ConfigurationError
from orchestration.sources import connection_models
from orchestration.sources.core.connection import ConnectionSettings
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


@pytest.mark.parametrize("model", connection_models().values(), ids=connection_models())
def test_every_source_says_which_settings_name_its_account(model: type[ConnectionSettings]) -> None:
    assert model.account_fields
    assert set(model.account_fields) <= model.model_fields.keys()
