"""One asset per landed stream, one step per source: organizations run side by side inside it."""

# Annotations are read by Dagster at run time, so they are not postponed in this module.

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from orchestration.defs.quality import NAMED, quality_check_specs, quality_checks, shown
from orchestration.errors import AiopError, SourceError
from orchestration.settings import schedule_timezone
from orchestration.sources import SOURCES
from orchestration.sync import Event, SyncReport, sync

# A night may be missed by two hours before it shows, and a second missed night is a failure.
NIGHTLY = dg.FreshnessPolicy.time_window(warn_window=timedelta(hours=26), fail_window=timedelta(hours=50))

CHECK = "every_organization_synced"

# What organizations do stream by stream stands in ops.sync_runs. As events of Dagster's, which its storage takes one at
# a time, it took as long again as reading and landing.
TOLD = ("waiting", "received")
# A line for so many organizations that are done.
TOLD_EVERY = 25


class SyncConfig(dg.Config):
    """Which organizations and dates one extraction covers. Without ``orgs`` all, without dates what is new.

    ``stale_only`` leaves out what was read successfully since midnight (of the schedules' time zone). ``workers``
    organizations are read at a time; without it, as many as ``AIOP_SYNC_WORKERS`` says.
    """

    orgs: list[str] | None = None
    start: str | None = None
    end: str | None = None
    only_failed: bool = False
    stale_only: bool = False
    workers: int | None = None


def midnight() -> datetime:
    """When today began where the schedules are."""
    return datetime.now(ZoneInfo(schedule_timezone())).replace(hour=0, minute=0, second=0, microsecond=0)


def landed_key(source: str, stream: str) -> dg.AssetKey:
    """Schema and table of a landed stream, which is also the key of its dbt source."""
    return dg.AssetKey([f"staging_{source}", stream])


def source_assets(source: str) -> dg.AssetsDefinition:
    """The landed streams of one source, extracted and loaded together: all, or those that a job needs."""
    streams = SOURCES[source].streams

    @dg.multi_asset(
        name=f"sync_{source}",
        can_subset=True,
        group_name=f"staging_{source}",
        specs=[
            dg.AssetSpec(
                landed_key(source, stream.name),
                description=stream.description,
                kinds={"python", "postgres"},
                freshness_policy=NIGHTLY,
                metadata={"dagster/table_name": f"staging_{source}.{stream.name}"},
            )
            for stream in streams
        ],
        check_specs=[
            spec
            for stream in streams
            for spec in (
                dg.AssetCheckSpec(
                    CHECK,
                    asset=landed_key(source, stream.name),
                    description="Every organization connected to the source delivered this stream; names the others.",
                ),
                *quality_check_specs(landed_key(source, stream.name)),
            )
        ],
    )
    def sync_source(
        context: dg.AssetExecutionContext, config: SyncConfig
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        keys = {stream.name: landed_key(source, stream.name) for stream in streams}
        chosen = {name: key for name, key in keys.items() if key in context.selected_asset_keys}
        try:
            report = _sync(context, source, list(chosen), config)
        except AiopError as error:
            raise dg.Failure(str(error)) from None
        for line in report.failures_in_words(NAMED):
            context.log.error(line)
        context.log.info(
            f"{source}: {len(report.organizations)} organizations, {report.rows_received:,} records received, "
            f"{report.rows_changed:,} rows changed, {report.seconds:.1f} s"
        )
        # A source that nobody could read fails its checks, not the step: other sources' models are built all the same,
        # and those on this one keep the rows they had.
        # Here, because what is built next must not be built from rows that nobody has looked at.
        try:
            checks = quality_checks(context, source, chosen)
        except AiopError as error:
            raise dg.Failure(str(error)) from None
        wanted = context.op_execution_context.selected_asset_check_keys
        failed = report.failures_by_stream()
        for name, key in chosen.items():
            yield _materialized(name, key, report, len(failed.get(name, ())))
        for check in (*(_synced(key, failed.get(name, {})) for name, key in chosen.items()), *checks):
            if dg.AssetCheckKey(check.asset_key, check.check_name) in wanted:
                yield check

    return sync_source


def _sync(context: dg.AssetExecutionContext, source: str, streams: Sequence[str], config: SyncConfig) -> SyncReport:
    if config.orgs == []:
        return SyncReport(source, uuid.uuid4())
    return sync(
        source,
        orgs=config.orgs or (),
        streams=streams,
        start=date.fromisoformat(config.start) if config.start else None,
        end=date.fromisoformat(config.end) if config.end else None,
        only_failed=config.only_failed,
        unless_since=midnight() if config.stale_only else None,
        workers=config.workers,
        progress=_teller(context, source),
        dagster_run_id=context.run.run_id,
    )


def _teller(context: dg.AssetExecutionContext, source: str) -> Callable[[Event], None]:
    """Says what happens, and how many organizations are done, as far as a person at a terminal wants to know."""
    done = 0

    def tell(event: Event) -> None:
        nonlocal done
        if event.kind in TOLD:
            context.log.info(f"{source} / {event}")
        if event.kind == "finished":
            done += 1
            if done % TOLD_EVERY == 0:
                context.log.info(f"{source}: {done} organizations done")

    return tell


def _materialized(stream: str, key: dg.AssetKey, report: SyncReport, failed: int) -> dg.MaterializeResult:
    loads = report.loads(stream)
    return dg.MaterializeResult(
        asset_key=key,
        metadata={
            "organizations": len(loads),
            "organizations_failed": failed,
            "rows_received": sum(load.received for load in loads),
            "rows_inserted": sum(load.inserted for load in loads),
            "rows_updated": sum(load.updated for load in loads),
            "rows_deleted": sum(load.deleted for load in loads),
            "seconds": round(report.seconds, 2),
        },
    )


def _synced(key: dg.AssetKey, failed: Mapping[str, SourceError]) -> dg.AssetCheckResult:
    """Who did not deliver a stream, and why; on a night that everybody failed, a few of them and how many."""
    metadata: dict[str, str | int] = {slug: failed[slug].message for slug in sorted(failed)[:NAMED]}
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=CHECK,
        passed=not failed,
        description=shown(sorted(failed)) or "all organizations",
        metadata={**metadata, "organizations_failed": len(failed)},
    )
