"""The queries of docs/queries.md, with what somebody would type put into them as psql would."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from orchestration.settings import PROJECT_ROOT

PAGE = PROJECT_ROOT / "docs" / "queries.md"
# Published tables without an organization: everybody reads all of them.
OPEN = frozenset({"marts.calendar", "marts.relationships"})

_BLOCK = re.compile(r"^### `(?P<name>\w+)`\n\n(?P<says>[^\n]+)\n\n```sql\n(?P<sql>.+?)\n```$", re.MULTILINE | re.DOTALL)
_PARAMETER = re.compile(r"^\| `:(\w+)` \|[^|]+\| ([^|]+) \|$", re.MULTILINE)
_USED = re.compile(r"(?<!:):(?P<quote>'?)(?P<name>[a-z_]+)(?P=quote)")
_TABLE = re.compile(r"\b(?P<word>from|join) (?P<table>marts\.\w+) as (?P<alias>\w+)")


@dataclass(frozen=True)
class Query:
    """One query of the page. ``says`` is its sentence."""

    name: str
    says: str
    sql: str

    @property
    def parameters(self) -> set[str]:
        return {match["name"] for match in _USED.finditer(self.sql)}

    @property
    def tables(self) -> set[str]:
        return {match["table"] for match in _TABLE.finditer(self.sql)}

    @property
    def is_of_organizations(self) -> bool:
        return bool(self.tables - OPEN)

    def filled(self, parameters: dict[str, str]) -> str:
        """The statement with its parameters, quoted where the page quotes them."""

        def value(match: re.Match[str]) -> str:
            text = parameters[match["name"]]
            return "'" + text.replace("'", "''") + "'" if match["quote"] else text

        return _USED.sub(value, self.sql)


def scoped(statement: str, org_id: int) -> str:
    """The statement as somebody would write it who reads without row-level security: a filter on each table."""

    def filtered(match: re.Match[str]) -> str:
        if match["table"] in OPEN:
            return match[0]
        column = "id" if match["table"] == "marts.organizations" else "org_id"
        return f"{match['word']} (select * from {match['table']} where {column} = {org_id}) as {match['alias']}"

    return _TABLE.sub(filtered, statement)


def read_catalogue(page: Path = PAGE) -> tuple[list[Query], dict[str, str]]:
    """The page's queries in its order, and its parameters with the examples it gives."""
    text = page.read_text(encoding="utf-8")
    return [Query(**match.groupdict()) for match in _BLOCK.finditer(text)], dict(_PARAMETER.findall(text))
