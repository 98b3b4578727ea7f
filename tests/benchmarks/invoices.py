"""Realistic QuickBooks invoices of about 600 bytes, as many as wanted, at next to no cost."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from orchestration.sources.core.records import Record

_UPDATED_AT = datetime(2024, 3, 5, 17, 12, 1, tzinfo=UTC)


def _templates(count: int = 997) -> list[dict[str, Any]]:
    dice = random.Random(1)
    return [_template(1000 + number, dice) for number in range(count)]


def _template(number: int, dice: random.Random) -> dict[str, Any]:
    quantity, price = Decimal(dice.randint(1, 40)), Decimal(dice.randint(100, 99_999)).scaleb(-2)
    customer = str(dice.randint(1, 900))
    return {
        "AllowIPNPayment": False,
        "domain": "QBO",
        "sparse": False,
        "Id": "",
        "SyncToken": str(dice.randint(0, 12)),
        "MetaData": {"CreateTime": "2024-03-04T14:35:37-08:00", "LastUpdatedTime": "2024-03-05T09:12:01-08:00"},
        "DocNumber": str(number),
        "TxnDate": f"2024-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}",
        "CurrencyRef": {"value": "USD", "name": "United States Dollar"},
        "Line": [
            {
                "Id": "1",
                "LineNum": 1,
                "Description": dice.choice(["Weekly service", "Forklift · 5t rental", 'Parts "kit"']),
                "Amount": quantity * price,
                "DetailType": "SalesItemLineDetail",
                "SalesItemLineDetail": {
                    "ItemRef": {"value": str(dice.randint(1, 60)), "name": "Service"},
                    "UnitPrice": price,
                    "Qty": quantity,
                },
            }
        ],
        "CustomerRef": {"value": customer, "name": f"Customer {customer}"},
        "DueDate": "2024-04-04",
        "TotalAmt": quantity * price,
        "Balance": Decimal(0),
    }


_TEMPLATES = _templates()


def as_objects(count: int) -> Iterator[Record]:
    """Records as an extractor gives them: dictionaries with Decimals."""
    size = len(_TEMPLATES)
    for number in range(count):
        record_id = str(number + 1)
        yield Record(record_id, {**_TEMPLATES[number % size], "Id": record_id}, _UPDATED_AT)


def as_text(count: int) -> Iterator[Record]:
    """The same records as JSON text that needs no encoding."""
    encode = msgspec.json.Encoder(order="deterministic", decimal_format="number").encode
    halves = [encode({**template, "Id": "?"}).split(b'"Id":"?"') for template in _TEMPLATES]
    size = len(halves)
    for number in range(count):
        record_id = str(number + 1)
        before, after = halves[number % size]
        text = b'%b"Id":"%b"%b' % (before, record_id.encode(), after)
        yield Record(record_id, msgspec.Raw(text), _UPDATED_AT)  # type: ignore[arg-type]
