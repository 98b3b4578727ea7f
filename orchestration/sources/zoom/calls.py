"""Zoom Phone's calls and the account's daily report."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from orchestration.sources.core.records import Extract, Record
from orchestration.sources.zoom.api import AccountApi, Row
from orchestration.sources.zoom.days import (
    COVERED,
    HAD_SINCE,
    READ_AT,
    Plan,
    local_date,
    month_of,
    months_of,
    shifted,
)
from orchestration.sources.zoom.faults import NOT_VALID, Refused
from orchestration.sources.zoom.paging import listed
from orchestration.sources.zoom.ranges import Reach


def begin(api: AccountApi, plan: Plan, notes: list[str]) -> Extract:
    """An extract whose state says what will have been read; a window leaves none."""
    state = {READ_AT: api.now().isoformat(timespec="seconds"), COVERED: plan.covered().written()}
    if plan.had_since is not None:
        state[HAD_SINCE] = plan.had_since.isoformat()
    return Extract(records=(), mode="incremental", state=state, notes=notes, reread_days=plan.reread_days)


def read_calls(api: AccountApi, plan: Plan, notes: list[str]) -> Extract:
    """Calls that started in the plan's days, month by month. Key: ``call_history_uuid``, of older answers ``id``."""
    extract = begin(api, plan, notes)

    def records() -> Iterator[Record]:
        def pages(first: date, last: date) -> Iterator[list[Row]]:
            return call_pages(api, first, last, notes)

        reach = Reach.of(plan, api)
        for row in reach.rows(pages, call_key):
            if plan.keeps(local_date(row.get("start_time"), api.zone)):
                yield Record(call_key(row), row)
        reach.settle(plan, extract)

    extract.records = records()
    return extract


def call_pages(api: AccountApi, first: date, last: date, notes: list[str]) -> Iterator[list[Row]]:
    """Calls of one window, page by page."""
    what = f"calls from {first} to {last}"
    return listed(lambda token: api.calls(first, last, token), what=what, key=call_key, notes=notes, counted=True)


def call_key(row: Row) -> str:
    """What names one leg of a call."""
    return str(row.get("call_history_uuid") or row.get("id") or "")


def read_daily_report(api: AccountApi, plan: Plan, notes: list[str]) -> Extract:
    """The report's days by month, key the date; the current month and the one before it are always among them."""
    extract = begin(api, plan, notes)
    months = months_of(plan.first, plan.last)
    if plan.kept is None and len(months) == 1:
        months.insert(0, shifted(months[0], -1))
        extract.reread_days = (plan.last - months[0]).days + 1

    def records() -> Iterator[Record]:
        for month in months:
            try:
                rows = api.daily(month).rows
            except Refused as error:
                # A month that has begun here need not have begun where the account is.
                if error.code == NOT_VALID and month > month_of((api.now() - timedelta(days=1)).date()):
                    continue
                # The month in which the six months begin is refused or told in part, as Zoom sees fit.
                if error.code != NOT_VALID or month != months[0] or len(months) == 1:
                    raise
                notes.append(f"{month:%Y-%m} can't be had: {error.message}")
                extract.state[COVERED] = plan.covered(shifted(month, 1)).written()
                continue
            for row in rows:
                day = _report_date(row.get("date"))
                if plan.keeps(day):
                    yield Record(str(row.get("date") or ""), row)

    extract.records = records()
    return extract


def _report_date(text: object) -> date | None:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None
