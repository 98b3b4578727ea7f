"""The books as rows of Softbase's views: postings, accounts, and amounts as it writes them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from orchestration.demo.dealer.chart import BY_KEY, SECTIONS
from orchestration.demo.dealer.life import Life

Row = dict[str, Any]


def money(cents: int) -> Decimal:
    """decimal(19,4)."""
    return Decimal(cents * 100).scaleb(-4)


def postings(life: Life) -> Iterator[Row]:
    """Rows of GLDetail."""
    old = datetime.combine(life.today - timedelta(days=365), time())
    for posting in life.records.postings:
        yield {
            "Id": posting.id,
            "Journal": posting.journal,
            "AccountNo": BY_KEY[posting.account].number,
            "Description": posting.text,
            "AccountField": "Actual",
            "Source": posting.journal,
            "InvoiceNo": posting.invoice or None,
            "CustomerNo": posting.customer or None,
            "EffectiveDate": datetime.combine(posting.on, time()),
            "PostedDate": posting.posted.replace(microsecond=0),
            "Amount": money(posting.amount),
            "HistoryFlag": posting.posted < old,
        }


def account_row(key: str) -> Row:
    """A row of ChartOfAccounts."""
    account = BY_KEY[key]
    section, group = SECTIONS[account.number[0]]
    return {
        "AccountNo": account.number,
        "Description": account.title,
        "Type": section[0],
        "CashAccount": account.flag == "cash",
        "AccountsRecievable": account.flag == "receivable",
        "AccountsPayable": account.flag == "payable",
        "Section": section,
        "SectionGroup": group,
        "Inactive": False,
    }
