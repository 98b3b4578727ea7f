"""A portal as the server holds it: its CRM, its limits and the quirks somebody asked for."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from datetime import date, datetime

from orchestration.demo.crm.formats import local_date, to_datetime, to_ms
from orchestration.demo.crm.life import Life
from orchestration.demo.crm.portals import Portal
from orchestration.demo.crm.store import Crm
from orchestration.demo.hubspot.asking import Call
from orchestration.demo.hubspot.limits import Meter
from orchestration.demo.world import World


class Account:
    """One portal behind one token.

    ahead_ms
        How far its clock was moved past the world's, for tests that need seconds.
    shapes
        Per kind, how long the next list pages shall be: a number of records (0 is an empty page that still links to
        the next), or None for a page as asked.
    repeat_after
        Kinds whose list pages all link to one and the same page.
    ignores_archived
        Whether lists and batches answer with live records where archived ones are asked for.
    raw
        (kind, id) -> what stands in lists and searches where the record belongs: one JSON object or several with
        commas between, sent as they are, however wrong.
    before_page
        Called with (kind, how many pages of it were answered) before a list or search page is made.
    found
        Results of the last searches.
    lock
        Held while a request is answered; whoever changes the CRM from another thread takes it.
    """

    def __init__(self, portal: Portal, world: World) -> None:
        self.portal = portal
        self.life = Life(portal, world.seed, world.base)
        self._world = world
        self.meter = Meter(portal.limits, portal.hub_id)
        self.missing_scopes = set(portal.missing_scopes)
        self.search_lag_ms = portal.search_lag_seconds * 1000
        self.ahead_ms = 0
        self.revoked = False
        self.shapes: dict[str, deque[int | None]] = {}
        self.repeat_after: set[str] = set()
        self.ignores_archived = False
        self.raw: dict[tuple[str, int], bytes] = {}
        self.before_page: Callable[[str, int], None] | None = None
        self.now = to_ms(world.now)
        self.found: dict[tuple, list] = {}
        self.lock = threading.RLock()
        self._pages: dict[str, int] = {}

    @property
    def crm(self) -> Crm:
        return self.life.crm

    @property
    def today(self) -> date:
        return local_date(self.now, self.portal.zone)

    @property
    def instant(self) -> datetime:
        return to_datetime(self.now)

    def follow(self, world: World) -> None:
        """Live on to the world's instant; another world or an earlier day starts the portal's life anew."""
        before, self._world = self._world, world
        if (before.seed, before.base) != (world.seed, world.base) or world.days < before.days:
            self.life = Life(self.portal, world.seed, world.base)
            self.found.clear()
        self.now = to_ms(world.now) + self.ahead_ms
        self.life.continue_until(self.now)

    def archived_asked(self, call: Call) -> bool:
        """Whether a list or batch is to answer with archived records."""
        return call.flag("archived") and not self.ignores_archived

    def page_begins(self, kind: str) -> int | None:
        """Announce a page; gives the length somebody asked it to have, if any."""
        if self.before_page is not None:
            self.before_page(kind, self._pages.get(kind, 0))
        self._pages[kind] = self._pages.get(kind, 0) + 1
        shapes = self.shapes.get(kind)
        return shapes.popleft() if shapes else None
