"""What all records of the accounting API have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from orchestration.demo.books.documents import TRANSACTIONS, Books, Stamp

NAME_LISTS = ("Account", "Customer", "Vendor", "Item")
SINGLETONS = ("CompanyInfo", "Preferences")
ENTITIES = NAME_LISTS + TRANSACTIONS + SINGLETONS
CURRENCY_NAMES = {"USD": "United States Dollar", "CAD": "Canadian Dollar", "GBP": "British Pound Sterling"}

Payload = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """A record with what queries filter and order by. ``payload`` makes its JSON content when it is wanted."""

    entity: str
    id: int
    stamp: Stamp
    active: bool
    deleted: bool
    payload: Callable[[], Payload]


@lru_cache(maxsize=200_000)
def local(instant: int, zone: ZoneInfo) -> str:
    """Epoch seconds as ISO with the zone's offset, as all times of the API are."""
    return datetime.fromtimestamp(instant, UTC).astimezone(zone).isoformat()


def money(cents: int) -> Decimal:
    """Cents as the exact number of currency units that stands in the JSON."""
    return Decimal(cents).scaleb(-2)


class Records:
    """Makes API objects from one company's books."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.company = books.company
        self.currency = {
            "value": self.company.currency,
            "name": CURRENCY_NAMES.get(self.company.currency, self.company.currency),
        }

    def record(self, payload: Payload, number: int, stamp: Stamp) -> Payload:
        """A payload with the id, version and times that every record bears."""
        zone = self.company.zone
        return {
            **payload,
            "domain": "QBO",
            "sparse": False,
            "Id": str(number),
            "SyncToken": str(stamp.token),
            "MetaData": {
                "CreateTime": local(stamp.created, zone),
                "LastUpdatedTime": local(stamp.updated, zone),
            },
        }

    def account_ref(self, number: int, stamp: Stamp) -> Payload:
        """A reference to an account, by the name it had when the record was saved."""
        return {"value": str(number), "name": self.books.account_name_at(number, stamp.updated)}
