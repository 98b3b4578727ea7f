"""Empty mart tables as their models' contracts say, for tests that fill them by hand: no model below is built."""

from __future__ import annotations

from typing import Any

import psycopg


def make_marts(connection: psycopg.Connection, manifest: dict[str, Any]) -> None:
    """Make every ``mart_*`` table with its indexes, secured as dbt does it."""
    models = {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    for name, model in models.items():
        if name.startswith("mart_"):
            connection.execute(f"create table marts.{name} ({_contract(model)})")
            for index in model["config"].get("indexes") or ():
                connection.execute(f"create index on marts.{name} ({', '.join(index['columns'])})")
            connection.execute("select ops.secure_table(%s)", [f"marts.{name}"])


_KINDS = {"not_null": "not null", "primary_key": "primary key", "unique": "unique"}


def _contract(model: dict[str, Any]) -> str:
    parts = [
        " ".join(
            [column["name"], column["data_type"]]
            + [_KINDS.get(constraint["type"]) or constraint["expression"] for constraint in column["constraints"]]
        )
        for column in model["columns"].values()
    ]
    for constraint in model["constraints"]:
        columns = ", ".join(constraint["columns"])
        if constraint["type"] == "foreign_key":
            parts.append(f"foreign key ({columns}) references ops.organizations (id)")
        else:
            parts.append(f"{_KINDS[constraint['type']]} ({columns})")
    return ", ".join(parts)
