"""What the role of DATABASE_URL needs on a server, and the SQL by which an administrator grants it."""

from __future__ import annotations

import psycopg
from psycopg import sql

from orchestration.errors import DatabaseError

# Any role may call these by default. A tenant could fill the disk (large objects, log messages, files of exported
# snapshots), use up transaction numbers until the server stops, or block others (advisory locks are visible across
# roles); releasing functions stay, connection pools call them on reset.
HARMFUL_FUNCTIONS = """
    p.pronamespace = 'pg_catalog'::regnamespace
    and (
        p.proname ~ '^pg_(try_)?advisory_(xact_)?lock(_shared)?$'
        or p.proname in (
            'lo_creat', 'lo_create', 'lo_from_bytea', 'lo_import', 'pg_logical_emit_message',
            'pg_export_snapshot', 'pg_current_xact_id', 'txid_current'
        )
    )
    and has_function_privilege('public', p.oid, 'execute')
"""


class AdministratorNeeded(DatabaseError):
    """The warehouse's role lacks rights only an administrator can give; ``sql`` is what to run, in psql."""

    def __init__(self, missing: list[str], sql: str) -> None:
        super().__init__(
            "The role of DATABASE_URL lacks rights on the database server: " + "; ".join(missing) + ".",
            hint="Have an administrator run the SQL that `aiop db init` prints, then run `aiop db init` again.",
        )
        self.missing = missing
        self.sql = sql


def require_rights(connection: psycopg.Connection) -> None:
    """Raise AdministratorNeeded where the session's role could not set up the warehouse."""
    missing = missing_rights(connection)
    if missing:
        raise AdministratorNeeded(missing, administrator_sql(connection.info.dbname, connection.info.user))


def missing_rights(connection: psycopg.Connection) -> list[str]:
    """What the session's role lacks, each as a phrase; empty where it can do all that is needed."""
    rows = connection.execute(_MISSING).fetchall()
    return [row[0] for row in rows]


def tenants_unbounded(connection: psycopg.Connection) -> bool:
    """Whether BI roles could fill the server's disk or stop it: no administrator ran ``administrator_sql`` yet."""
    row = connection.execute(
        f"""
        select exists (select from pg_proc as p where {HARMFUL_FUNCTIONS})
            or not has_parameter_privilege('log_min_messages', 'set')
            or not has_parameter_privilege('temp_file_limit', 'set')
        """  # noqa: S608
    ).fetchone()
    return row == (True,)


# One row per lack. Rights on the database and on schema public matter only as far as something is left to change
# there and the role doesn't own them; the admin option on existing roles only from Postgres 16 on.
_MISSING = """
with me as (
    select *, current_setting('server_version_num')::int >= 160000 as needs_admin_option
    from pg_roles where rolname = current_user
),

here as (
    select *, pg_has_role(datdba, 'USAGE') as owned from pg_database where datname = current_database()
),

public_schema as (
    select *, pg_has_role(nspowner, 'USAGE') as owned from pg_namespace where nspname = 'public'
),

bi_roles as (
    select r.*, pg_has_role(current_user, r.oid, 'MEMBER WITH ADMIN OPTION') as administered
    from pg_roles as r
    where r.rolname in ('aiop_bi', 'aiop_bi_all')
)

select 'it may not create roles' from me where not rolcreaterole and not rolsuper
union all
select 'it may not create schemas in this database' where not has_database_privilege(current_database(), 'CREATE')
union all
select 'it may not create temporary tables in this database'
where not has_database_privilege(current_database(), 'TEMPORARY')
union all
select 'it may not administer the role ' || bi_roles.rolname from bi_roles, me
where needs_admin_option and not administered and not me.rolsuper
union all
select 'PUBLIC may connect to this database or create temporary tables in it, and it may not change that'
from here
where not owned and exists (
    select from aclexplode(coalesce(datacl, acldefault('d', datdba))) where grantee = 0
)
union all
select 'the group aiop_bi may not connect to this database, and it may not change that'
from here
where not owned and not coalesce(
    (select has_database_privilege(oid, current_database(), 'CONNECT') from bi_roles where rolname = 'aiop_bi'), false
)
union all
select 'PUBLIC has rights on schema public, and it may not change that'
from public_schema
where not owned and exists (
    select from aclexplode(coalesce(nspacl, acldefault('n', nspowner))) where grantee = 0
)
"""


def administrator_sql(database: str, role: str) -> str:
    """What a superuser, or a managed server's administrator, runs in ``database`` so that ``role`` can do the rest.

    Running it again does no harm.
    """
    names: dict[str, sql.Composable] = {
        "database": sql.Identifier(database),
        "role": sql.Identifier(role),
        "role_text": sql.Literal(role),
        "harmful": sql.SQL(HARMFUL_FUNCTIONS.strip()),
    }
    return sql.SQL(_ADMINISTRATOR).format(**names).as_string(None)


_ADMINISTRATOR = """\
-- The warehouse's role creates its schemas, tables and the login roles of BI tools.
alter role {role} with createrole;
grant connect, create, temporary on database {database} to {role};

-- The group BI roles belong to, and the role that reads every organization.
do $$
begin
    if not exists (select from pg_roles where rolname = 'aiop_bi') then
        create role aiop_bi nologin;
    end if;
    if not exists (select from pg_roles where rolname = 'aiop_bi_all') then
        create role aiop_bi_all login connection limit 20;
    end if;
    -- From Postgres 16 on, creating roles is not enough to administer those that others created.
    if current_setting('server_version_num')::int >= 160000 then
        execute format('grant aiop_bi, aiop_bi_all to %I with admin true, inherit false, set false', {role_text});
    end if;
end
$$;

-- So that the warehouse's role can limit what tenants write to the server's disk by sorting and by causing messages.
do $$
begin
    execute format('grant set on parameter log_min_messages, temp_file_limit to %I', {role_text});
exception when insufficient_privilege then
    raise notice 'BI roles can fill the disk with temporary files and log messages: limit them on the server.';
end
$$;

-- From Postgres 16 on, the setting reserved_connections keeps sessions for the warehouse, whatever tenants hold.
do $$
begin
    if current_setting('server_version_num')::int >= 160000 then
        execute format('grant pg_use_reserved_connections to %I', {role_text});
    end if;
exception when insufficient_privilege then
    raise notice 'Sessions of BI roles can take all that the server has: put a pooler in front.';
end
$$;

-- Only roles let in by name may connect, and none of them may create anything.
revoke all on database {database} from public;
grant connect on database {database} to aiop_bi;
revoke all on schema public from public;

-- Any role may call these by default: to fill the disk with large objects, log records or files of snapshots, to use up
-- transaction numbers, or to hold advisory locks.
do $$
declare
    item record;
begin
    for item in
        select p.oid::regprocedure as signature from pg_proc as p where {harmful}
    loop
        execute format('revoke execute on function %s from public', item.signature);
        execute format('grant execute on function %s to %I', item.signature, {role_text});
    end loop;
exception when insufficient_privilege then
    raise notice 'Functions of the server could not be restricted; BI roles can use large objects and advisory locks.';
end
$$;
"""
