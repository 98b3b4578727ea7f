"""What organizations.yml says of a Softbase connection."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, ValidationInfo

from orchestration.sources.core.connection import ConnectionSettings, is_reference
from orchestration.sources.core.sql_url import DatabaseUrl

_SCHEMA = re.compile(r"[A-Za-z_][A-Za-z0-9_$#@]{0,127}\Z")


def _schema(value: str, info: ValidationInfo) -> str:
    value = value.strip()
    resolved = bool(info.context and info.context.get("resolved"))
    if not (is_reference(value) and not resolved) and not _SCHEMA.match(value):
        raise ValueError("is no name of a schema (letters, digits and underscores, such as ten001)")
    return value


def _zone(value: str | None) -> str | None:
    if value is not None and not is_reference(value):
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is no time zone (such as America/Chicago)") from None
    return value


class SoftbaseConnection(ConnectionSettings):
    """One dealership: the database, and the schema that holds its views."""

    account_fields: ClassVar[tuple[str, ...]] = ("url", "schema_name")

    url: DatabaseUrl
    schema_name: Annotated[str, Field(alias="schema"), AfterValidator(_schema)]
    timezone: Annotated[str | None, AfterValidator(_zone)] = None
    """The dealership's own, where it is not the organization's: its dates and times are in it."""
    start_date: date | None = None
    """Invoices, postings and closed orders of before are not read."""
    gl_calendar: Literal["calendar", "fiscal"] | None = None
    """What Year and Month of the general ledger count; the ledger's own balances tell where nothing is said."""
