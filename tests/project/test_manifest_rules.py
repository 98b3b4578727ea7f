"""Rules of the dbt project, checked over its manifest: what a reviewer would otherwise have to look for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from dbt_runs import manifest_file

from orchestration.quality.quickbooks import REPORT_GROUPS
from orchestration.settings import PROJECT_ROOT
from orchestration.sources import SOURCES

Node = dict[str, Any]

PUBLISHED = {"marts", "objects", "kpis", "platform", "benchmarks", "catalog"}
MAY_READ = {
    # The only readers of landed tables, and readers of nothing else.
    "staging": {"landed"},
    "intermediate": {"staging", "intermediate", "reference", "ops"},
    "published": {"staging", "intermediate", "published", "reference", "ops", "engine"},
}
# Its own id is the organization.
TENANT_COLUMN = {"organizations": "id"}
LONGEST_MODEL = 200


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return json.loads(manifest_file().read_text(encoding="utf-8"))


def nodes(manifest: dict[str, Any], kind: str) -> list[Node]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == kind]


@pytest.fixture(scope="module")
def models(manifest: dict[str, Any]) -> list[Node]:
    return nodes(manifest, "model")


@pytest.fixture(scope="module")
def published(models: list[Node]) -> list[Node]:
    return [model for model in models if model["schema"] in PUBLISHED]


def layer(node: Node) -> str:
    """staging, intermediate, published, reference; of sources: landed, ops, engine."""
    schema: str = node["schema"]
    if node["resource_type"] == "source":
        return "landed" if schema.startswith("staging_") else schema
    return "published" if schema in PUBLISHED else schema


def tenant_column(model: Node) -> str:
    return TENANT_COLUMN.get(model["name"], "org_id")


def names(found: Iterable[Node]) -> list[str]:
    return sorted(node["name"] for node in found)


def unique_constraints(model: Node) -> list[list[str]]:
    of_model = [c["columns"] for c in model["constraints"] if c["type"] in ("unique", "primary_key")]
    return of_model + [
        [column["name"]]
        for column in model["columns"].values()
        if any(c["type"] in ("unique", "primary_key") for c in column["constraints"])
    ]


def test_each_layer_reads_only_from_those_it_may(manifest: dict[str, Any], models: list[Node]) -> None:
    everything = manifest["nodes"] | manifest["sources"]
    broken = [
        f"{model['name']} reads {everything[parent]['name']}"
        for model in models
        for parent in model["depends_on"]["nodes"]
        if layer(everything[parent]) not in MAY_READ[layer(model)]
    ]
    assert broken == []


def test_a_staging_model_is_one_landed_stream_and_named_after_it(manifest: dict[str, Any], models: list[Node]) -> None:
    for model in models:
        if layer(model) == "staging":
            (parent,) = model["depends_on"]["nodes"]
            source = manifest["sources"][parent]
            assert model["name"] == f"stg_{source['source_name']}__{source['name']}"
            assert model["config"]["materialized"] == "view"


def test_every_landed_stream_has_its_staging_model(manifest: dict[str, Any], models: list[Node]) -> None:
    landed = [source for source in manifest["sources"].values() if layer(source) == "landed"]
    assert {f"stg_{source['source_name']}__{source['name']}" for source in landed} <= set(names(models))


def test_names_tell_the_layer_and_no_two_models_share_one(models: list[Node]) -> None:
    prefixes = {"staging": "stg_", "intermediate": "int_"}
    wrong = [model["name"] for model in models if not model["name"].startswith(prefixes.get(layer(model), ""))]
    assert wrong == []
    assert len(set(names(models))) == len(models)


def test_every_model_lies_in_its_layers_folder_with_a_yml_of_its_name(models: list[Node]) -> None:
    for model in models:
        path = PROJECT_ROOT / model["original_file_path"]
        assert path.with_suffix(".yml").is_file(), path
        assert model["patch_path"].endswith(f"/{model['name']}.yml")
        assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_MODEL, path
        if layer(model) in ("staging", "intermediate"):
            assert path.parts[-3] == layer(model)


def test_everything_is_described(manifest: dict[str, Any], models: list[Node]) -> None:
    silent = [model["name"] for model in models if not model["description"]]
    silent += [
        f"{model['name']}.{column['name']}"
        for model in models
        for column in model["columns"].values()
        if not column["description"]
    ]
    silent += [source["name"] for source in manifest["sources"].values() if not source["description"]]
    for macro in manifest["macros"].values():
        ours = macro["package_name"] == "aiop" and not macro["name"].startswith("test_")
        if ours and not (macro["description"] and all(argument["description"] for argument in macro["arguments"])):
            silent.append(macro["name"])
    silent += [
        test["name"] for test in nodes(manifest, "test") if not test.get("test_metadata") and not test["description"]
    ]
    assert silent == []


def test_every_model_has_a_data_test_of_its_own_or_one_that_reads_it(
    manifest: dict[str, Any], models: list[Node]
) -> None:
    tested = {parent for test in nodes(manifest, "test") for parent in test["depends_on"]["nodes"]}
    assert [model["name"] for model in models if model["unique_id"] not in tested] == []


def is_view(model: Node) -> bool:
    return bool(model["config"]["materialized"] == "published_view")


def is_open(model: Node) -> bool:
    return bool(model["config"].get("open_to_all"))


def test_published_models_are_upserted_tables_or_views_in_place_under_contract(published: list[Node]) -> None:
    for model in published:
        config = model["config"]
        if not is_view(model):
            assert (config["materialized"], config["incremental_strategy"]) == ("incremental", "upsert"), model["name"]
            assert config["full_refresh"] is False, model["name"]
            assert config["upsert_scope"], model["name"]
        assert config["contract"]["enforced"] is True, model["name"]
        assert model["access"] == "public", model["name"]
        assert model["group"], model["name"]
        assert any("secure_table" in hook["sql"] for hook in config["post-hook"]), model["name"]


def test_a_published_view_reads_with_its_readers_rights_what_they_may_read(
    manifest: dict[str, Any], published: list[Node]
) -> None:
    views = [model for model in published if is_view(model)]
    assert "organization_calendar" in names(views)
    for model in views:
        parents = [manifest["nodes"].get(parent) for parent in model["depends_on"]["nodes"]]
        assert all(parent and parent["schema"] in PUBLISHED for parent in parents), model["name"]


def test_only_what_is_open_to_all_has_no_organization(published: list[Node]) -> None:
    for model in published:
        named = {"org_id", "organization_id"} & set(model["columns"]) or model["name"] in TENANT_COLUMN
        assert is_open(model) != bool(named), model["name"]


def test_a_published_natural_key_is_unique_not_null_and_begins_with_the_organization(published: list[Node]) -> None:
    for model in published:
        key = model["config"]["unique_key"]
        key = [key] if isinstance(key, str) else key
        if not is_open(model):
            assert key[0] == tenant_column(model), model["name"]
        if is_view(model):
            continue
        assert key in unique_constraints(model), model["name"]
        for column in key:
            kinds = {constraint["type"] for constraint in model["columns"][column]["constraints"]}
            assert "not_null" in kinds, f"{model['name']}.{column}"


def test_the_organization_comes_first_in_every_model_that_has_it(models: list[Node]) -> None:
    for model in models:
        columns = list(model["columns"])
        if model["name"] not in TENANT_COLUMN and not is_open(model):
            # The data mart document begins its tables with a number of the row.
            first = columns[1] if columns[0] == "id" else columns[0]
            assert first == "org_id", model["name"]


def test_uniqueness_tests_on_tenant_data_include_the_organization(manifest: dict[str, Any]) -> None:
    for test in nodes(manifest, "test"):
        metadata = test.get("test_metadata") or {}
        if metadata.get("name") == "unique_key":
            model = manifest["nodes"][test["attached_node"]]
            assert is_open(model) or metadata["kwargs"]["columns"][0] == tenant_column(model), test["name"]
        assert metadata.get("name") != "unique", f"{test['name']}: name the organization too, with unique_key"


def test_foreign_keys_lead_only_to_organizations(published: list[Node]) -> None:
    for model in published:
        for constraint in model["constraints"]:
            if constraint["type"] == "foreign_key":
                assert constraint["to"] == "source('ops', 'organizations')", model["name"]
                assert constraint["to_columns"] == ["id"], model["name"]


def test_every_published_table_of_organizations_leads_to_them_and_every_mart_to_the_calendar(
    manifest: dict[str, Any], published: list[Node]
) -> None:
    """marts.relationships is made of these."""
    to_calendar = {
        test["attached_node"]
        for test in nodes(manifest, "test")
        if (test.get("test_metadata") or {}).get("name") == "belongs_to"
        and test["test_metadata"]["kwargs"]["parent"] == "ref('organization_calendar')"
        and test["test_metadata"]["kwargs"]["parent_columns"] == ["org_id", "calendar_date"]
    }
    for model in published:
        if "org_id" in model["columns"] and not is_view(model):
            keys = [c["columns"] for c in model["constraints"] if c["type"] == "foreign_key"]
            assert keys == [["org_id"]], f"{model['name']}: a foreign key to organizations belongs to its constraints"
        if model["name"].startswith("mart_"):
            assert model["unique_id"] in to_calendar, f"{model['name']}: belongs_to organization_calendar is missing"


def test_what_a_relationship_means_is_said(manifest: dict[str, Any]) -> None:
    for test in nodes(manifest, "test"):
        if (test.get("test_metadata") or {}).get("name") == "belongs_to":
            assert test["description"], test["name"]
            columns, parents = (test["test_metadata"]["kwargs"][key] for key in ("columns", "parent_columns"))
            assert len(columns) == len(parents), test["name"]


def test_money_is_never_a_float(models: list[Node]) -> None:
    floats = ("real", "float", "double", "money")
    wrong = [
        f"{model['name']}.{column['name']}"
        for model in models
        for column in model["columns"].values()
        if (column["data_type"] or "").lower().startswith(floats)
    ]
    assert wrong == []


def test_landed_sources_have_freshness_and_the_asset_key_of_their_extraction(manifest: dict[str, Any]) -> None:
    for source in manifest["sources"].values():
        if layer(source) == "landed":
            assert source["freshness"]["error_after"]["count"], source["name"]
            assert "ops.watermarks" in source["loaded_at_query"], source["name"]
            assert source["config"]["meta"]["dagster"]["asset_key"] == [source["schema"], source["name"]]


def test_tests_before_a_mart_can_only_warn(manifest: dict[str, Any], models: list[Node]) -> None:
    """One organization's bad data must not keep the others' marts from being built."""
    by_id = {model["unique_id"]: model for model in models}
    for test in nodes(manifest, "test"):
        read = [by_id[parent] for parent in test["depends_on"]["nodes"] if parent in by_id]
        before = all(layer(model) != "published" for model in read)
        about_keys = (test.get("test_metadata") or {}).get("name") == "unique_key"
        if before and not about_keys:
            assert test["config"]["severity"].lower() == "warn", test["name"]


def test_no_file_of_the_project_is_left_out(models: list[Node]) -> None:
    on_disk = {path.stem for path in (PROJECT_ROOT / "models").rglob("*.sql")}
    assert on_disk == set(names(models))
    stray = [path for path in Path(PROJECT_ROOT / "tests" / "dbt").rglob("*.py")]
    assert stray == []


def test_dagster_shows_every_singular_test_as_a_check_of_one_model(
    manifest: dict[str, Any], models: list[Node]
) -> None:
    for test in nodes(manifest, "test"):
        if not test.get("test_metadata"):
            meta = test["config"]["meta"]
            assert meta["dagster"]["ref"]["name"] in names(models), test["name"]
            assert meta["description"] == test["description"], test["name"]


def test_models_and_checks_of_quality_know_the_same_groups_of_reports(manifest: dict[str, Any]) -> None:
    macro = manifest["macros"]["macro.aiop.zero_in"]["macro_sql"]
    listed = re.findall(r"'(\w+)': \[(.*?)\]", macro, re.DOTALL)
    assert {report: tuple(re.findall(r"\w+", groups)) for report, groups in listed} == REPORT_GROUPS


def test_models_ask_for_a_part_of_a_stream_as_its_rows_are_indexed(models: list[Node]) -> None:
    """By another number of characters, all of an organization's rows would be read for each part."""
    parted = [(source.name, stream) for source in SOURCES.values() for stream in source.streams if stream.part_length]
    code = {model["name"]: model["raw_code"] for model in models}
    assert [name for name, _ in parted] == ["ga4"]
    for source, stream in parted:
        assert f"left(landed.record_id, {stream.part_length}) as part" in code[f"stg_{source}__{stream.name}"]
