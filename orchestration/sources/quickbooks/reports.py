"""Financial reports, asked for half-year by half-year and landed month by month.

The books of past months change, and reports have no change capture. So every night the last months are read again, and
once a week all of them. A request always covers a whole half-year (as far as it lies between the first month and the
current one): then its months and its total are read at one instant, and no older total is left beside newer months.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from orchestration.errors import ConfigurationError, PermanentError, SourceError, TransientError
from orchestration.sources.core.instants import parse_iso
from orchestration.sources.core.records import Extract, Record
from orchestration.sources.quickbooks.api import Answer, CompanyApi
from orchestration.sources.quickbooks.faults import TooLarge
from orchestration.sources.quickbooks.months import (
    Month,
    half_year,
    half_years,
    last_day,
    month_of,
    shift,
)
from orchestration.sources.quickbooks.report_columns import (
    Column,
    NotByMonth,
    assign_columns,
    has_no_data,
    is_cut_off,
    pick_column,
)
from orchestration.sources.quickbooks.streams import ReportStream

TRAILING_MONTHS = 6
FULL_EVERY = timedelta(days=7)
NO_BASIS = "none"

# When the report was made and for which days it was asked: neither belongs to a month of it.
_VOLATILE = frozenset({"Time"})
_OF_THE_REQUEST = frozenset({"Time", "StartPeriod", "EndPeriod", "DateMacro"})


@dataclass
class ReportReader:
    """Reads the reports of one company.

    start
        The first month there is.
    accounting_method
        ``Accrual`` or ``Cash``; None leaves it to the company's preference.
    preferred_basis
        Asks for that preference: a new one has all months read again, and reports may not say their basis.
    """

    api: CompanyApi
    zone: ZoneInfo
    start: Month
    accounting_method: str | None
    preferred_basis: Callable[[], str | None]

    def read(self, stream: ReportStream, state: Mapping[str, Any] | None, window: tuple[date, date] | None) -> Extract:
        """The months that may have changed; all of them the first time, weekly, and after new settings or basis."""
        current = month_of(self.api.clocks.today(self.zone, self.start))
        if self.start > current:
            raise ConfigurationError(
                f"start_date lies in the future: {self.start}", hint="set it to the first month to be read."
            )
        extract = Extract(records=(), mode="incremental", state=dict(state or {}))
        if window is not None:
            # Months before start_date are read only as far as they are asked for.
            first = max(half_year(month_of(window[0]))[0], min(self.start, month_of(window[0])))
            last = min(half_year(month_of(window[1]))[1], current)
        else:
            first, last = self._first_due(stream, state, current, extract), current
        extract.records = self._records(stream, first, last, extract.notes)
        return extract

    def _first_due(
        self, stream: ReportStream, state: Mapping[str, Any] | None, current: Month, extract: Extract
    ) -> Month:
        state = state or {}
        now = self.api.clocks.earliest
        settings = {"start": self.start.isoformat(), "accounting_method": self.accounting_method}
        if stream.has_basis:
            # A company that changes its preference changes the basis of all its months.
            settings["basis"] = self.accounting_method or self._preferred_now() or state.get("basis")
        full_at = parse_iso(state.get("full_at"))
        due = full_at is None or now is None or now - full_at >= FULL_EVERY or now < full_at
        if not due and all(state.get(key) == value for key, value in settings.items()):
            return max(self.start, half_year(shift(current, 1 - TRAILING_MONTHS))[0])
        extract.state = {**settings, **({"full_at": now.isoformat(timespec="seconds")} if now else {})}
        return self.start

    def _preferred_now(self) -> str | None:
        """What the company prefers; None, which counts as unchanged, where it can't be asked."""
        try:
            return self.preferred_basis()
        except TransientError:
            return None

    def _records(self, stream: ReportStream, first: Month, last: Month, notes: list[str]) -> Iterator[Record]:
        for months in half_years(first, last):
            yield from self._half_year(stream, months, notes)

    def _half_year(self, stream: ReportStream, months: Sequence[Month], notes: list[str]) -> Iterator[Record]:
        """The months' records and the total's; a total that can't be read now is deleted, for it would go stale."""
        for sheet in self._sheets(stream, months, notes):
            yield from sheet.month_records()
            total = sheet.total_record(half_year(months[0]), covers=len(sheet.months) == len(months))
        yield total

    def _sheets(self, stream: ReportStream, months: Sequence[Month], notes: list[str]) -> Iterator[Sheet]:
        """The report of these months, in one or in halves and halves of halves."""
        try:
            sheet = self._ask(stream, months)
        except (NotByMonth, TooLarge, TransientError) as error:
            if len(months) == 1:
                raise _unreadable(stream, months[0], error) from error
            notes.append(f"{months[0]:%Y-%m} to {months[-1]:%Y-%m} asked for in parts: {_reason(error)}")
        else:
            yield sheet
            return
        middle = (len(months) + 1) // 2
        yield from self._sheets(stream, months[:middle], notes)
        yield from self._sheets(stream, months[middle:], notes)

    def _ask(self, stream: ReportStream, months: Sequence[Month]) -> Sheet:
        params = {
            "start_date": months[0].isoformat(),
            "end_date": last_day(months[-1]).isoformat(),
            "summarize_column_by": "Month",
        }
        if stream.has_basis and self.accounting_method:
            params["accounting_method"] = self.accounting_method
        # Fewer months are the better second attempt, as long as there are fewer.
        answer = self.api.report(stream.report, params, patient=len(months) == 1)
        if is_cut_off(answer.body.get("Rows")):
            raise NotByMonth("more cells than QuickBooks puts into one report")
        columns = assign_columns(answer.body, months)
        return Sheet(stream, self._basis(stream, answer), answer, columns.months, columns.total)

    def _basis(self, stream: ReportStream, answer: Answer) -> str:
        if not stream.has_basis:
            return NO_BASIS
        header = answer.body.get("Header")
        said = header.get("ReportBasis") if isinstance(header, Mapping) else None
        return str(said or self.accounting_method or self.preferred_basis() or "accrual").lower()


@dataclass(frozen=True)
class Sheet:
    """One answer: a report with a column for each of its months, and perhaps one for all of them."""

    stream: ReportStream
    basis: str
    answer: Answer
    months: Mapping[Month, Column | None]
    total: Column | None

    def month_records(self) -> Iterator[Record]:
        """A record for each month."""
        for month, column in self.months.items():
            period = (month, last_day(month))
            yield self._record(f"{month:%Y-%m}", column, period, is_total=False)

    def total_record(self, half: tuple[Month, Month], *, covers: bool) -> Record:
        """The half-year's total over the months read; its deletion where the report has none or not ``covers`` all."""
        if self.total is None or not covers:
            return Record(self._key(_span(*half)), None, deleted=True)
        period = (min(self.months), last_day(max(self.months)))
        return self._record(_span(*half), self.total, period, is_total=True)

    def _record(self, name: str, column: Column | None, period: tuple[date, date], *, is_total: bool) -> Record:
        header = self.answer.body.get("Header")
        header = header if isinstance(header, Mapping) else {}
        left_out = _VOLATILE if is_total else _OF_THE_REQUEST
        payload = {
            "report": self.stream.report,
            "basis": self.basis,
            "period_start": period[0].isoformat(),
            "period_end": period[1].isoformat(),
            "is_total": is_total,
            "no_data": has_no_data(self.answer.body),
            "Header": {key: value for key, value in header.items() if key not in left_out},
            "Column": column.as_received if column else None,
            "Rows": pick_column(self.answer.body.get("Rows") or {}, column.index if column else None),
        }
        return Record(self._key(name), payload, parse_iso(header.get("Time")) or self.answer.clocks.earliest)

    def _key(self, name: str) -> str:
        return f"{self.stream.report}|{self.basis}|{name}"


def _span(first: Month, last: Month) -> str:
    return f"{first:%Y-%m}..{last:%Y-%m}"


def _unreadable(stream: ReportStream, month: Month, error: NotByMonth | TooLarge | TransientError) -> Exception:
    if isinstance(error, TransientError):
        return error
    return PermanentError(
        f"{stream.report} of {month:%Y-%m} can't be read: {_reason(error)}",
        hint="one month is too much for one report, or the server does not answer as QuickBooks does.",
    )


def _reason(error: Exception) -> str:
    return error.message[:200] if isinstance(error, SourceError) else str(error)
