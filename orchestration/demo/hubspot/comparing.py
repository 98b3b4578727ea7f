"""How search compares values: by a property's type, except ids, which it compares as text."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from orchestration.demo.crm.catalogue import Property
from orchestration.demo.crm.formats import parse_instant
from orchestration.demo.hubspot.errors import invalid

Key = Any


def compare_key(facts: Property, numeric_ids: bool) -> Callable[[str], Key]:
    """What to compare a property's values by; raises the API's 400 for text that is no such value."""
    if facts.name == "hs_object_id":
        return int if numeric_ids else str
    if facts.type == "number":
        return _number
    if facts.type in ("date", "datetime"):
        return _instant
    return str.casefold


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise invalid(f"{text} is not a number") from error


@lru_cache(maxsize=1 << 17)
def _instant(text: str) -> int:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise invalid(f"{text} is not an instant") from error
