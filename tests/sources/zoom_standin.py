"""Zoom for the suite: two accounts without anybody in them, whose phone users it makes and changes."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
from standin import ONE, TWO, StandIn, Window

from orchestration.demo.world import World
from orchestration.demo.zoom.account import Account
from orchestration.demo.zoom.accounts import blank_account
from orchestration.demo.zoom.records import Leg, Meeting, Person, Stay
from orchestration.demo.zoom_server import running
from orchestration.sources.zoom import limits

NO_REFRESH = "there is no refresh token: every session asks for an access token with the client's secret"
FULL = "users are read whole every night, calls and meetings by their days: nothing is searched by when it changed"
ZONE = ZoneInfo("America/Chicago")


class Zoom(StandIn):
    """Phone users are listed whole; calls, meetings and reports belong to days."""

    source, stream, page = "zoom", "phone_users", 100
    pages = ("/phone/users", " activate")
    content = "{name}"
    deadline = "orchestration.sources.zoom.api.DEADLINE"
    gap_days = 190
    # Zoom Phone's and that of all others.
    quotas = 2
    secrets = ("client_secret",)
    not_applicable: ClassVar[dict[str, str]] = {
        "1": NO_REFRESH,
        "2": NO_REFRESH,
        "F9": NO_REFRESH,
        "14": FULL,
        "16a": FULL,
        "F20": FULL,
        "F21": FULL,
        "17": "Zoom neither merges records nor brings back what was deleted",
        "F25": "no day is rewritten under new ids: what shows late is added to its day (15, 19)",
        "F41": "no record tells when it was changed: of two under one id, the one that came last lands",
    }

    @classmethod
    @contextmanager
    def start(cls, patch: pytest.MonkeyPatch) -> Iterator[Zoom]:
        # The accounts have no limits, so the suite need not wait for any; F18 puts them back.
        patch.setattr(limits, "SHARE", 10_000.0)
        with running(accounts=[blank_account(slug, lists_zero_days=False) for slug in (ONE, TWO)]) as server:
            standin = cls()
            standin.server = server
            standin.listen()
            yield standin

    def settings(self, account: str) -> dict[str, Any]:
        return self.server.connection(account) | {"plan": "pro"}

    def secret_values(self) -> list[str]:
        accounts = self.server.service.accounts.values()
        issued = [token for account in accounts for token in account.tokens]
        return [*issued, *(account.facts.client_secret for account in accounts)]

    def refuse(self, account: str) -> None:
        self.server.account(account).refused = True

    @contextmanager
    def account(self, account: str = ONE) -> Iterator[Account]:
        held = self.server.account(account)
        with held.lock:
            yield held

    def keys(self, account: str = ONE) -> set[str]:
        with self.account(account) as held:
            return {person.id for person in held.life.people if person.phone_status(held.now)}

    def make(self, count: int, account: str = ONE) -> list[str]:
        with self.account(account) as held:
            first = len(held.life.people)
            made = [self._person(held, number) for number in range(first, first + count)]
            held.life.people += made
            return [person.id for person in made]

    def _person(self, held: Account, number: int) -> Person:
        at = held.now - timedelta(days=30)
        # Without meetings of their own: whoever hosts is asked for those of every month, and the suite is about phones.
        return Person(f"u{number:05d}", f"ada.{number}@example.com", "Ada", at, at, extra={"may_not_host": True})

    def _find(self, held: Account, key: str) -> Person:
        return next(person for person in held.life.people if person.id == key)

    def edit(self, key: str, at: datetime | None = None) -> str:
        with self.account() as held:
            person = self._find(held, key)
            person.name += "!"
            return person.name

    def delete(self, key: str) -> None:
        with self.account() as held:
            # The licence is taken away; the user stays.
            self._find(held, key).phone = False

    destroy = delete

    def record_text(self, key: str, members: str, updated: datetime | None = None) -> str:
        return f'{{"id":"{key}","status":"activate",{members}}}'

    def serve(self, *records: str) -> None:
        with self.account() as held:
            held.quirks.raw["phone_users"] = list(records)

    def expire(self, account: str = ONE) -> None:
        with self.account(account) as held:
            held.expire_tokens()

    def refreshes(self) -> list[str]:
        return [asked.token for asked in self.asked() if asked.path == "/oauth/token"]

    def use_up_quota(self) -> None:
        with self.account() as held:
            held.quirks.used_up = True

    def odd_pages(self) -> None:
        with self.account() as held:
            held.quirks.shapes["phone_users"] = deque([100, 0, 0, 17, 1, 0, None])

    def repeat_pages(self) -> None:
        self.make(2 * self.page)
        with self.account() as held:
            held.quirks.repeats = {"phone_users"}

    def past_end(self) -> tuple[str, set[str]]:
        made = self._call_at(*(datetime(2026, 11, 2, 9, tzinfo=ZONE) + timedelta(minutes=n) for n in range(301)))
        with self.account() as held:
            held.quirks.past_end, held.quirks.arrays = "same", "both"
        return "call_history", set(made)

    def expiring_page(self) -> tuple[str, set[str]]:
        stream, made = self.past_end()
        due = ["now"]

        def quarter_of_an_hour_later(text: str) -> None:
            if "/phone/call_history" in text and len(text) > 120 and due:
                due.clear()
                self.server.service.accounts[ONE].ahead += timedelta(minutes=16)

        self.before(quarter_of_an_hour_later)
        return stream, made

    def slashed_ids(self) -> tuple[str, set[str]]:
        uuids = ["/ab1Cd==", "ab//cD+/==", "ab/cD+==", "plain=="]
        with self.account() as held:
            host = self._person(held, 0)
            host.extra.clear()
            held.life.people.append(host)
            for number, uuid in enumerate(uuids):
                start = datetime(2026, 11, 3, 15, number, tzinfo=UTC)
                end = start + timedelta(minutes=10)
                # Zoom tells who was in a meeting of two and more alone.
                stays = [Stay(user, name, "", start, end) for user, name in (("16778240", "Ada"), ("16778241", "Bo"))]
                held.life.meetings.append(Meeting(uuid, number, host, "Sync", start, end, stays, end))
        return "participants", {
            json.dumps([uuid, user, f"2026-11-03T15:0{number}:00Z"])
            for number, uuid in enumerate(uuids)
            for user in ("16778240", "16778241")
        }

    def calendar(self) -> tuple[str, list[tuple[Window, set[str]]]]:
        # Zoom keeps six months: at this instant a leap day and a change of clocks are among them.
        self.server.service.world._world = World(base=datetime(2024, 8, 15, 13, tzinfo=UTC))
        first = [date(2024, 2, 17), date(2024, 3, 1), date(2024, 3, 10), date(2024, 3, 11), date(2024, 5, 1)]
        last = [*(day - timedelta(days=1) for day in first[1:]), date(2024, 8, 15)]
        windows: list[tuple[Window, set[str]]] = []
        for start, end in zip(first, last, strict=True):
            after = datetime.combine(end + timedelta(days=1), time(), ZONE).astimezone(UTC)
            edges = [datetime.combine(start, time(), ZONE), after - timedelta(seconds=1)]
            edges[1] = min(edges[1], self.now - timedelta(seconds=1))
            windows.append(((start, end), set(self._call_at(*edges))))
        return "call_history", windows

    def make_recent(self, count: int, account: str = ONE) -> str:
        at = self.now - timedelta(days=1)
        self._call_at(*(at + timedelta(minutes=number) for number in range(count)), account=account)
        return "call_history"

    def lose_recent(self) -> None:
        with self.account() as held:
            held.life.legs.clear()

    def _call_at(self, *starts: datetime, account: str = ONE) -> list[str]:
        with self.account(account) as held:
            legs = held.life.legs
            made = []
            for start in starts:
                number, at = len(legs), start.astimezone(UTC)
                legs.append(Leg(f"leg{number:05d}", f"call{number:05d}", "inbound", at, 60, "answered", at))
                made.append(legs[-1].uuid)
            return made

    def tighten_own_limit(self, patch: pytest.MonkeyPatch) -> list[str]:
        patch.setattr(limits, "SHARE", 0.9)
        with self.account() as held:
            held.plan = "pro"
        self.server.service.accounts[ONE].quirks.retry_after = "none"
        return ["daily_report", "call_history"]

    def hide(self) -> tuple[str, str, str, str]:
        (key,) = self.make(1)
        with self.account() as held:
            self._find(held, key).left = held.now
        return "phone_users", key, "{status}", "deactivate"
