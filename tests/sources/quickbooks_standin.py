"""QuickBooks Online for the suite: two companies without business, whose journal entries it makes and changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, ClassVar

import pytest
from standin import ONE, TWO, StandIn, Window

from orchestration.demo.books.company import Company
from orchestration.demo.books.documents import Books, Document, Line, Stamp
from orchestration.demo.quickbooks import limits, oauth
from orchestration.demo.quickbooks.limits import Limits
from orchestration.demo.quickbooks.wire import encode
from orchestration.demo.quickbooks_server import running
from orchestration.sources.core.limits import RateLimiter
from orchestration.sources.quickbooks import session

REALMS = {ONE: "1001", TWO: "1002"}
MONTH = date(2026, 9, 15)
"""The entries' date: in a month that is closed by the stand-in's clock."""


class QuickBooks(StandIn):
    """Journal entries are documents, which users delete; customers are names, which they only hide."""

    source, stream, page = "quickbooks", "journal_entry", 1000
    pages = ("/query", "FROM JournalEntry ORDER")
    content = "{Line,0,Amount}"
    deadline = "orchestration.sources.quickbooks.api.QUERY_DEADLINE"
    gap_days = 31
    secrets = ("client_secret", "refresh_token")
    not_applicable: ClassVar[dict[str, str]] = {
        "F24b": "change capture tells changes alone, and a report states every month that is asked for",
        "6d": "Intuit has no daily quota; a monthly one that is used up answers as a long throttle does (6c)",
        "12": "pages go by position and end where one is short: there is no next token",
        "13": "pages go by position, and positions do not expire",
        "14": "a search has no ceiling below its pages' end; what is cut short is change capture (16a)",
        "17": "QuickBooks can't bring back what was deleted (16c), and names are only hidden (16d)",
        "F25": "reports are restated, not rewritten by day (18)",
        "F26": "ids are numbers and stand in no path",
    }

    @classmethod
    @contextmanager
    def start(cls, patch: pytest.MonkeyPatch) -> Iterator[QuickBooks]:
        facts: dict[str, Any] = {"dormant": True, "books_start": date(2024, 1, 1), "start_date": date(2026, 8, 1)}
        companies = [Company(n, slug, slug, REALMS[slug], **facts) for n, slug in enumerate(REALMS, 1)]
        with running(companies=companies) as server:
            standin = cls()
            standin.server = server
            standin.listen()
            yield standin

    def settings(self, account: str) -> dict[str, Any]:
        return self.server.connection(account)

    def secret_values(self) -> list[str]:
        grants = self.server.service.tokens.grants.values()
        issued = [token for grant in grants for token in (grant.refresh_token, grant.previous, *grant.access)]
        configured = [self.settings(account)[name] for account in REALMS for name in self.secrets]
        return [token for token in (*issued, *configured) if token]

    def refuse(self, account: str) -> None:
        self.server.service.tokens.expire(REALMS[account], "refresh")

    @contextmanager
    def books(self, account: str = ONE) -> Iterator[Books]:
        realm = self.server.service.realms[REALMS[account]]
        with realm.lock:
            realm.follow(self.server.service.world())
            yield realm.ledger.books

    def keys(self, account: str = ONE) -> set[str]:
        with self.books(account) as books:
            return {str(entry.id) for entry in books.alive("JournalEntry")}

    def make(self, count: int, account: str = ONE) -> list[str]:
        at, made = int(self.now.timestamp()), []
        with self.books(account) as books:
            for _ in range(count):
                number = books.next_id()
                lines = [Line(books.key["checking"], 10_000), Line(books.key["services"], -10_000)]
                entry = Document(number, "JournalEntry", MONTH, Stamp(at, at), number=str(number), lines=lines)
                made.append(str(books.add(entry).id))
        return made

    def edit(self, key: str, at: datetime | None = None) -> str:
        with self.books() as books:
            entry = books.documents[int(key)]
            cents = entry.lines[0].cents + 1
            entry.lines[0].cents, entry.lines[1].cents = cents, -cents
            books.save(entry, int((at or self.now).timestamp()))
        return f"{cents // 100}.{cents % 100:02d}"

    def delete(self, key: str) -> None:
        with self.books() as books:
            books.delete(books.documents[int(key)], int(self.now.timestamp()))

    destroy = delete

    def record_text(self, key: str, members: str, updated: datetime | None = None) -> str:
        at = (updated or self.now).isoformat(timespec="seconds")
        return f'{{"Id":"{key}","MetaData":{{"LastUpdatedTime":"{at}"}},{members}}}'

    def serve(self, *records: str) -> None:
        self.heal()
        time = encode(self.now.isoformat(timespec="seconds")).decode()
        body = f'{{"QueryResponse":{{"JournalEntry":[{",".join(records)}]}},"time":{time}}}'
        self.fault("body", status=200, body=body, count=None)

    def rotate(self) -> None:
        for realm in REALMS.values():
            self.server.service.tokens.rotate(realm, "always")

    def expire(self, account: str = ONE) -> None:
        self.server.service.tokens.expire(REALMS[account], "access")

    def refreshes(self) -> list[str]:
        return [asked.token for asked in self.asked() if asked.path.endswith("/tokens/bearer")]

    def end_authorization_in(self, days: int, patch: pytest.MonkeyPatch) -> str:
        patch.setattr(oauth, "REFRESH_SECONDS", days * 86_400)
        return "company_info"

    def odd_pages(self) -> None:
        self.server.service.realms[REALMS[ONE]].behaviour.largest_page = 250

    def repeat_pages(self) -> None:
        self.make(2 * self.page)
        query = "SELECT * FROM JournalEntry ORDER BY Metadata.LastUpdatedTime ASC STARTPOSITION 1 MAXRESULTS 1000"
        first = self.server.service.realms[REALMS[ONE]].query(query).decode()
        self.fault("body", page=2, status=200, body=first, count=None)

    def calendar(self) -> tuple[str, list[tuple[Window, set[str]]]]:
        # Reports are read by half-years, each with its months and its total.
        windows: list[tuple[Window, set[str]]] = []
        for year, first in ((2023, 7), (2024, 1), (2024, 7)):
            months = [f"{year}-{month:02d}" for month in range(first, first + 6)]
            window = (date(year, first, 1), date(year, first + 5, 31 if first == 7 else 30))
            windows.append((window, {f"ProfitAndLoss|accrual|{n}" for n in (*months, f"{months[0]}..{months[-1]}")}))
        return "profit_and_loss", windows

    def tighten_own_limit(self, patch: pytest.MonkeyPatch) -> list[str]:
        patch.setattr(limits, "MINUTE", 1.0)
        patch.setattr(session, "RateLimiter", partial(RateLimiter, seconds=1.0))
        patch.setattr(session, "REPORTS_PER_MINUTE", 3)
        self.server.service.limits[REALMS[ONE]] = Limits(reports_per_minute=4)
        return ["customer", "profit_and_loss", "balance_sheet", "cash_flow"]

    def hide(self) -> tuple[str, str, str, str]:
        at = int((self.now - timedelta(minutes=1)).timestamp())
        with self.books() as books:
            customer = books.add_name("Customer", "Somebody", at)
            books.inactivate(customer, at)
        return "customer", str(customer.id), "{Active}", "false"

    def corrected_with(self, key: str) -> list[tuple[str, str]]:
        return [(stream, f"{report}|{MONTH:%Y-%m}") for stream, report in _REPORTS.items()]


_REPORTS = {"profit_and_loss": "ProfitAndLoss|accrual", "balance_sheet": "BalanceSheet|accrual"}
