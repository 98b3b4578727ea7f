"""What organizations.yml says of a GA4 export in BigQuery."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, ClassVar, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from orchestration.sources.core.connection import ConnectionSettings, SecretReference, ServiceUrl, Text, is_reference

BIGQUERY_URL = "https://bigquery.googleapis.com"
# 20 GiB: a day of about ten million events, and some ten cents at Google's list price.
MAXIMUM_BYTES_BILLED = 20 * 2**30
LEAST_BYTES_BILLED = 10 * 2**20

# They stand in statements between backticks, where no parameter can.
_PROJECT = re.compile(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{0,62}\Z")
_DATASET = re.compile(r"[A-Za-z0-9_]{1,1024}\Z")


def _named(pattern: re.Pattern[str], what: str) -> AfterValidator:
    def check(value: str, info: ValidationInfo) -> str:
        resolved = bool(info.context and info.context.get("resolved"))
        if is_reference(value) and not resolved:
            return value
        if not pattern.match(value):
            raise ValueError(f"is no name of a {what}")
        return value

    return AfterValidator(check)


def _zone(value: str) -> str:
    if is_reference(value):
        return value
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("is no IANA time zone, such as America/Chicago") from None
    return value


class Ga4Connection(ConnectionSettings):
    """One property's dataset, read by a service account.

    project, dataset
        Where the property is exported to: the Google Cloud project, and ``analytics_<property id>``.
    billing_project
        The project that statements run in and are billed to; that of the export where nothing is said.
    service_account
        The text of a service account's JSON key. Without one, only an emulator on this machine can be read.
    location
        Where the dataset is, such as EU. BigQuery finds it by the tables where nothing is said.
    property_timezone
        The zone that the property's days are counted in; the organization's where nothing is said.
    start_date
        Tables of earlier dates are not read; without it, all are.
    maximum_bytes_billed
        A statement that would be billed for more is refused by BigQuery. One statement reads one date.
    user_key
        What users' identifiers are hashed with, beside the organization's and the dataset's name. Another key makes
        all users new ones.
    """

    account_fields: ClassVar[tuple[str, ...]] = ("base_url", "project", "dataset")

    project: Annotated[Text, _named(_PROJECT, "Google Cloud project")]
    dataset: Annotated[Text, _named(_DATASET, "BigQuery dataset")]
    billing_project: Annotated[Text, _named(_PROJECT, "Google Cloud project")] | None = None
    service_account: SecretReference = ""
    location: Text | None = None
    base_url: ServiceUrl = BIGQUERY_URL
    token_url: ServiceUrl | None = None
    property_timezone: Annotated[Text, AfterValidator(_zone)] | None = None
    start_date: date | None = None
    maximum_bytes_billed: Annotated[int, Field(ge=LEAST_BYTES_BILLED)] = MAXIMUM_BYTES_BILLED
    user_key: SecretReference = ""

    @model_validator(mode="after")
    def _signed(self) -> Self:
        if not self.service_account and not self._emulated:
            raise ValueError("service_account is missing: only an emulator on this machine is read without one")
        return self

    @property
    def _emulated(self) -> bool:
        host = urlsplit(self.base_url).hostname or ""
        return is_reference(self.base_url) or host == "localhost" or host.startswith("127.") or host == "::1"
