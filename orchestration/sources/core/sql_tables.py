"""Tables of a source database: an allow-list of columns, and which of them are there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    Select,
    TableClause,
    and_,
    column,
    func,
    literal,
    or_,
    select,
    table,
    true,
)
from sqlalchemy.sql import quoted_name

from orchestration.errors import StreamUnavailable


@dataclass(frozen=True)
class Table:
    """A table and the columns that may be read of it; no other ever stands in a statement.

    required
        Columns without which reading makes no sense: where one is missing, the read fails.
    optional
        Columns that some databases lack; a record then has no such key.
    key
        Columns that name a row, if any do. They must be required.
    """

    name: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    key: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not set(self.key) <= set(self.required):
            raise ValueError(f"{self.name}: key columns must be required")


@dataclass(frozen=True)
class FoundTable:
    """A table as a database has it. ``stored``: allowed name -> the column's name there, in the allow-list's order.

    unlisted
        So many columns more than the allow-list knows: they are never read.
    """

    table: Table
    schema: str | None
    name: str
    stored: Mapping[str, str]
    missing: tuple[str, ...] = ()
    unlisted: int = 0
    source: TableClause = field(init=False, repr=False)

    def __post_init__(self) -> None:
        columns: list[ColumnClause[Any]] = [column(quoted_name(name, True)) for name in self.stored.values()]
        schema = quoted_name(self.schema, True) if self.schema else None
        object.__setattr__(self, "source", table(quoted_name(self.name, True), *columns, schema=schema))

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are read, by the allow-list's names: the keys of records."""
        return tuple(self.stored)

    def has(self, name: str) -> bool:
        """Whether an allowed column is there."""
        return name in self.stored

    def column(self, name: str) -> ColumnElement[Any]:
        """An allowed column that is there, for conditions. KeyError for any other."""
        return self.source.c[self.stored[name]]

    def select(self) -> Select[Any]:
        """All rows, allowed columns only, each under the allow-list's name. Add conditions with ``where``."""
        return select(*(self.column(name).label(quoted_name(name, True)) for name in self.names))

    def in_key_order(self, statement: Select[Any]) -> Select[Any]:
        """The statement ordered by the table's key."""
        return statement.order_by(*(self.column(name) for name in self.table.key))

    def after(self, statement: Select[Any], last: Mapping[str, Any]) -> Select[Any]:
        """The statement's rows behind ``last`` (values as the database gave them) in the order of the key."""
        alternatives = []
        for place, name in enumerate(self.table.key):
            same = [self.column(before) == last[before] for before in self.table.key[:place]]
            alternatives.append(and_(*same, self.column(name) > last[name]))
        return statement.where(or_(*alternatives))

    def count(self) -> Select[Any]:
        """How many rows the table has."""
        return select(func.count()).select_from(self.source)


def columns_statement(name: str, schema: str | None, dialect: str = "mssql") -> Select[Any]:
    """The columns of a table: schema, table, column; names are compared regardless of case."""
    if dialect == "sqlite":
        tables = table("sqlite_master", column("name"))
        columns = func.pragma_table_info(tables.c.name).table_valued("name")
        both = tables.join(columns, true())
        return (
            select(literal(""), tables.c.name, columns.c.name)
            .select_from(both)
            .where(func.lower(tables.c.name) == name.lower())
        )
    # Unquoted, so that it is found in upper and in lower case.
    source = table(
        quoted_name("COLUMNS", False),
        *(column(quoted_name(name, False)) for name in ("TABLE_SCHEMA", "TABLE_NAME", "COLUMN_NAME")),
        schema=quoted_name("INFORMATION_SCHEMA", False),
    )
    statement = select(source.c.TABLE_SCHEMA, source.c.TABLE_NAME, source.c.COLUMN_NAME).where(
        func.lower(source.c.TABLE_NAME) == name.lower()
    )
    return statement.where(func.lower(source.c.TABLE_SCHEMA) == schema.lower()) if schema else statement


def found_table(table: Table, schema: str | None, rows: Iterable[Sequence[str]], where: str) -> FoundTable:
    """The table out of what ``columns_statement`` gave. ``where``: the database, for messages.

    Raises StreamUnavailable naming table and columns where the table or a required column is not there.
    """
    tables: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        tables.setdefault((row[0], row[1]), []).append(row[2])
    if not tables:
        raise StreamUnavailable(
            f"{where} has no table {_written(schema, table.name)} that the login can see",
            hint="check database and schema, and have its administrator grant SELECT on the table to the login.",
        )
    # Where names differ in case alone, the one that is spelled as asked.
    chosen = max(tables, key=lambda one: (one[0] == schema, one[1] == table.name, one))
    stored = {}
    for name in (*table.required, *table.optional):
        same = [one for one in tables[chosen] if one.casefold() == name.casefold()]
        if same:
            stored[name] = name if name in same else same[0]
    absent = [name for name in table.required if name not in stored]
    if absent:
        listed = ", ".join(f"[{name}]" for name in absent)
        raise StreamUnavailable(
            f"{_written(*chosen)} has no column {listed}",
            hint="was it renamed, or is the login not granted SELECT on it? Nothing was loaded; what was loaded "
            "before is untouched.",
        )
    missing = tuple(name for name in table.optional if name not in stored)
    unlisted = len(tables[chosen]) - len(stored)
    return FoundTable(table, chosen[0] if schema else None, chosen[1], stored, missing, unlisted)


def _written(schema: str | None, name: str) -> str:
    return f"[{schema}].[{name}]" if schema else f"[{name}]"
