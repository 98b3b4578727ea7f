"""What stands in organizations.yml, as models: the fields of an organization and their rules."""

from __future__ import annotations

import difflib
import re
import uuid
import zoneinfo
from collections.abc import Iterable
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt

from orchestration.sources.core.connection import SecretReference
from orchestration.warehouse.currencies import CURRENCIES
from orchestration.warehouse.secrets import variable_of

SLUG = re.compile(r"[a-z][a-z0-9_]{0,40}\Z")
# An organization without an organization_id of its own gets the uuid5 of its slug in this namespace. Never change it.
NAMESPACE = uuid.UUID("6f5b8a52-2c0f-5d0c-9a55-6d1f0e1c7b1e")


def _text(value: str) -> str:
    value = value.strip()
    if not value or not value.isprintable():
        raise ValueError("must be a line of text")
    if variable_of(value):
        raise ValueError("is no place for a reference: only connections and platform take them")
    return value


def _slug(value: str) -> str:
    if not SLUG.match(value):
        raise ValueError("must be lower-case letters, digits and _ (41 at most), starting with a letter")
    return value


def _timezone(value: str) -> str:
    if value not in _timezones():
        raise ValueError(f"{value!r} is not a time zone{suggestion(value, _timezones())}")
    return value


def _currency(value: str) -> str:
    if value not in CURRENCIES:
        raise ValueError(f"{value!r} is not a currency (ISO 4217, such as USD)")
    return value


def _industry(value: str) -> str:
    if not re.match(r"[0-9]{2}(-[0-9]{2}|[0-9]{0,4})\Z", value):
        raise ValueError('must be a NAICS sector or code, in quotes, such as "42" or "31-33"')
    return value


Text = Annotated[str, AfterValidator(_text)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class OrganizationEntry(_Strict):
    """One organization of the file. ``connections`` are settings by source, checked by the source's own model."""

    id: Annotated[StrictInt, Field(ge=1, le=2_147_483_647)]
    slug: Annotated[Text, AfterValidator(_slug)]
    name: Text
    organization_id: uuid.UUID | None = None
    timezone: Annotated[Text, AfterValidator(_timezone)]
    currency: Annotated[Text, AfterValidator(_currency)]
    fiscal_year_start_month: Annotated[StrictInt, Field(ge=1, le=12)] = 1
    industry: Annotated[Text, AfterValidator(_industry)] | None = None
    connections: dict[str, Any] = Field(default_factory=dict)


class PlatformEntry(_Strict):
    """The platform's own app: one database for all organizations."""

    url: SecretReference


class OrganizationsFile(_Strict):
    """The whole file. Connections hold plain values and references, as they are stored."""

    organizations: tuple[OrganizationEntry, ...]
    platform: PlatformEntry | None = None


def default_organization_id(slug: str) -> uuid.UUID:
    """The uuid of an organization whose entry has none."""
    return uuid.uuid5(NAMESPACE, slug)


def suggestion(word: str, known: Iterable[str]) -> str:
    """`` (did you mean …?)`` where one of ``known`` is close to ``word``, otherwise nothing."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]}?)" if close else ""


@cache
def _timezones() -> frozenset[str]:
    return frozenset(name for name in zoneinfo.available_timezones() if name not in ("localtime", "Factory"))
