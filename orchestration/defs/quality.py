"""Asset checks on what landed, evaluated between landing and dbt: in the source's own step, before its assets are done.

Neither check blocks: who must not be published is held back by organization, and everybody else is built.
"""

# Annotations are read by Dagster at run time, so they are not postponed in this module.

from collections.abc import Mapping, Sequence

import dagster as dg

from orchestration.quality.check import Failing, QualityReport, check

QUALITY = "landed_data_quality"
DRIFT = "row_count_drift"

# A night on which everything is wrong has a table of its own: ops.quality_results.
NAMED = 50


# A line's worth.
_SHOWN = 5


def shown(names: Sequence[str], limit: int = _SHOWN) -> str:
    """The first ``limit`` names and how many more there are; nothing where there is none."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def quality_check_specs(asset: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The two checks of a landed stream."""
    return [
        dg.AssetCheckSpec(
            QUALITY, asset=asset, description="Great Expectations on what landed; names who breaks what."
        ),
        dg.AssetCheckSpec(
            DRIFT,
            asset=asset,
            description="No organization lost half of its rows, or of what the days that are read again bring.",
        ),
    ]


def quality_checks(
    context: dg.AssetExecutionContext, source: str, assets: Mapping[str, dg.AssetKey]
) -> list[dg.AssetCheckResult]:
    """Check what landed of a source and say in the log who is held back or let go.

    ``assets``: the streams to report on, by name. Who is held back does not depend on which these are.
    """
    report = check(source, say=context.log.info)
    newly = set(report.change.held)
    held = [one for one in report.held if one.organization in newly]
    for one in held[:NAMED]:
        context.log.warning(f"{source}: {one.organization} is held back from publication: {one.reason}")
    if len(held) > NAMED:
        others = f"{len(held) - NAMED} more organizations are held back"
        context.log.warning(f"{source}: {others}; `aiop quality --source {source}` names them")
    if report.change.released:
        context.log.info(f"{source}: published again: {shown(report.change.released, NAMED)}")
    if report.trouble:
        context.log.error(f"{source}: {report.trouble}; see `aiop quality --source {source}` for the results")
    return [
        _result(name, asset, report, [one for one in failing if one.stream == stream])
        for stream, asset in assets.items()
        for name, failing in ((QUALITY, report.broken), (DRIFT, report.collapsed))
    ]


def _result(name: str, asset: dg.AssetKey, report: QualityReport, failing: Sequence[Failing]) -> dg.AssetCheckResult:
    by_organization: dict[str, list[str]] = {}
    for one in failing:
        by_organization.setdefault(one.organization, []).append(str(one))
    held = {one.organization for one in report.held}
    critical = any(one.is_critical and one.organization in held for one in failing)
    metadata: dict[str, dg.MetadataValue] = {
        organization: dg.MetadataValue.text("; ".join(words))
        for organization, words in list(by_organization.items())[:NAMED]
    }
    metadata["organizations_failing"] = dg.MetadataValue.int(len(by_organization))
    metadata["held_back"] = dg.MetadataValue.text(", ".join(sorted(held)[:NAMED]) or "nobody")
    if report.validation is not None:
        metadata["data_docs"] = dg.MetadataValue.path(str(report.validation.index))
    trouble = report.trouble if name == QUALITY else ""
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=name,
        passed=not failing and not trouble,
        severity=dg.AssetCheckSeverity.ERROR if critical else dg.AssetCheckSeverity.WARN,
        description="; ".join(part for part in (trouble, shown(list(by_organization))) if part) or "all organizations",
        metadata=metadata,
    )
