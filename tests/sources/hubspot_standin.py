"""HubSpot for the suite: two portals without records, whose contacts it makes and changes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
from standin import ONE, TWO, StandIn, Window

from orchestration.demo.crm.formats import to_ms
from orchestration.demo.crm.portals import Limits, blank_portal
from orchestration.demo.hubspot import search
from orchestration.demo.hubspot.account import Account
from orchestration.demo.hubspot_server import running
from orchestration.sources.hubspot import api

NO_TOKENS = "a private app's token is fixed: it does not expire, and nothing refreshes it"
ZONE = ZoneInfo("America/Chicago")


class HubSpot(StandIn):
    """Contacts are archived by users, may be restored, and are merged into each other."""

    source, stream, page = "hubspot", "contacts", 100
    pages = ("/objects/contacts", " 100 false")
    content = "{properties,firstname}"
    deadline = "orchestration.sources.hubspot.api.DEADLINE"
    gap_days = 91
    secrets = ("access_token",)
    not_applicable: ClassVar[dict[str, str]] = {
        "F24b": "records are searched by when they changed: a night without any is a quiet one; whole lists are F24",
        "1": NO_TOKENS,
        "2": NO_TOKENS,
        "4": NO_TOKENS,
        "F9": NO_TOKENS,
        "12": "the last page carries no next token, and each kind of record has one list",
        "13": "a page token says the last id read and does not expire",
        "16a": "changes are searched; a search that gives too few is case 14",
        "16d": "HubSpot hides nothing: what users delete is archived (16c)",
        "F25": "records have no days that are rewritten",
        "F26": "ids are numbers and are asked for in bodies",
    }

    @classmethod
    @contextmanager
    def start(cls, patch: pytest.MonkeyPatch) -> Iterator[HubSpot]:
        # The portals have no limits, so the suite need not wait for any; F18 puts them back.
        patch.setattr(api, "SEARCHES_PER_SECOND", 10_000)
        with running(portals=[blank_portal(ONE), blank_portal(TWO, hub_id=2)]) as server:
            standin = cls()
            standin.server = server
            standin.listen()
            yield standin

    def settings(self, account: str) -> dict[str, Any]:
        return self.server.connection(account)

    def secret_values(self) -> list[str]:
        return [self.settings(account)["access_token"] for account in (ONE, TWO)]

    def refuse(self, account: str) -> None:
        self.server.account(account).revoked = True

    @contextmanager
    def portal(self, account: str = ONE) -> Iterator[Account]:
        portal = self.server.account(account)
        with portal.lock:
            yield portal

    def keys(self, account: str = ONE) -> set[str]:
        with self.portal(account) as portal:
            return {str(contact.id) for contact in portal.crm.live("contacts")}

    def make(self, count: int, account: str = ONE) -> list[str]:
        with self.portal(account) as portal:
            return [str(portal.crm.create("contacts", portal.now, {"firstname": "Ada"}).id) for _ in range(count)]

    def edit(self, key: str, at: datetime | None = None) -> str:
        with self.portal() as portal:
            contact = portal.crm.records["contacts"][int(key)]
            name = f"{contact.get('firstname')}!"
            portal.crm.change(contact, to_ms(at) if at else portal.now, firstname=name)
            return name

    def delete(self, key: str) -> None:
        with self.portal() as portal:
            portal.crm.archive(portal.crm.records["contacts"][int(key)], portal.now)

    def destroy(self, key: str) -> None:
        with self.portal() as portal:
            portal.crm.purge(portal.crm.records["contacts"][int(key)])

    def record_text(self, key: str, members: str, updated: datetime | None = None) -> str:
        at = (updated or self.now).isoformat(timespec="seconds")
        return f'{{"id":"{key}","properties":{{}},"updatedAt":"{at}",{members}}}'

    def serve(self, *records: str) -> None:
        with self.portal() as portal:
            if not self.keys():
                portal.crm.create("contacts", portal.now, {}, 1)
            (first,) = self.keys()
            portal.raw["contacts", int(first)] = ",".join(records).encode()

    def use_up_quota(self) -> None:
        with self.portal() as portal:
            portal.meter.limits = replace(portal.meter.limits, per_day=0)

    def odd_pages(self) -> None:
        with self.portal() as portal:
            portal.shapes["contacts"] = deque([100, 0, 0, 17, 1, 0, None])

    def repeat_pages(self) -> None:
        self.make(2 * self.page)
        with self.portal() as portal:
            portal.repeat_after = {"contacts"}

    def lower_ceiling(self, patch: pytest.MonkeyPatch) -> list[int]:
        patch.setattr(search, "CEILING", 400)
        return [7198, 719869649082, 7199, *range(98, 1100, 2), *range(10**9, 10**9 + 400)]

    def make_with_ids(self, ids: Iterable[int]) -> None:
        with self.portal() as portal:
            for number in ids:
                portal.crm.create("contacts", portal.now, {"firstname": "Ada"}, number)

    def calendar(self) -> tuple[str, list[tuple[Window, set[str]]]]:
        first = [date(2024, 1, 1), date(2024, 3, 1), date(2024, 3, 10), date(2024, 3, 11), date(2024, 11, 3)]
        last = [*(day - timedelta(days=1) for day in first[1:]), date(2024, 12, 31)]
        windows: list[tuple[Window, set[str]]] = []
        with self.portal() as portal:
            for start, end in zip(first, last, strict=True):
                after = datetime.combine(end + timedelta(days=1), time(), ZONE)
                edges = (to_ms(datetime.combine(start, time(), ZONE)), to_ms(after) - 1)
                made = {str(portal.crm.create("contacts", at, {"firstname": "Ada"}).id) for at in edges}
                windows.append(((start, end), made))
        return "contacts", windows

    def tighten_own_limit(self, patch: pytest.MonkeyPatch) -> list[str]:
        patch.setattr(api, "SEARCHES_PER_SECOND", 4)
        with self.portal() as portal:
            portal.meter.limits = Limits()
        return ["contacts", "companies", "deals", "tickets", "products", "calls", "emails"]

    def merge(self, winner: str, loser: str) -> None:
        with self.portal() as portal:
            people = portal.crm.records["contacts"]
            portal.crm.merge(people[int(winner)], [people[int(loser)]], portal.now)

    def restore(self, key: str) -> None:
        with self.portal() as portal:
            portal.crm.restore(portal.crm.records["contacts"][int(key)], portal.now, touch=False)
