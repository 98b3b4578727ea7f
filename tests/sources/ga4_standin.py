"""GA4 for the suite: two properties with one exported date, whose sessions it makes and changes."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

import pytest
from standin import ONE, TWO, StandIn, Window

from orchestration.demo.ga4.app import Asked
from orchestration.demo.ga4.export import Table
from orchestration.demo.ga4.life import Row
from orchestration.demo.ga4.properties import blank_property
from orchestration.demo.ga4.tokens import make_key
from orchestration.demo.ga4_server import running
from orchestration.sources.ga4.reading import Pseudonyms

DAY = date(2026, 11, 19)
STREAM = "2345678901"
FIXED = "a service account's key is fixed: it signs for access tokens, and nothing rotates"
TABLES = "dates are read whole, by their tables: there is no search for changes, and no watermark that records set"
COLUMNS = "rows are the columns that one statement asks for, all of them texts and whole numbers: nothing else is sent"
SESSION = "the statement groups a date's events by session, so none comes twice"


class Ga4(StandIn):
    """Sessions come with their date's table and go when it is written anew without them."""

    source, stream, page = "ga4", "sessions", 100
    pages = ("/queries", "")
    content = "{events}"
    deadline = "orchestration.sources.ga4.bigquery.DEADLINE"
    gap_days = 60
    secrets = ("service_account", "user_key")
    not_applicable: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("1", "2", "F9"), FIXED),
        **dict.fromkeys(("14", "16a", "F18", "F20", "F21"), TABLES),
        **dict.fromkeys(("21", "22c", "22d"), COLUMNS),
        "F41": SESSION,
        "12": "the last page carries no next token",
        "13": "results of a job stay for a day, longer than a run",
        "16d": "sessions are not hidden: their date is written anew with them or without (16c)",
        "17": "sessions are neither archived nor merged: their date is written anew with them or without (16c)",
        "F26": "names of tables are digits and stand in no path as users wrote them",
    }
    # Names of screens are whatever developers wrote; the one of the n-th member is viewed n times.
    text_at = (
        "(select one ->> 'name' from jsonb_array_elements(payload -> 'screens') as one where one ->> 'views' = name)"
    )
    refused = ("Nul", "Half")

    @classmethod
    @contextmanager
    def start(cls, patch: pytest.MonkeyPatch) -> Iterator[Ga4]:
        with running(properties=[blank_property(ONE), blank_property(TWO)]) as server:
            standin = cls()
            standin.server = server
            server.service.api.page_rows = cls.page
            for account in (ONE, TWO):
                key = make_key(f"reader@project-{account}.iam.gserviceaccount.com")
                key.revoked = False
                server.service.tokens.keys[key.email] = key
                standin.write(account, DAY, [])
            standin.listen()
            yield standin

    def settings(self, account: str) -> dict[str, Any]:
        email = f"reader@project-{account}.iam.gserviceaccount.com"
        return self.server.connection(account) | {
            "service_account": make_key(email).json(f"{self.server.base_url}/token"),
            "user_key": f"what-{account}-hashes-with",
        }

    def secret_values(self) -> list[str]:
        found = [*self.server.service.tokens.issued]
        for account in (ONE, TWO):
            settings = self.settings(account)
            key = json.loads(settings["service_account"])
            found += [settings["user_key"], key["private_key"], key["private_key_id"], settings["service_account"]]
        return found

    def asked(self) -> list[Asked]:
        """Requests to BigQuery; tokens are Google's affair."""
        return [asked for asked in self.server.service.log if asked.path != "/token"]

    def refuse(self, account: str) -> None:
        email = f"reader@project-{account}.iam.gserviceaccount.com"
        tokens = self.server.service.tokens
        tokens.keys[email].revoked = True
        tokens.issued = {token: owner for token, owner in tokens.issued.items() if owner != email}

    def expire(self, account: str = ONE) -> None:
        self.server.service.tokens.issued.clear()

    def refreshes(self) -> list[str]:
        return list(self.server.service.tokens.asked)

    def use_up_quota(self) -> None:
        self.server.service.api.over_quota = True

    def write(self, account: str, day: date, rows: list[Row], streamed: bool = False) -> None:
        """Write a date's table anew."""
        name = f"events_{'intraday_' if streamed else ''}{day:%Y%m%d}"
        with self.server.service.lock:
            self.server.export(account).given[name] = Table(lambda: rows, self.now)

    def rows(self, account: str = ONE, day: date = DAY) -> list[Row]:
        """A copy of a date's events."""
        return list(self.server.export(account).given[f"events_{day:%Y%m%d}"].rows)

    def record_key(self, user: str, account: str = ONE, day: date = DAY) -> str:
        given = self.server.property(account)
        hashed = Pseudonyms(f"what-{account}-hashes-with", account, f"{given.project}.{given.dataset}")(user)
        return json.dumps([f"{day:%Y%m%d}", STREAM, hashed, 1])

    def keys(self, account: str = ONE) -> set[str]:
        rows = self.rows(account)
        nobodys = {_nobodys(row["stream_id"]) for row in rows if row["user_pseudo_id"] is None}
        return nobodys | {self.record_key(row["user_pseudo_id"], account) for row in rows if row["user_pseudo_id"]}

    def make_same(self, count: int, account: str = ONE) -> list[str]:
        """Of nobody, as of who gave no consent: without a user, nothing of the key is the organization's own."""
        rows = self.rows(account)
        streams = [str(number) for number in range(len(rows), len(rows) + count)]
        self.write(account, DAY, rows + [event(DAY, None, 0) | {"stream_id": stream} for stream in streams])
        return list(map(_nobodys, streams))

    def make(self, count: int, account: str = ONE) -> list[str]:
        rows = self.rows(account)
        names = [f"user-{number:06d}" for number in range(len(rows), len(rows) + count)]
        self.write(account, DAY, rows + [event(DAY, name, 0) for name in names])
        return [self.record_key(name, account) for name in names]

    def edit(self, key: str, at: datetime | None = None) -> str:
        rows = self.rows()
        own = [row for row in rows if self.record_key(row["user_pseudo_id"]) == key]
        self.write(ONE, DAY, [*rows, event(DAY, own[0]["user_pseudo_id"], len(own))])
        return str(len(own) + 1)

    def delete(self, key: str) -> None:
        self.write(ONE, DAY, [row for row in self.rows() if self.record_key(row["user_pseudo_id"]) != key])

    destroy = delete

    def rewrite_day(self) -> None:
        self.make(1)
        # As Google leaves it for some hours: streamed, too.
        self.write(ONE, DAY, self.rows(), streamed=True)

    def make_recent(self, count: int, account: str = ONE) -> str:
        self.write(account, DAY, [event(DAY, f"user-{number:06d}", 0) for number in range(count)])
        return self.stream

    def lose_recent(self) -> None:
        with self.server.service.lock:
            self.server.export(ONE).given.clear()

    def member(self, name: str) -> str:
        members = self.__dict__.setdefault("_members", {})
        return members.setdefault(name, str(len(members) + 1))

    def served(self, key: str) -> str:
        return self.record_key(key)

    def record_text(self, key: str, members: str, updated: datetime | None = None) -> str:
        return f'{{"user":"{key}",{members}}}'

    def serve(self, *records: str) -> None:
        rows = []
        for text in records:
            screens = json.loads(text)
            user = screens.pop("user")
            views = [name for name in screens for _ in range(int(self.member(name)))]
            rows += [viewed(DAY, user, number, screens[name]) for number, name in enumerate(views)]
        self.write(ONE, DAY, rows)

    def odd_pages(self) -> None:
        self.server.service.api.shapes = deque([100, 0, 0, 17, 1, 0, None])

    def repeat_pages(self) -> None:
        self.make(2 * self.page)
        self.server.service.api.repeats = True

    def calendar(self) -> tuple[str, list[tuple[Window, set[str]]]]:
        first = [date(2024, 1, 1), date(2024, 3, 1), date(2024, 3, 10), date(2024, 3, 11), date(2024, 11, 3)]
        last = [*(day - timedelta(days=1) for day in first[1:]), date(2024, 12, 31)]
        windows: list[tuple[Window, set[str]]] = []
        for start, end in zip(first, last, strict=True):
            for day in {start, end}:
                self.write(ONE, day, [event(day, "ann", 0)])
            windows.append(((start, end), {self.record_key("ann", ONE, day) for day in (start, end)}))
        return "sessions", windows


def _nobodys(stream: str) -> str:
    return json.dumps([f"{DAY:%Y%m%d}", stream, None, None])


def event(day: date, user: str | None, number: int) -> Row:
    """One event of a user's session 1."""
    at = datetime(day.year, day.month, day.day, 18, tzinfo=UTC) + timedelta(seconds=number)
    value = {"string_value": None, "int_value": 1, "float_value": None, "double_value": None}
    return {
        "event_date": f"{day:%Y%m%d}",
        "event_timestamp": int(at.timestamp()) * 1_000_000,
        "event_name": "user_engagement",
        "event_params": [{"key": "ga_session_id", "value": value}],
        "user_pseudo_id": user,
        "stream_id": STREAM,
        "platform": "IOS",
        "is_active_user": True,
    }


def viewed(day: date, user: str, number: int, screen: object) -> Row:
    """One view of a screen in a user's session 1."""
    value = {"string_value": str(screen), "int_value": None, "float_value": None, "double_value": None}
    row = event(day, user, number)
    row["event_params"].append({"key": "firebase_screen", "value": value})
    return row | {"event_name": "screen_view"}
