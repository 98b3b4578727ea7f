"""Accounts of sources: no two organizations read the same one unless each of them says that they share it.

A realm or token pasted into the wrong entry would show one organization's books to another, and nothing after that
could tell. Which settings identify an account, the source's connection model says (``account_fields``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import psycopg

from orchestration.errors import UsageError
from orchestration.settings import variable
from orchestration.sources import connection_models
from orchestration.sources.core.connection import ConnectionSettings
from orchestration.warehouse.secrets import variable_of


def refuse_shared(connection: psycopg.Connection, source_names: Collection[str], org_ids: Collection[int]) -> None:
    """Raise UsageError where one of ``org_ids`` names an account that another organization has, too.

    Looks at the connections as they are stored, in the caller's transaction, which the error undoes. Others that share
    one among themselves are not this change's business.
    """
    models = connection_models()
    rows = connection.execute(
        """
        select o.id, o.slug, c.source, c.settings
        from ops.connections as c
        inner join ops.organizations as o on o.id = c.org_id
        where c.source = any(%s)
        order by o.id
        """,
        [[name for name in source_names if name in models]],
    ).fetchall()
    users: dict[tuple[str, tuple[Any, ...]], list[tuple[int, str, bool]]] = {}
    for org_id, slug, source, settings in rows:
        identity = models[source].account_key({name: _value(setting) for name, setting in settings.items()})
        if identity is not None:
            users.setdefault((source, identity), []).append((org_id, slug, settings.get("shared_account") is True))
    problems = [
        f"{', '.join(slug for _, slug, _ in found)}: the same account of {source} ({_fields(models[source])})"
        for (source, _), found in users.items()
        if len(found) > 1 and not all(agreed for *_, agreed in found) and any(one[0] in org_ids for one in found)
    ]
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise UsageError(
            f"Organizations would read each other's data; nothing was changed:\n{listed}",
            hint="correct the wrong one; where they are meant to share an account, each says `shared_account: true`.",
        )


def same_account(source: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether two settings of a connection lead to one account, as far as they tell.

    Where a credential stands for the account (HubSpot's token), another one counts as another account.
    """
    model = connection_models().get(source)
    if model is None:
        return True
    keys = [model.account_key({name: _value(setting) for name, setting in one.items()}) for one in (before, after)]
    return keys[0] == keys[1]


def _value(setting: Any) -> Any:
    """What a reference stands for, where that is set here: two variables may hold one token."""
    name = variable_of(setting)
    return (variable(name) if name else "") or setting


def _fields(model: type[ConnectionSettings]) -> str:
    return ", ".join(model.account_fields)
