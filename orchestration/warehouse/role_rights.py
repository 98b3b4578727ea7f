"""What the role of DATABASE_URL needs on a server, and the SQL by which an administrator grants it."""

from __future__ import annotations

import psycopg
from psycopg import sql

from orchestration.errors import DatabaseError


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
    names = {"database": sql.Identifier(database), "role": sql.Identifier(role), "role_text": sql.Literal(role)}
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

-- Only roles let in by name may connect, and none of them may create anything.
revoke all on database {database} from public;
grant connect on database {database} to aiop_bi;
revoke all on schema public from public;

-- Any role may call these by default: to fill the disk with large objects or log records, or to hold advisory locks.
do $$
declare
    item record;
begin
    for item in
        select oid::regprocedure as signature from pg_proc
        where pronamespace = 'pg_catalog'::regnamespace
            and (
                proname ~ '^pg_(try_)?advisory_(xact_)?lock(_shared)?$'
                or proname in ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_import', 'pg_logical_emit_message')
            )
            and has_function_privilege('public', oid, 'execute')
    loop
        execute format('revoke execute on function %s from public', item.signature);
        execute format('grant execute on function %s to %I', item.signature, {role_text});
    end loop;
exception when insufficient_privilege then
    raise notice 'Functions of the server could not be restricted; BI roles can use large objects and advisory locks.';
end
$$;
"""
