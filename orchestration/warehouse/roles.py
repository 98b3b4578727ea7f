"""Roles that read the warehouse: one group with the grants, one login for everything, one login an organization.

Names of login roles are random: every role can list all names, so none may tell who the customers are.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from urllib.parse import quote, urlencode

import psycopg
from psycopg import errors, sql

from orchestration.errors import DatabaseError, UsageError
from orchestration.warehouse.role_rights import AdministratorNeeded, administrator_sql, missing_rights, require_rights
from orchestration.warehouse.secrets import Vault
from orchestration.warehouse.tenant_sessions import end_sessions

__all__ = [
    "EVERYONE",
    "GROUP",
    "AdministratorNeeded",
    "administrator_sql",
    "all_credentials",
    "credentials",
    "ensure_group_roles",
    "ensure_tenant_roles",
    "missing_rights",
    "require_rights",
]

GROUP = "aiop_bi"
EVERYONE = "aiop_bi_all"

CONNECTION_LIMIT = 20
LOGINS_AT_ONCE = 200
# A tenant that is altering its own role holds it, and must not hold up what is done for all.
_HELD_BY_ITSELF = "2s"
_LOCK_RECORDED = "lock table ops.tenant_roles in share row exclusive mode"
# Good manners, not a boundary: whoever is logged in can change them for the session. As Postgres keeps them.
SESSION_SETTINGS: Mapping[str, str] = {
    "TimeZone": "UTC",
    "default_transaction_read_only": "on",
    "idle_in_transaction_session_timeout": "300000",
    # Without statistics, costs are guesses from the table's size: compiling would take longer than the query itself.
    "jit": "off",
    "lock_timeout": "30000",
    "search_path": "marts, objects, kpis, platform, benchmarks, catalog",
    "statement_timeout": "300000",
}
# A boundary: only whoever was granted the right to set these can change them. Temporary files of one session (a sort,
# a long series) could fill the disk, and so could the server's log, which errors and messages of a session go to.
LIMITS: Mapping[str, str] = {"log_min_messages": "fatal", "temp_file_limit": "1GB"}


def ensure_group_roles(connection: psycopg.Connection) -> None:
    """Make ``aiop_bi`` and ``aiop_bi_all``. They belong to the server, so its other warehouses may do so meanwhile."""

    def work() -> None:
        _ensure_group(connection)
        _ensure_logins(connection, [EVERYONE])

    _retried(connection, work)


def ensure_tenant_roles(connection: psycopg.Connection) -> None:
    """Make a login role, still without a password, for each organization that has none.

    Names are recorded first, then logins are made in transactions of ``LOGINS_AT_ONCE``: a role that is made or altered
    is a lock until its transaction ends, and a server has room for some thousands. Whoever ends half way has the rest
    made by the next call. Within a transaction of the caller's all locks stay until that ends.
    """

    def record() -> None:
        # Two at once would make two roles for one organization.
        connection.execute(_LOCK_RECORDED)
        connection.execute(
            """
            insert into ops.tenant_roles (role_name, org_id)
            select 'aiop_t_' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 12), o.id
            from ops.organizations as o
            where not exists (select from ops.tenant_roles as t where t.org_id = o.id)
            """
        )

    def make(names: Sequence[str]) -> None:
        connection.execute(_LOCK_RECORDED)
        # An organization that was erased meanwhile has no login any more.
        _ensure_logins(connection, _recorded(connection, names))

    _retried(connection, record)
    # Also those that are recorded but unknown to this server: the database was restored from elsewhere.
    unlike = [name for name, _, _ in _unlike(connection, _recorded(connection))]
    for start in range(0, len(unlike), LOGINS_AT_ONCE):
        _retried(connection, partial(make, unlike[start : start + LOGINS_AT_ONCE]))


def _recorded(connection: psycopg.Connection, names: Sequence[str] | None = None) -> list[str]:
    """Logins that belong to organizations; only those of ``names``."""
    rows = connection.execute(
        "select role_name from ops.tenant_roles where %(names)s::text[] is null or role_name = any(%(names)s)",
        {"names": None if names is None else list(names)},
    )
    return [name for (name,) in rows.fetchall()]


def credentials(connection: psycopg.Connection, slug: str, *, rotate: bool = False) -> str:
    """The URL with which a BI tool reads one organization; the same one each time, unless ``rotate``.

    The first call sets a password; a new one ends the sessions of the old one. Raises UsageError for an unknown
    organization.
    """
    ensure_tenant_roles(connection)
    with connection.transaction():
        _let_readers_in(connection)
        row = connection.execute(
            """
            select t.role_name
            from ops.tenant_roles as t
            inner join ops.organizations as o on o.id = t.org_id
            where o.slug = %s
            order by t.created_at, t.role_name
            limit 1
            """,
            (slug,),
        ).fetchone()
        if row is None:
            raise UsageError(
                f"There is no organization {slug!r}.", hint="`aiop orgs list` shows those there are (by their slug)."
            )
        url = _issue(connection, row[0], rotate=rotate)
    if rotate:
        # Whoever came between: the old password worked until the new one was committed.
        end_sessions(connection, [row[0]])
    return url


def all_credentials(connection: psycopg.Connection, *, rotate: bool = False) -> str:
    """The URL with which a BI tool reads every organization (``aiop_bi_all``)."""
    ensure_group_roles(connection)
    with connection.transaction():
        _let_readers_in(connection)
        url = _issue(connection, EVERYONE, rotate=rotate)
    if rotate:
        end_sessions(connection, [EVERYONE])
    return url


def _let_readers_in(connection: psycopg.Connection) -> None:
    """A database that was restored or copied has lost the rights on itself: a URL should work once it is given out."""
    connection.execute("select ops.secure_database()")


def _issue(connection: psycopg.Connection, role: str, *, rotate: bool) -> str:
    vault = Vault.from_environment()
    if rotate:
        end_sessions(connection, [role])
    connection.execute("lock table ops.role_secrets in share row exclusive mode")
    row = connection.execute("select password from ops.role_secrets where role_name = %s", (role,)).fetchone()
    if row is None or rotate:
        password = secrets.token_urlsafe(24)
        connection.execute(
            """
            insert into ops.role_secrets (role_name, password) values (%s, %s)
            on conflict (role_name) do update set password = excluded.password, issued_at = now()
            """,
            (role, vault.encrypt(password.encode())),
        )
    else:
        password = vault.decrypt(row[0], if_lost="--rotate sets a new password").decode()
    # Set each time: a role may change its own password, and a restored database meets a server that knows none.
    # As a verifier, so that no statement log holds the password.
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    try:
        connection.execute(
            sql.SQL("alter role {} with password {}").format(sql.Identifier(role), sql.Literal(verifier.decode()))
        )
    except errors.LockNotAvailable as error:
        raise DatabaseError(
            f"the login {role} is held by a transaction of its own, which is altering it",
            hint="wait for it to end, or say --rotate: that ends the login's sessions and gives it a new password",
        ) from error
    return _url(connection, role, password)


def _url(connection: psycopg.Connection, role: str, password: str) -> str:
    info = connection.info
    parameters = info.get_parameters()
    query: dict[str, str] = {name: parameters[name] for name in ("sslmode", "sslrootcert") if name in parameters}
    host = info.host
    if host.startswith("/"):
        query["host"], host = host, ""
    elif ":" in host:
        host = f"[{host}]"
    query_text = f"?{urlencode(query)}" if query else ""
    return (
        f"postgresql://{role}:{quote(password, safe='')}@{host}:{info.port}/{quote(info.dbname, safe='')}{query_text}"
    )


def _ensure_group(connection: psycopg.Connection) -> None:
    row = connection.execute("select rolcanlogin from pg_roles where rolname = %s", (GROUP,)).fetchone()
    if row is None:
        connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(GROUP)))
    elif row[0]:
        connection.execute(sql.SQL("alter role {} with nologin").format(sql.Identifier(GROUP)))


# Looked up for all at once, and then only those are written that differ: altering a role that is as it should be
# would lock and rewrite its catalog row each night.
_UNLIKE = """
select wanted.name, r.oid is not null as known, coalesce(m.is_member, false)
from unnest(%(names)s::text[]) as wanted (name)
left join pg_roles as r on r.rolname = wanted.name
cross join lateral (
    select exists (
        select from pg_auth_members where roleid = %(group)s::regrole and member = r.oid
    ) as is_member
) as m
where not coalesce(
    m.is_member and r.rolcanlogin and r.rolconnlimit = %(limit)s and r.rolconfig @> %(settings)s::text[], false
)
order by wanted.name
"""


def _unlike(connection: psycopg.Connection, names: Sequence[str]) -> list[tuple[str, bool, bool]]:
    """Those of ``names`` that are not as a login should be; whether there is such a role, and whether in the group."""
    settings = [f"{name}={value}" for name, value in _settings(connection).items()]
    parameters = {"names": list(names), "group": GROUP, "limit": CONNECTION_LIMIT, "settings": settings}
    return connection.execute(_UNLIKE, parameters).fetchall()


def _settings(connection: psycopg.Connection) -> dict[str, str]:
    """What a login's sessions begin with: limits as far as the warehouse's role may set them."""
    rows = connection.execute(
        "select name from unnest(%s::text[]) as name where has_parameter_privilege(name, 'set')", [list(LIMITS)]
    )
    return {**SESSION_SETTINGS, **{name: LIMITS[name] for (name,) in rows.fetchall()}}


def _ensure_logins(connection: psycopg.Connection, names: Sequence[str]) -> None:
    settings = _settings(connection)
    row = connection.execute("select current_setting('lock_timeout')").fetchone()
    assert row is not None
    for name, known, is_member in _unlike(connection, names):
        role = sql.Identifier(name)
        statements = [
            sql.SQL("{} role {} with login connection limit {}").format(
                sql.SQL("alter" if known else "create"), role, sql.Literal(CONNECTION_LIMIT)
            )
        ]
        if not is_member:
            statements.append(sql.SQL("grant {} to {}").format(sql.Identifier(GROUP), role))
        for setting, value in settings.items():
            # A list of schemas is no single value: it is written as the words it consists of.
            words = [sql.Identifier(word) for word in value.split(", ")] if "," in value else [sql.Literal(value)]
            statements.append(
                sql.SQL("alter role {} set {} = {}").format(role, sql.Identifier(setting), sql.SQL(", ").join(words))
            )
        if not known:
            connection.execute(sql.SQL("; ").join(statements))
            continue
        # Held by a transaction of its own, it stays as it is until the next call.
        with suppress(errors.LockNotAvailable), connection.transaction():
            connection.execute("select set_config('lock_timeout', %s, true)", [_HELD_BY_ITSELF])
            connection.execute(sql.SQL("; ").join(statements))
            connection.execute("select set_config('lock_timeout', %s, true)", [row[0]])


def _retried(connection: psycopg.Connection, work: Callable[[], None]) -> None:
    """Run ``work`` in a transaction, again when another session changed the same role meanwhile."""
    for attempt in range(1, 6):
        try:
            with connection.transaction():
                work()
            return
        except (errors.DuplicateObject, errors.UniqueViolation):
            pass
        except errors.InternalError_ as error:
            if "concurrently" not in str(error):
                raise
        time.sleep(0.05 * attempt)
    raise DatabaseError(
        "The BI roles could not be prepared: other sessions keep changing them.", hint="Run the command again."
    )
