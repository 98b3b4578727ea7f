"""An account as the server holds it: its life, its tokens, its limits and the quirks somebody asked for."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from orchestration.demo.world import World
from orchestration.demo.zoom.accounts import ZoomAccount
from orchestration.demo.zoom.errors import throttled
from orchestration.demo.zoom.life import Life

TOKEN_SECONDS = 3599
PAGE_TOKEN_SECONDS = 900
# Requests a second by weight; resource-intensive ones by the minute.
PLANS = {
    "free": {"light": 4, "medium": 2, "heavy": 1},
    "pro": {"light": 30, "medium": 20, "heavy": 10},
    "business": {"light": 80, "medium": 60, "heavy": 40},
}
PHONE_PLANS = {
    "free": {"light": 20, "medium": 10, "heavy": 5},
    "pro": {"light": 20, "medium": 10, "heavy": 5},
    "business": {"light": 40, "medium": 20, "heavy": 10},
}


@dataclass
class Quirks:
    """How the server behaves where Zoom is known to, or where nobody knows how it does.

    arrays
        Which lists an answer of the call history has: ``both``, ``call_history`` or ``call_logs``.
    past_end
        What the call history's token leads to behind the last page: ``none`` (there is no such token), ``empty`` (a
        token and an empty page, for ever), ``same`` (the same token and the last page again).
    counts
        Whether lists say how many records and pages there are.
    counts_of_page
        Whether ``total_records`` counts the answer's own records, not the list's.
    days
        By which zone ranges are cut: ``utc`` or ``account``.
    to_excluded
        Whether the day that ``to`` names is left out of what a range holds.
    whole_months
        Whether the daily report lists every day of a month, those to come as zeros.
    counted_until
        The last day that the daily report has counted; later ones are zeros there. None: it is never behind.
    kept_days
        Days that ranges reach back; None: six months.
    knows_alone
        Whether meetings that one person was in can be asked for (``type=pastOne``).
    too_old
        What happens to ranges older than six months: ``refuse`` or ``clamp``.
    retry_after
        How 429 answers say how long to wait: seconds, date, iso, none.
    tells_limits
        Whether every answer tells its limit in headers.
    shapes
        Per list, how long the next pages shall be; 0 is an empty page, None as asked.
    repeats
        Lists whose pages all link to one and the same token.
    raw
        List -> JSON texts that stand in it instead of its records, as they are.
    """

    arrays: str = "both"
    past_end: str = "none"
    counts: bool = True
    counts_of_page: bool = False
    days: str = "utc"
    to_excluded: bool = False
    whole_months: bool = False
    counted_until: date | None = None
    kept_days: int | None = None
    knows_alone: bool = True
    too_old: str = "refuse"
    retry_after: str = "seconds"
    tells_limits: bool = False
    used_up: bool = False
    shapes: dict[str, deque[int | None]] = field(default_factory=dict)
    repeats: set[str] = field(default_factory=set)
    raw: dict[str, list[str]] = field(default_factory=dict)


class Account:
    """One account behind its app's credentials.

    ahead
        How far its clock was moved past the world's.
    lock
        Held while a request is answered; whoever changes the account from another thread takes it.
    """

    def __init__(self, facts: ZoomAccount, world: World) -> None:
        self.facts = facts
        self.quirks = Quirks()
        self.missing_scopes = set(facts.missing_scopes)
        self.has_phone = facts.has_phone
        self.plan = facts.plan
        self.refused = False
        self.life = Life(facts, world.seed, world.base)
        self.lock = threading.RLock()
        self.ahead = timedelta()
        self.now = world.now
        self.tokens: dict[str, datetime] = {}
        self._world = world
        self._calls: dict[tuple[bool, str], deque[float]] = defaultdict(deque)

    @property
    def cut(self) -> ZoneInfo:
        """The zone that ranges of dates are cut by."""
        return self.facts.zone if self.quirks.days == "account" else ZoneInfo("UTC")

    def follow(self, world: World) -> None:
        """Live on to the world's instant; another world or an earlier day starts the account's life anew."""
        before, self._world = self._world, world
        if (before.seed, before.base) != (world.seed, world.base) or world.days < before.days:
            self.life = Life(self.facts, world.seed, world.base)
        self.now = world.now + self.ahead
        self.life.continue_until(self.now)

    def issue(self) -> str:
        """A new access token; those before stay good until their own end."""
        token = f"eyJzdiI6IjAwMDAwMSJ9.{self.facts.slug}.{len(self.tokens) + 1:06d}"
        self.tokens[token] = self.now + timedelta(seconds=TOKEN_SECONDS)
        return token

    def knows(self, token: str, now: datetime) -> bool:
        return self.tokens.get(token, now) > now

    def expire_tokens(self) -> None:
        """End every access token that is out."""
        self.tokens = dict.fromkeys(self.tokens, self.now)

    def limit(self, phone: bool, weight: str) -> int | None:
        """Requests of a weight in a second; None: no limit."""
        return (PHONE_PLANS if phone else PLANS)[self.plan][weight] if self.plan else None

    def count(self, phone: bool, weight: str) -> None:
        """Count one request in real time, as a client's speed is real; raises the 429 of the limit it exceeds."""
        most, style = self.limit(phone, weight), self.quirks.retry_after
        if self.quirks.used_up:
            raise throttled(weight, most, style, self.now, daily=True)
        recent, now = self._calls[phone, weight], time.monotonic()
        while recent and recent[0] <= now - 1.0:
            recent.popleft()
        if most is not None and len(recent) >= most:
            raise throttled(weight, most, style, self.now)
        recent.append(now)
