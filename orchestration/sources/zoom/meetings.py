"""Past meetings, host by host, and who was in them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from orchestration.sources.core.records import Extract, Record
from orchestration.sources.zoom.api import ALONE, TOGETHER, AccountApi, Row
from orchestration.sources.zoom.calls import begin
from orchestration.sources.zoom.days import COVERED, TRAILING, Plan, local_date
from orchestration.sources.zoom.directories import members
from orchestration.sources.zoom.faults import Gone, Refused
from orchestration.sources.zoom.paging import listed
from orchestration.sources.zoom.ranges import Reach
from orchestration.sources.zoom.streams import USERS

# Whoever was deactivated hosted meetings before.
_HOSTS = ("active", "inactive")
# Webinars are listed among the meetings, and who was in one is another question.
_WEBINARS = {5, 6, 9}
# Skipped hosts and meetings named one by one in the notes of a run.
_NAMED = 5


@dataclass
class MeetingReader:
    """Meetings of one session. What was listed for the meetings themselves serves for their participants, too."""

    api: AccountApi
    _hosts: list[str] | None = None
    _tells_alone: bool = True
    _listed: dict[tuple[date, date], tuple[Reach, dict[date, list[str]]]] = field(default_factory=dict)

    def read_meetings(self, plan: Plan, notes: list[str]) -> Extract:
        """Meetings of all hosts in the plan's days; key: the occurrence's uuid."""
        extract = begin(self.api, plan, notes)

        def records() -> Iterator[Record]:
            for row, day in self._meetings(plan, notes):
                if plan.keeps(day):
                    yield Record(meeting_key(row), row)
            self._listed[plan.first, plan.last][0].settle(plan, extract)

        extract.records = records()
        return extract

    def read_participants(self, plan: Plan, most: int, notes: list[str]) -> Extract:
        """Who was in the plan's meetings, the latest days first; key: meeting, participant and when they joined.

        About ``most`` meetings are asked for, in whole days: what is left is for the next runs, as the state tells
        which days have been read. A window is read to its end.
        """
        extract = begin(self.api, plan, notes)
        # As many as a run may ask for.
        extract.reread_days = 0

        def records() -> Iterator[Record]:
            asked, skipped = 0, list[str]()
            reach, by_day = self._by_day(plan, notes)
            had = reach.settle(plan, extract)
            for day in sorted(by_day, reverse=True):
                if plan.kept is None:
                    if plan.since is not None and day in plan.before and day < plan.since - TRAILING:
                        continue
                    if asked >= most:
                        left = sum(len(found) for one, found in by_day.items() if one <= day and one not in plan.before)
                        notes.append(f"participants of {left} meetings up to {day} are left for the next runs")
                        extract.state[COVERED] = had.covered(day + timedelta(days=1)).written()
                        break
                for uuid in by_day[day]:
                    asked += 1
                    yield from self._participants(uuid, notes, skipped)
            _tell(notes, "meetings", skipped)

        extract.records = records()
        return extract

    def _participants(self, uuid: str, notes: list[str], skipped: list[str]) -> Iterator[Record]:
        def key(row: Row) -> str:
            return participant_key(uuid, row)

        try:
            for rows in listed(
                lambda token: self.api.participants(uuid, token), what=f"participants of {uuid}", key=key, notes=notes
            ):
                for row in rows:
                    yield Record(key(row), {"meeting_uuid": uuid, **row})
        except Gone as error:
            skipped.append(f"{uuid} ({error.message})")

    def _by_day(self, plan: Plan, notes: list[str]) -> tuple[Reach, dict[date, list[str]]]:
        """Uuids of meetings by local date; listed now unless the meetings' own stream did so in this session."""
        span = (plan.first, plan.last)
        if span not in self._listed:
            for _ in self._meetings(plan, notes):
                pass
        reach, listed_days = self._listed[span]
        return reach, {day: uuids for day, uuids in listed_days.items() if plan.keeps(day)}

    def _meetings(self, plan: Plan, notes: list[str]) -> Iterator[tuple[Row, date | None]]:
        """Every meeting of every host. Of those that one was in, Zoom has no list of who."""
        found: dict[date, dict[str, None]] = defaultdict(dict)
        skipped: list[str] = []
        reach = Reach.of(plan, self.api)
        for host in self._all_hosts(notes):

            def pages(first: date, last: date, host: str = host) -> Iterator[list[Row]]:
                return meeting_pages(self.api, host, first, last, notes)

            def alone(first: date, last: date, host: str = host) -> Iterator[list[Row]]:
                return self._alone(host, first, last, notes)

            given: set[str] = set()
            try:
                for row in reach.rows(pages, meeting_key):
                    day = local_date(row.get("start_time"), self.api.zone)
                    given.add(meeting_key(row))
                    if day is not None and row.get("uuid") and row.get("type") not in _WEBINARS:
                        found[day][str(row["uuid"])] = None
                    yield row, day
                for row in reach.rows(alone, meeting_key):
                    # Where a server knows one list only, it comes twice.
                    if meeting_key(row) not in given:
                        yield row, local_date(row.get("start_time"), self.api.zone)
            except Gone as error:
                skipped.append(f"{host} ({error.message})")
        _tell(notes, "hosts", skipped)
        self._listed[plan.first, plan.last] = reach, {day: list(uuids) for day, uuids in found.items()}

    def _alone(self, host: str, first: date, last: date, notes: list[str]) -> Iterator[list[Row]]:
        """Meetings that one was in; none from when on Zoom does not know the question, which is said once."""
        if not self._tells_alone:
            return
        try:
            yield from meeting_pages(self.api, host, first, last, notes, ALONE)
        except Refused as error:
            if not error.is_not_valid:
                raise
            self._tells_alone = False
            notes.append(f"meetings that one person was in can't be had: {error.message}")

    def _all_hosts(self, notes: list[str]) -> list[str]:
        if self._hosts is None:
            pages = (rows for status in _HOSTS for rows in members(self.api, USERS, status, notes))
            self._hosts = list(dict.fromkeys(str(row["id"]) for rows in pages for row in rows if row.get("id")))
        return self._hosts


def meeting_pages(
    api: AccountApi, host: str, first: date, last: date, notes: list[str], kind: str = TOGETHER
) -> Iterator[list[Row]]:
    """A host's meetings of one kind in one range, page by page."""
    what = f"meetings of {host} from {first} to {last}"
    return listed(lambda token: api.meetings(host, first, last, token, kind), what=what, key=meeting_key, notes=notes)


def meeting_key(row: Row) -> str:
    """What names one occurrence of a meeting."""
    if row.get("uuid"):
        return str(row["uuid"])
    return json.dumps([row.get("id"), row.get("start_time")], default=str) if row.get("start_time") else ""


def participant_key(uuid: str, row: Row) -> str:
    """A stay of one participant: whoever leaves and joins again is in the list twice."""
    who = row.get("user_id") or row.get("id") or row.get("name")
    return json.dumps([uuid, str(who), row.get("join_time")], default=str) if who and row.get("join_time") else ""


def _tell(notes: list[str], what: str, skipped: list[str]) -> None:
    if skipped:
        more = f" and {len(skipped) - _NAMED} more" if len(skipped) > _NAMED else ""
        notes.append(f"{len(skipped)} {what} skipped: {'; '.join(skipped[:_NAMED])}{more}")
