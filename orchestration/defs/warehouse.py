"""The dbt project as assets: models in their schemas, data tests as asset checks, one build at a time."""

# Annotations are read by Dagster at run time, so they are not postponed in this module.

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, DbtProject, dbt_assets

from orchestration.defs.sources import NIGHTLY
from orchestration.settings import PROJECT_ROOT
from orchestration.warehouse.dbt import build_lock, build_rows, current_manifest, dbt_environment, dbt_paths

KEPT_RUNS = 20


class Translator(DagsterDbtTranslator):
    """Schema = asset group, and a model's key is its schema and name, as in the database."""

    def __init__(self) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_asset_checks=True, enable_source_tests_as_checks=True))

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        if dbt_resource_props["resource_type"] == "source":
            return super().get_asset_key(dbt_resource_props)
        return dg.AssetKey([dbt_resource_props["schema"], dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        return dbt_resource_props["schema"]

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        published = spec.key.path[0] == "marts"
        return spec.replace_attributes(freshness_policy=NIGHTLY) if published else spec


manifest_path = current_manifest()
project = DbtProject(PROJECT_ROOT, target_path=manifest_path.parent, profiles_dir=dbt_paths().profiles)


@dbt_assets(manifest=manifest_path, dagster_dbt_translator=Translator(), project=project, name="dbt_build")
def dbt_models(context: dg.AssetExecutionContext) -> Iterator[Any]:
    os.environ.update(dbt_environment(dagster_run_id=context.run.run_id))
    runs = dbt_paths().home / "runs"
    target = runs / context.run.run_id
    # The manifest and parse cache spare dbt reading the whole project again.
    shutil.copytree(manifest_path.parent, target, dirs_exist_ok=True)
    dbt = DbtCliResource(
        project, profiles_dir=dbt_paths().profiles, dbt_executable=Path(sys.executable).with_name("dbt")
    )
    with build_lock(on_wait=context.log.info):
        invocation = dbt.cli(["build"], context=context, target_path=target)
        for event in invocation.stream():
            if isinstance(event, dg.Output):
                rows = build_rows(context.run.run_id, event.metadata)
                if rows:
                    context.log.info(f"{event.output_name.replace('__', '.', 1)}: {_in_words(rows)}")
                yield event.with_metadata({**event.metadata, **rows})
            else:
                yield event
    _forget_old_runs(runs)


def _in_words(rows: Mapping[str, int]) -> str:
    written = [
        f"{rows[f'rows_{verb}']:,} {verb}" for verb in ("inserted", "updated", "deleted") if rows[f"rows_{verb}"]
    ]
    return f"{rows['dagster/row_count']:,} rows, {', '.join(written) or 'none changed'}"


def _forget_old_runs(runs: Path) -> None:
    by_age = sorted(runs.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in by_age[KEPT_RUNS:]:
        shutil.rmtree(path, ignore_errors=True)
