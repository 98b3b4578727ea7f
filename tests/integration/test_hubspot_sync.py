"""A living portal landed night by night: what is live in HubSpot is live in the warehouse, value by value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from cryptography.fernet import Fernet

from orchestration.demo.crm.portals import Limits, Portal, blank_portal, demo_portal
from orchestration.demo.crm.store import Crm
from orchestration.demo.hubspot_server import RunningHubspot, running
from orchestration.demo.serving.faults import Fault
from orchestration.sources.hubspot.streams import STREAMS, ObjectStream
from orchestration.sync import SyncReport, sync
from orchestration.warehouse import database, organizations

OBJECTS = [stream for stream in STREAMS if isinstance(stream, ObjectStream)]
UNLIMITED = Limits(None, None, None)


@dataclass
class Landing:
    """A portal and the warehouse it lands in."""

    server: RunningHubspot
    slug: str
    connection: psycopg.Connection

    @property
    def crm(self) -> Crm:
        return self.server.crm(self.slug)

    def sync(self, **options: Any) -> SyncReport:
        return sync("hubspot", **options)

    def night(self) -> SyncReport:
        report = self.sync()
        assert not report.failures, report.failures
        return report

    def live(self, stream: str) -> dict[str, dict[str, str]]:
        """Properties that have a value, by record."""
        rows = self.connection.execute(
            f"select record_id, payload -> 'properties' from staging_hubspot.{stream} where deleted_at is null"
        ).fetchall()
        return {key: {name: value for name, value in held.items() if value is not None} for key, held in rows}

    def gone(self, stream: str) -> set[str]:
        rows = self.connection.execute(
            f"select record_id from staging_hubspot.{stream} where deleted_at is not null"
        ).fetchall()
        return {row[0] for row in rows}

    def truth(self, kind: str) -> dict[str, dict[str, str]]:
        return {str(record.id): dict(record.properties) for record in self.crm.live(kind)}

    def notes(self, stream: str) -> list[str]:
        row = self.connection.execute(
            "select notes from ops.sync_runs where stream = %s order by run_id desc limit 1", [stream]
        ).fetchone()
        assert row is not None
        return row[0]


@contextmanager
def landing(portal: Portal, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Landing]:
    monkeypatch.setenv("AIOP_SECRET_KEY", Fernet.generate_key().decode())
    monkeypatch.setenv("PORTAL_TOKEN", portal.token)
    with running(portals=[portal]) as server:
        settings = {"access_token": "env:PORTAL_TOKEN", "base_url": server.base_url}
        entry = {
            "id": 1,
            "slug": "org",
            "name": "Organization",
            "timezone": "America/Chicago",
            "currency": "USD",
            "connections": {"hubspot": settings},
        }
        file = home / "organizations.yml"
        file.write_text(yaml.safe_dump({"organizations": [entry]}), encoding="utf-8")
        with database.connect(autocommit=True) as connection:
            organizations.apply_file(connection, file)
            yield Landing(server, portal.slug, connection)


@pytest.fixture
def lively(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Landing]:
    with landing(replace(demo_portal(1), limits=UNLIMITED), tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def blank(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Landing]:
    with landing(blank_portal(), tmp_path, monkeypatch) as made:
        account = made.server.account("blank")
        for number in range(10):
            account.crm.create("contacts", account.now, {"email": f"p{number}@x.com"}, 100 + number)
        yield made


@pytest.mark.slow
def test_every_night_the_live_records_are_those_of_the_portal_and_a_quiet_night_writes_nothing(lively: Landing) -> None:
    for days in (0, 1, 2, 5, 30):
        lively.server.advance(days)
        lively.night()
        for stream in OBJECTS:
            assert lively.live(stream.name) == lively.truth(stream.kind), (days, stream.name)
        assert lively.night().rows_changed == 0


def test_archived_merged_purged_and_restored_records_end_as_hubspot_has_them(blank: Landing) -> None:
    crm, account = blank.crm, blank.server.account("blank")
    people = crm.records["contacts"]
    blank.night()

    crm.archive(people[100], account.now)
    crm.archive(people[101], account.now)
    crm.merge(people[102], [people[103]], account.now)
    blank.server.advance(1)
    blank.night()
    assert blank.gone("contacts") == {"100", "101", "103"}
    kept = blank.connection.execute(
        "select payload -> 'properties' ->> 'email' from staging_hubspot.contacts where record_id = '103'"
    ).fetchone()
    assert kept == ("p3@x.com",)

    # One comes back without looking modified; another is deleted for good and leaves no trace at all.
    crm.restore(people[100], account.now, touch=False)
    crm.purge(people[104])
    blank.server.advance(1)
    blank.night()
    assert blank.gone("contacts") == {"101", "103"}
    assert "104" in blank.live("contacts"), "no search and no bin tells of it"

    blank.server.advance(6)
    blank.night()
    assert blank.gone("contacts") == {"101", "103", "104"}
    assert blank.live("contacts") == blank.truth("contacts")


def test_a_stream_that_never_could_be_read_is_skipped_by_name_and_a_lost_scope_fails_by_name(blank: Landing) -> None:
    account = blank.server.account("blank")
    account.missing_scopes = {"crm.objects.goals.read"}
    blank.night()
    assert blank.notes("goals") == [
        "goals skipped: it takes the scope crm.objects.goals.read, which the portal's plan or the private app lacks"
    ]

    account.missing_scopes = {"crm.objects.goals.read", "crm.objects.contacts.read"}
    blank.crm.create("companies", account.now, {"name": "New"}, 7)
    blank.server.advance(1)
    report = blank.sync()
    failed = {failure.stream: failure.error for failure in report.failures}
    assert set(failed) == {"contacts", "calls", "meetings", "tasks"}
    assert failed["contacts"].kind == "configuration"
    assert "crm.objects.contacts.read" in str(failed["contacts"])
    assert len(blank.live("contacts")) == 10
    assert set(blank.live("companies")) == {"7"}

    account.missing_scopes = set()
    assert blank.sync(only_failed=True).failures == []
    blank.night()
    assert blank.notes("goals") == []


def test_deals_read_late_are_read_beside_their_pipelines_and_nothing_else_is(blank: Landing) -> None:
    account = blank.server.account("blank")
    account.crm.create("deals", account.now, {"dealname": "Won"}, 7)
    blank.night()
    blank.server.service.faults.add(Fault(kind="status", path="/objects/deals", status=400, count=None))
    assert [failure.stream for failure in blank.sync().failures] == ["deals"]

    blank.server.service.faults.clear()
    blank.server.advance(1)
    late = blank.sync(only_failed=True)
    assert late.failures == []
    read = {stream.name for stream in STREAMS if late.loads(stream.name)}
    assert read == {"pipelines", "deals"}
    ((apart,),) = blank.connection.execute(
        "select max((state ->> 'read_at')::timestamptz) - min((state ->> 'read_at')::timestamptz) < interval '1 hour'"
        " from ops.watermarks where stream in ('pipelines', 'deals')"
    ).fetchall()
    assert apart
