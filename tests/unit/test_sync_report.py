"""A night on which everybody fails: told once an organization, and no more of it kept than a person reads."""

from __future__ import annotations

import uuid

import dagster as dg
import pytest

from orchestration.defs import sources
from orchestration.defs.quality import NAMED, shown
from orchestration.errors import SourceError
from orchestration.sources import SOURCES
from orchestration.sync_report import Failure, SyncReport

STREAMS = [stream.name for stream in SOURCES["hubspot"].streams]


class Counted(list):
    """A list that counts how often one of its elements was looked at."""

    looked_at = 0

    def __iter__(self):
        for one in super().__iter__():
            self.looked_at += 1
            yield one


def report(organizations: int, streams: list[str]) -> SyncReport:
    """Of every organization every stream failed, for a reason of its own; the slugs are in no order."""
    slugs = [f"tenant_{7919 * number % organizations:05}" for number in range(organizations)]
    failures = Counted(
        Failure(slug, stream, SourceError(f"{slug} was refused", hint="ask")) for slug in slugs for stream in streams
    )
    return SyncReport("hubspot", uuid.uuid4(), organizations=slugs, failures=failures)


def test_an_error_of_several_streams_is_said_once_an_organization_in_the_order_they_were_read() -> None:
    told = SyncReport(
        "hubspot",
        uuid.uuid4(),
        organizations=["zeta", "fine", "acme"],
        failures=[
            Failure("acme", "deals", SourceError("revoked", hint="connect again")),
            Failure("zeta", "deals", SourceError("late")),
            Failure("acme", "contacts", SourceError("revoked", hint="connect again")),
            Failure("acme", "owners", SourceError("forbidden")),
        ],
    )
    assert list(told.failures_in_words()) == [
        "failed: zeta (deals): late",
        "failed: acme (deals, contacts): revoked",
        "  → connect again",
        "failed: acme (owners): forbidden",
    ]
    assert list(told.failures_in_words(1)) == [
        "failed: zeta (deals): late",
        "failed: 1 organization more; `aiop status --source hubspot` names them",
    ]
    assert told.failures_by_stream()["deals"].keys() == {"acme", "zeta"}


def test_every_failure_is_looked_at_once_however_many_organizations_failed() -> None:
    many = report(2_000, ["contacts", "deals"])
    assert len(list(many.failures_in_words())) == 4_000
    assert many.failures.looked_at == 4_000


def test_a_night_that_everybody_failed_leaves_a_few_names_and_a_count_in_dagster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed = report(300, STREAMS)
    monkeypatch.setattr(sources, "sync", lambda *_, **__: failed)
    monkeypatch.setattr(sources, "quality_checks", lambda *_: [])
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([sources.source_assets("hubspot")], instance=instance)
        errors = [log.user_message for log in instance.all_logs(result.run_id) if log.level == 40]
    assert len(errors) == 2 * NAMED + 1
    assert errors[-1] == f"failed: {300 - NAMED} organizations more; `aiop status --source hubspot` names them"
    checks = result.get_asset_check_evaluations()
    assert {check.asset_key.path[-1] for check in checks} == set(STREAMS)
    for check in checks:
        assert not check.passed
        assert check.metadata["organizations_failed"].value == 300
        assert len(check.metadata) == NAMED + 1
        assert check.metadata["tenant_00000"].value == "tenant_00000 was refused"
        assert check.description == shown(sorted(failed.organizations))
        assert check.description.endswith(" and 295 more")
