"""One QuickBooks company behind the API: its books as of the world's clock, and answers to what is asked of them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orchestration.demo.books.company import Company
from orchestration.demo.ledger import Ledger
from orchestration.demo.quickbooks.labels import Labels
from orchestration.demo.quickbooks.payloads import Payloads
from orchestration.demo.quickbooks.query import Query, parse, parse_instant
from orchestration.demo.quickbooks.records import ENTITIES, SINGLETONS, Row
from orchestration.demo.quickbooks.reports import write_report
from orchestration.demo.quickbooks.selection import select
from orchestration.demo.quickbooks.statements import Quirks
from orchestration.demo.quickbooks.wire import ApiError, encode, instant, invalid_query, not_found
from orchestration.demo.world import World

CAPTURE_DAYS = 30
CAPTURE_OBJECTS = 1000


@dataclass
class Behaviour:
    """How this company's API answers; tests change it while the server runs.

    max_report_months
        Reports over more months answer 504; None: no limit.
    count_in_queries
        False: ``SELECT COUNT(*)`` answers without ``totalCount``.
    largest_page
        Queries give at most so many rows, whatever they ask for; None: as many as they ask for.
    late_capture
        What change capture does with more than 30 days: ``error``, or ``clip`` to them without a word.
    fault_style
        Spelling of faults: ``plain``, ``lower`` or ``padded``.
    """

    language: str = "en"
    renamed: dict[str, str] = field(default_factory=dict)
    locale: str = "US"
    cash_flow_form: str = "net"
    balance_sheet_total: bool = False
    retained_from: str = "fiscal_year"
    max_report_months: int | None = None
    count_in_queries: bool = True
    fault_style: str = "plain"
    late_capture: str = "error"
    largest_page: int | None = None


class Realm:
    """One company. Its methods may be called from any thread: one at a time works on it."""

    def __init__(self, company: Company, world: World) -> None:
        self.company = company
        self.behaviour = Behaviour(
            language=company.language,
            renamed=dict(company.renamed_sections),
            locale=company.locale,
            cash_flow_form=company.cash_flow_form,
            balance_sheet_total=company.balance_sheet_total,
        )
        self.lock = threading.RLock()
        self._world = world
        self._ledger: Ledger | None = None
        self._rows: dict[str, tuple[int, list[Row]]] = {}
        self._json: dict[tuple[str, int], tuple[int, bytes]] = {}

    def follow(self, world: World) -> None:
        """Live on to ``world``'s instant; another seed or an earlier day starts the books anew."""
        with self.lock:
            if world == self._world:
                return
            before, self._world = self._world, world
            if self._ledger is None:
                return
            if (before.seed, before.base) == (world.seed, world.base) and world.days > before.days:
                self._ledger.continue_until(world.last_day(self.company.zone))
            else:
                self._ledger = None
                self._rows.clear()
                self._json.clear()

    @property
    def now(self) -> datetime:
        return self._world.now

    @property
    def ledger(self) -> Ledger:
        """The company's ledger, generated when it is first asked for."""
        if self._ledger is None:
            self._ledger = Ledger(self.company, self._world)
        return self._ledger

    def query(self, text: str) -> bytes:
        """The answer to a query, JSON encoded."""
        with self.lock:
            query = parse(text)
            found = select(self._all(query.entity), query)
            if query.count:
                counted = {"totalCount": len(found)} if self.behaviour.count_in_queries else {}
                return self._answer(encode(counted))
            size = min(query.size, self.behaviour.largest_page or query.size)
            page = found[query.start - 1 : query.start - 1 + size]
            if not page:
                return self._answer(b"{}")
            listed = b",".join(self._projected(row, query) for row in page)
            return self._answer(
                b'{"%s":[%s],"startPosition":%d,"maxResults":%d}'
                % (query.entity.encode(), listed, query.start, len(page))
            )

    def capture(self, entities: str, since: str) -> bytes:
        """What changed since an instant, by entity; at most a thousand objects, and no word about the rest."""
        with self.lock:
            names = [name.strip() for name in entities.split(",") if name.strip()]
            if not names:
                raise invalid_query("entities is required")
            for name in names:
                if name not in ENTITIES or name in SINGLETONS:
                    raise invalid_query(f"Entity {name} is not supported by change data capture")
            if not since:
                raise invalid_query("changedSince is required")
            start = parse_instant(since)
            oldest = int(self.now.timestamp()) - CAPTURE_DAYS * 86_400
            if start < oldest:
                if self.behaviour.late_capture == "error":
                    raise invalid_query(f"changedSince {since} is more than {CAPTURE_DAYS} days ago")
                start = oldest
            left = CAPTURE_OBJECTS
            responses = []
            payloads = Payloads(self.ledger.books)
            for name in names:
                changed = [row for row in self._all(name) if row.stamp.updated >= start]
                changed.sort(key=lambda row: (row.stamp.updated, row.id))
                shown = changed[:left]
                left -= len(shown)
                if not shown:
                    responses.append(b"{}")
                    continue
                listed = b",".join(
                    encode(payloads.deleted(row)) if row.deleted else self._encoded(row) for row in shown
                )
                responses.append(
                    b'{"%s":[%s],"startPosition":1,"maxResults":%d,"totalCount":%d}'
                    % (name.encode(), listed, len(shown), len(shown))
                )
            return b'{"CDCResponse":[{"QueryResponse":[%s]}],"time":%s}' % (b",".join(responses), self._time())

    def read(self, entity: str, number: str) -> bytes:
        """One record by its id."""
        with self.lock:
            name = next((known for known in ENTITIES if known.lower() == entity.lower()), None)
            if name is None:
                raise ApiError(400, "2020", "Required param missing", f"Unsupported operation: {entity}")
            for row in self._all(name):
                if not row.deleted and (str(row.id) == number or name in SINGLETONS):
                    return b'{"%s":%s,"time":%s}' % (name.encode(), self._encoded(row), self._time())
            raise not_found(f"{name} {number}")

    def report(self, name: str, params: Mapping[str, str]) -> bytes:
        """A report, JSON encoded. Raises ApiError 504 where it covers more months than this company can do."""
        with self.lock:
            quirks = Quirks(
                labels=Labels(self.behaviour.language, self.behaviour.renamed),
                locale=self.behaviour.locale,
                cash_flow_form=self.behaviour.cash_flow_form,
                balance_sheet_total=self.behaviour.balance_sheet_total,
                retained_from=self.behaviour.retained_from,
            )
            written = write_report(name, params, self.ledger, quirks, self.now)
            limit = self.behaviour.max_report_months
            if limit is not None and _months(written["Header"]) > limit:
                raise ApiError(504, "", "Gateway Timeout", "The report took too long", "SystemFault")
            return encode(written)

    def _all(self, entity: str) -> list[Row]:
        books = self.ledger.books
        kept = self._rows.get(entity)
        if kept is None or kept[0] != books.version:
            kept = self._rows[entity] = (books.version, list(Payloads(books).rows(entity)))
        return kept[1]

    def _encoded(self, row: Row) -> bytes:
        kept = self._json.get((row.entity, row.id))
        if kept is None or kept[0] != row.stamp.version:
            kept = self._json[row.entity, row.id] = (row.stamp.version, encode(row.payload()))
        return kept[1]

    def _projected(self, row: Row, query: Query) -> bytes:
        if not query.columns:
            return self._encoded(row)
        payload = row.payload()
        unknown = [column for column in query.columns if column not in payload and "." in column]
        if unknown:
            raise invalid_query(f"Property {unknown[0]} not found for Entity {query.entity}")
        kept = {"domain", "sparse", "Id", "MetaData", *query.columns}
        return encode({key: value for key, value in payload.items() if key in kept})

    def _answer(self, response: bytes) -> bytes:
        return b'{"QueryResponse":%s,"time":%s}' % (response, self._time())

    def _time(self) -> bytes:
        return encode(instant(self.now))


def _months(header: Mapping[str, Any]) -> int:
    first, last = (datetime.fromisoformat(header[key]) for key in ("StartPeriod", "EndPeriod"))
    return (last.year - first.year) * 12 + last.month - first.month + 1
