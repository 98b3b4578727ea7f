-- The audit of tenancy: one row per violation, none when tenants are apart. It reads the catalog as it is,
-- whoever changed it. (Compiling these queries would take longer than running them: hence jit = off.)

-- Who reads the warehouse as a BI role: the two fixed roles, every recorded login, and whoever was made a member of the
-- group. Members with only the admin option (from Postgres 16 on whoever creates a role gets that) read nothing by it.
create function ops.bi_roles() returns table (role_id oid, role_name name)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select oid, rolname
    from pg_roles
    where oid <> (select nspowner from pg_namespace where nspname = 'ops')
        and (
            rolname in ('aiop_bi', 'aiop_bi_all')
            or rolname in (select t.role_name from ops.tenant_roles as t)
            or oid in (
                select m.member
                from pg_auth_members as m
                where m.roleid = (select g.oid from pg_roles as g where g.rolname = 'aiop_bi')
                    -- These columns came with Postgres 16; before, every member inherits.
                    and (
                        coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, true)
                        or coalesce((to_jsonb(m) ->> 'set_option')::boolean, true)
                    )
            )
        )
$$;
comment on function ops.bi_roles() is 'Roles that read as BI roles do; the owner of the warehouse is none of them.';

-- Tables and views of the published schemas, with the column that names the tenant. No such column: open to all.
create function ops.published_relations()
returns table (
    relation regclass, kind "char", options text[], secured boolean, forced boolean, tenant_column name, open boolean
)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select
        c.oid, c.relkind, c.reloptions, c.relrowsecurity, c.relforcerowsecurity,
        coalesce(
            (
                select a.attname from pg_attribute as a
                where a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped
            ),
            -- marts.organizations: the tenant's own row, by its id.
            (
                select a.attname
                from pg_attribute as a
                inner join ops.policies_of(c.oid) as p on p.policy = 'tenant'
                inner join ops.expected_policies(a.attname, false) as e using (policy, definition)
                where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            )
        ),
        exists (select from ops.policies_of(c.oid) as p where p.policy = 'open')
    from pg_class as c
    inner join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = any(ops.published_schemas()) and c.relkind in ('r', 'p', 'v', 'm', 'f')
$$;
comment on function ops.published_relations() is 'What tenants can see of relations, and how each is protected.';

create function ops.relation_violations() returns table (object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
with

relations as (

    select
        *,
        format(
            case
                when kind = 'v' or tenant_column = 'org_id' then 'select ops.secure_table(%1$L)'
                when tenant_column is not null then 'select ops.secure_table(%1$L, %2$L)'
                when open then 'select ops.secure_table(%1$L, open_to_all => true)'
                else 'add org_id, or say whom it is for: ops.secure_table(%1$L, tenant''s column or open_to_all => true)'
            end,
            relation::text, tenant_column
        ) as secure
    from ops.published_relations()

),

tables as (

    select * from relations where kind in ('r', 'p')

),

tenant_tables as (

    select * from tables where not open or tenant_column is not null

),

policies as (

    select t.relation, t.secure, t.tenant_column, t.open, p.policy, p.definition
    from tables as t, ops.policies_of(t.relation) as p

),

indexes as (

    select
        t.relation, t.tenant_column, i.indexrelid::regclass as index, i.indisunique and i.indisvalid as is_key,
        first_column.attname is not distinct from t.tenant_column as starts_with_tenant,
        -- A surrogate key stands for no fact about anybody, so it may be unique over all tenants.
        i.indisunique and i.indnkeyatts = 1 and i.indpred is null
            and coalesce(first_column.atttypid in ('int4'::regtype, 'int8'::regtype, 'uuid'::regtype), false)
            as is_surrogate
    from tenant_tables as t
    inner join pg_index as i on i.indrelid = t.relation
    left join pg_attribute as first_column on first_column.attrelid = t.relation and first_column.attnum = i.indkey[0]

)

select relation::text, 'row-level security is off: every tenant reads every row', secure
from tables where not secured
union all
select relation::text, 'row-level security is forced: the builder would see no rows', secure
from tables where forced
union all
select
    relation::text,
    case kind when 'm' then 'a materialized view has' else 'a foreign table has' end || ' no row-level security',
    format(
        'drop %s %s, and publish a table',
        case kind when 'm' then 'materialized view' else 'foreign table' end, relation
    )
from relations where kind in ('m', 'f')
union all
select relation::text, 'the view reads with its owner''s rights: every tenant reads every row', secure
from relations
where kind = 'v' and not exists (
    select from pg_options_to_table(options) where option_name = 'security_invoker' and option_value::boolean
)
union all
select t.relation::text, format('policy %I is missing', e.policy), t.secure
from tables as t, ops.expected_policies(coalesce(t.tenant_column, 'org_id'), t.open) as e
where not exists (select from policies as p where p.relation = t.relation and p.policy = e.policy)
union all
select
    p.relation::text,
    format('policy %I is not the one it should be: %s', p.policy, p.definition),
    case when p.policy in ('tenant', 'every_organization', 'open') then p.secure
        else format('drop policy %I on %s', p.policy, p.relation) end
from policies as p
where not exists (
    select from ops.expected_policies(coalesce(p.tenant_column, 'org_id'), p.open) as e
    where e.policy = p.policy and e.definition = p.definition
)
union all
select t.relation::text, format('every organization may read it although it has %I', a.attname), t.secure
from tables as t
inner join pg_attribute as a
    on a.attrelid = t.relation and a.attname in ('org_id', 'organization_id') and not a.attisdropped
where t.open
union all
select
    t.relation::text,
    format(
        'EXPLAIN discloses values of other tenants, from statistics of %s',
        string_agg(quote_ident(a.attname), ', ' order by a.attnum)
    ),
    t.secure
from tenant_tables as t
inner join pg_attribute as a on a.attrelid = t.relation and a.attnum > 0 and not a.attisdropped
inner join pg_class as c on c.oid = t.relation
where a.attstattarget is distinct from 0 or exists (
    select from pg_stats as s
    where s.schemaname = c.relnamespace::regnamespace::text and s.tablename = c.relname and s.attname = a.attname
)
group by t.relation, t.secure
union all
select
    i.index::text, 'EXPLAIN discloses values of other tenants, from statistics of an expression',
    format('select ops.secure_table(%L)', i.relation::text)
from indexes as i
inner join pg_index as x on x.indexrelid = i.index
inner join pg_attribute as a on a.attrelid = i.index
inner join pg_class as c on c.oid = i.index
where x.indkey[a.attnum - 1] = 0 and (
    a.attstattarget is distinct from 0 or exists (
        select from pg_stats as s
        where s.schemaname = c.relnamespace::regnamespace::text and s.tablename = c.relname and s.attname = a.attname
    )
)
union all
select
    t.relation::text, format('EXPLAIN discloses values of other tenants, from extended statistics %I', s.stxname),
    format('drop statistics %I.%I', s.stxnamespace::regnamespace, s.stxname)
from tenant_tables as t
inner join pg_statistic_ext as s on s.stxrelid = t.relation
union all
select
    relation::text,
    format('index %s does not start with the tenant''s column: one tenant''s keys meet another''s', index),
    format('make the index start with %I', coalesce(tenant_column, 'org_id'))
from indexes
where not starts_with_tenant and not is_surrogate
union all
select
    t.relation::text, 'no unique index starts with the tenant''s column: the table has no natural key',
    format('add a unique constraint (%I, …)', t.tenant_column)
from tenant_tables as t
where t.tenant_column is not null
    and not exists (select from indexes as i where i.relation = t.relation and i.is_key and i.starts_with_tenant)
$$;
comment on function ops.relation_violations() is 'Published tables and views that are not, or not rightly, protected.';

create function ops.function_violations() returns table (object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
select
    p.oid::regprocedure::text, 'functions have no place in a published schema',
    format('drop routine %s', p.oid::regprocedure)
from pg_proc as p
inner join pg_namespace as n on n.oid = p.pronamespace
where n.nspname = any(ops.published_schemas())
union all
select
    p.oid::regprocedure::text, 'BI roles can run it with its owner''s rights',
    format('revoke execute on routine %s from public, aiop_bi', p.oid::regprocedure)
from pg_proc as p
inner join pg_namespace as n on n.oid = p.pronamespace
where p.prosecdef
    and n.nspname not in ('pg_catalog', 'information_schema')
    and n.nspname <> all (ops.published_schemas())
    and p.oid <> 'ops.session_org_ids()'::regprocedure
    and exists (select from ops.bi_roles() as b where has_function_privilege(b.role_id, p.oid, 'execute'))
union all
select
    'ops.session_org_ids()', 'the function that decides what a tenant sees was altered',
    'restore it as migrations/sql/0001_tenancy.sql has it'
from pg_proc as p
where p.oid = 'ops.session_org_ids()'::regprocedure
    and (
        not p.prosecdef
        or p.proowner <> (select nspowner from pg_namespace where nspname = 'ops')
        or p.proconfig is distinct from array['search_path=pg_catalog, pg_temp']
        or p.prosrc <> 'select coalesce(array_agg(org_id), ''{}'') from ops.tenant_roles where role_name = session_user'
    )
$$;
comment on function ops.function_violations() is 'Functions by which a BI role could read past row-level security.';

create function ops.role_violations() returns table (object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
select b.role_name::text, 'the BI role ' || a.meaning, format('alter role %I with %s', b.role_name, a.opposite)
from ops.bi_roles() as b
inner join pg_roles as r on r.oid = b.role_id
cross join lateral (
    values
    (r.rolsuper, 'is a superuser', 'nosuperuser'),
    (r.rolbypassrls, 'bypasses row-level security', 'nobypassrls'),
    (r.rolcreaterole, 'may create roles', 'nocreaterole'),
    (r.rolcreatedb, 'may create databases', 'nocreatedb'),
    (r.rolreplication, 'may read everything by replication', 'noreplication'),
    (r.rolcanlogin and r.rolname = 'aiop_bi', 'is the group and may log in', 'nologin')
) as a (violated, meaning, opposite)
where a.violated
union all
-- On Postgres 15 a tenant may make others members of its own role. That gives them nothing, and must not stop builds.
select
    b.role_name::text, format('the BI role is a member of %I', g.rolname),
    format('revoke %I from %I', g.rolname, b.role_name)
from ops.bi_roles() as b
inner join pg_auth_members as m on m.member = b.role_id
inner join pg_roles as g on g.oid = m.roleid
where g.rolname <> 'aiop_bi'
    and (g.rolname = 'aiop_bi_all' or g.oid not in (select role_id from ops.bi_roles()))
union all
select
    b.role_name::text, 'the BI role may hand on membership in aiop_bi',
    format('revoke admin option for aiop_bi from %I', b.role_name)
from ops.bi_roles() as b
inner join pg_auth_members as m on m.member = b.role_id and m.admin_option
inner join pg_roles as g on g.oid = m.roleid and g.rolname = 'aiop_bi'
union all
-- Large objects are apart: a tenant can make one on servers that don't forbid it, and nobody else can read it. So are
-- default privileges, which a tenant can set for itself and which say nothing where it can make nothing.
select
    b.role_name::text, 'the BI role owns ' || pg_describe_object(d.classid, d.objid, d.objsubid),
    format(
        'reassign owned by %I to %I', b.role_name,
        (select pg_get_userbyid(nspowner) from pg_namespace where nspname = 'ops')
    )
from ops.bi_roles() as b
inner join pg_shdepend as d
    on d.refclassid = 'pg_authid'::regclass and d.refobjid = b.role_id and d.deptype = 'o'
    and d.dbid in (0, (select oid from pg_database where datname = current_database()))
    and d.classid not in ('pg_largeobject'::regclass, 'pg_default_acl'::regclass)
$$;
comment on function ops.role_violations() is 'BI roles that could do more than read their own rows.';

create function ops.privilege_violations() returns table (object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
with

readers as (

    select role_id, role_name::text, quote_ident(role_name) as grantee from ops.bi_roles()
    union all
    select 0, 'PUBLIC', 'public'

),

-- Every privilege on schemas, relations, their columns, routines and the database, defaults included.
held as (

    select
        'schema' as kind, n.oid::regnamespace::text as object, n.nspname as schema_name,
        acl.grantee, acl.privilege_type, acl.is_grantable
    from pg_namespace as n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) as acl
    union all
    select
        case c.relkind when 'S' then 'sequence' else 'table' end, c.oid::regclass::text,
        c.relnamespace::regnamespace::text, acl.grantee, acl.privilege_type, acl.is_grantable
    from pg_class as c, aclexplode(c.relacl) as acl
    union all
    select
        'table', a.attrelid::regclass::text, c.relnamespace::regnamespace::text,
        acl.grantee, format('%s (%I)', acl.privilege_type, a.attname), acl.is_grantable
    from pg_attribute as a
    inner join pg_class as c on c.oid = a.attrelid
    cross join lateral aclexplode(a.attacl) as acl
    union all
    select
        'routine', p.oid::regprocedure::text, p.pronamespace::regnamespace::text,
        acl.grantee, acl.privilege_type, acl.is_grantable
    from pg_proc as p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as acl
    union all
    select 'database', quote_ident(d.datname), null, acl.grantee, acl.privilege_type, acl.is_grantable
    from pg_database as d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) as acl
    where d.datname = current_database()

),

judged as (

    select
        held.*, readers.role_name, readers.grantee as grantee_name,
        case
            when held.is_grantable then false
            when held.kind = 'database' then held.privilege_type = 'CONNECT'
            -- What Postgres gives to everybody of its own catalog is no secret; more than that is.
            when held.schema_name in ('pg_catalog', 'information_schema')
                then readers.role_id = 0 and held.privilege_type <> 'CREATE'
            when held.schema_name ~ '^pg_' then readers.role_id = 0
            -- Useless without the right to use its schema; with the owner's rights it is a violation of its own.
            when held.kind = 'routine' then readers.role_id = 0 or held.object = 'ops.session_org_ids()'
            when readers.role_id = 0 then false
            when held.schema_name <> all (ops.published_schemas()) then false
            when held.kind = 'schema' then held.privilege_type = 'USAGE'
            else held.kind = 'table' and held.privilege_type ~ '^SELECT'
        end as allowed
    from held
    inner join readers on readers.role_id = held.grantee

)

select
    object,
    format(
        '%s holds %s%s on %s',
        role_name, privilege_type, case when is_grantable then ' with grant option' else '' end, kind
    ),
    format('revoke %s on %s %s from %s', privilege_type, kind, object, grantee_name)
from judged
where not allowed
union all
-- Anything else: parameters, languages, foreign servers, tablespaces.
select
    pg_describe_object(d.classid, d.objid, d.objsubid), format('%s holds a privilege on it', r.role_name),
    format('revoke all on %s from %s', pg_describe_object(d.classid, d.objid, d.objsubid), r.grantee)
from readers as r
inner join pg_shdepend as d
    on d.refclassid = 'pg_authid'::regclass and d.refobjid = r.role_id and d.deptype = 'a'
    and d.dbid in (0, (select oid from pg_database where datname = current_database()))
    and d.classid not in (
        'pg_namespace'::regclass, 'pg_class'::regclass, 'pg_proc'::regclass, 'pg_database'::regclass,
        'pg_default_acl'::regclass, 'pg_largeobject'::regclass
    )
union all
select
    'objects yet to be made by ' || pg_get_userbyid(d.defaclrole),
    format('%s will hold %s on them by default', r.role_name, acl.privilege_type),
    format(
        'alter default privileges for role %I%s revoke %s on %s from %s', pg_get_userbyid(d.defaclrole),
        ' in schema ' || quote_ident(n.nspname), acl.privilege_type,
        case d.defaclobjtype
            when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'routines' when 'T' then 'types'
            else 'schemas'
        end,
        r.grantee
    )
from pg_default_acl as d
cross join lateral aclexplode(d.defaclacl) as acl
inner join readers as r on r.role_id = acl.grantee
left join pg_namespace as n on n.oid = d.defaclnamespace
where (r.role_id <> 0 or d.defaclobjtype not in ('f', 'T'))
    -- A tenant can set its own, and makes nothing they could apply to.
    and d.defaclrole not in (select role_id from readers)
$$;
comment on function ops.privilege_violations() is 'Rights of BI roles, or of everybody, beyond reading the published schemas.';

create view ops.tenancy_violations as
select * from ops.relation_violations()
union all
select * from ops.function_violations()
union all
select * from ops.role_violations()
union all
select * from ops.privilege_violations();
comment on view ops.tenancy_violations is 'What keeps tenants from being apart; empty when all is well. A build stops before it publishes otherwise.';
