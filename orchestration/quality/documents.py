"""Great Expectations over the results: one suite a stream, validated for all organizations at once, as Data Docs.

A batch is a query asset with one row an organization and one column an expectation: how many of its records break it.
So neither a validation nor a page can hold a value of a record, and results keep counts alone. Importing Great
Expectations takes seconds: it is imported when needed.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.quality.expectations import COUNTS, Suite
from orchestration.settings import load_settings
from orchestration.warehouse.database import database_url

if TYPE_CHECKING:
    from great_expectations.checkpoint import CheckpointResult

# Counts of organizations, and never which values were not expected.
RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0, "include_unexpected_rows": False}


_CONNECTED = "ops.quality_results inner join ops.connections using (org_id, source)"


@dataclass(frozen=True)
class Validation:
    """What Great Expectations found: expectations evaluated and failed, by any organization; where it is shown."""

    evaluated: int
    failed: int
    index: Path


def site(source: str) -> Path:
    """The directory of a source's Data Docs."""
    return load_settings().home / "data_docs" / source


def validate(source: str, suites: Sequence[Suite]) -> Validation:
    """Validate every suite against the present results and build the source's Data Docs anew.

    The pages are swapped in once they are complete.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    target = site(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{source}-", dir=target.parent) as scratch:
        built, former = Path(scratch) / "site", Path(scratch) / "former"
        result = _run(source, suites, built)
        if target.exists():
            target.rename(former)
        shutil.move(built, target)
    outcomes = [one.success for run in result.run_results.values() for one in run.results]
    return Validation(len(outcomes), outcomes.count(False), target / "index.html")


def _run(source: str, suites: Sequence[Suite], directory: Path) -> CheckpointResult:
    import great_expectations as gx

    # This one sets a level of its own.
    for name in ("great_expectations", "great_expectations.data_context.types.base"):
        logging.getLogger(name).setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    for name, config in dict(context.variables.data_docs_sites or {}).items():
        # The library's own, which it never clears away.
        shutil.rmtree(config["store_backend"]["base_directory"], ignore_errors=True)
        context.delete_data_docs_site(name)
    context.add_data_docs_site(
        source,
        {
            "class_name": "SiteBuilder",
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(directory)},
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        },
    )
    url = database_url().replace("postgresql://", "postgresql+psycopg2://", 1)
    data = context.data_sources.add_postgres("warehouse", connection_string=url)
    definitions = []
    for suite in suites:
        name = f"{suite.source}.{suite.stream}"
        asset = data.add_query_asset(name, query=_query(suite))
        expected = context.suites.add(gx.ExpectationSuite(name=name, expectations=_expectations(gx, suite)))
        definitions.append(
            context.validation_definitions.add(
                gx.ValidationDefinition(
                    name=name, data=asset.add_batch_definition("every organization"), suite=expected
                )
            )
        )
    checkpoint = context.checkpoints.add(
        gx.Checkpoint(name=source, validation_definitions=definitions, result_format=RESULT_FORMAT)
    )
    result = checkpoint.run()
    context.build_data_docs()
    return result


def _expectations(gx: Any, suite: Suite) -> list[Any]:
    rules = [(e.name, e.says, e.critical) for e in suite.expectations]
    counts = [(name, says, suite.publishes) for name, says in COUNTS.items()]
    return [
        gx.expectations.ExpectColumnValuesToBeBetween(
            column=name,
            min_value=0,
            max_value=0,
            severity="critical" if critical else "warning",
            description=f"{suite.stream}: {says}",
            notes="Counted by organization: records that break it.",
        )
        for name, says, critical in [*rules, *counts]
    ]


def _query(suite: Suite) -> str:
    columns = ", ".join(
        f"max(unexpected_count) filter (where expectation = '{name}') as {name}"
        for name in [*(expectation.name for expectation in suite.expectations), *COUNTS]
    )
    # Text, because a query asset takes no parameters: names of the project's own.
    query = "select org_id, {} from {} where source = '{}' and stream = '{}' group by org_id"
    return query.format(columns, _CONNECTED, suite.source, suite.stream)
