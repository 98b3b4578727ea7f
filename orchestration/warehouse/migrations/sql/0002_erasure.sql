-- Erasing an organization: the record of it, where its rows are, and the guards that keep it away.

create table ops.erased_organizations (
    id int primary key,
    slug_hash text not null,
    organization_id uuid not null,
    erased_at timestamptz not null default now(),
    rows_removed jsonb not null
);
create index erased_organizations_by_slug on ops.erased_organizations (slug_hash);
create index erased_organizations_by_uuid on ops.erased_organizations (organization_id);
comment on table ops.erased_organizations is
    'Organizations that were erased, without anything about them: so that neither a file, a sync nor a build brings one back.';
comment on column ops.erased_organizations.slug_hash is 'sha256 of the slug, hexadecimal (ops.slug_hash).';
comment on column ops.erased_organizations.rows_removed is 'Rows removed by table.';

create function ops.slug_hash(slug text) returns text
language sql immutable strict parallel safe
set search_path = pg_catalog, pg_temp
return encode(sha256(convert_to(slug, 'UTF8')), 'hex');
comment on function ops.slug_hash(text) is 'How a slug is remembered once its organization is erased.';

-- Found, not listed: a table that is added tomorrow is erased from, too. Schemas of others in the database are theirs.
create function ops.tenant_tables()
returns table (relation regclass, tenant_column name, by_uuid boolean)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with own as (

        select c.oid, n.nspname, c.relname
        from pg_class as c
        inner join pg_namespace as n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and not c.relispartition and (
            n.nspname = any(ops.published_schemas())
            or n.nspname in ('ops', 'staging', 'intermediate', 'reference', 'engine')
            or n.nspname like 'staging\_%'
        )

    ),

    candidates as (

        select own.oid, own.nspname, own.relname, a.attname, a.atttypid,
            case
                when a.attname = 'org_id' and a.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) then 1
                -- marts.organizations and its like: a tenant's own row, by the column its policy compares.
                when exists (
                    select from ops.policies_of(own.oid) as p
                    inner join ops.expected_policies(a.attname, false) as e using (policy, definition)
                    where p.policy = 'tenant'
                ) then 2
                when own.nspname = 'ops' and own.relname = 'organizations' and a.attname = 'id' then 3
                when a.attname = 'organization_id' and a.atttypid = 'uuid'::regtype then 4
            end as preference
        from own
        inner join pg_attribute as a on a.attrelid = own.oid
        where a.attnum > 0 and not a.attisdropped
            and not (own.nspname = 'ops' and own.relname = 'erased_organizations')

    )

    select distinct on (c.oid) c.oid::regclass, c.attname, c.atttypid = 'uuid'::regtype
    from candidates as c
    where c.preference is not null
    order by c.oid, c.preference
$$;
comment on function ops.tenant_tables() is
    'Tables that hold rows of organizations, with the column that says whose; by_uuid: it holds organization_id, not org_id.';

-- Every load and every failure ends with a row here, in the transaction that lands rows. The lock on the organization
-- makes an erasure wait for loads that are past this point, and loads that are not give way to it: one that waited
-- would hold rows the erasure in turn waits for.
create function ops.refuse_runs_of_erased() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform from ops.organizations where id = new.org_id for key share skip locked;
    if not found and (
        exists (select from ops.organizations where id = new.org_id)
        or exists (select from ops.erased_organizations where id = new.org_id)
    ) then
        raise exception 'organization % was erased, or is being erased: nothing lands for it any more', new.org_id
            using errcode = 'AIOP1';
    end if;
    return new;
end
$$;
comment on function ops.refuse_runs_of_erased() is 'Keeps what a running sync still holds of an erased organization from landing.';

create trigger refuse_erased before insert on ops.sync_runs
for each row execute function ops.refuse_runs_of_erased();

create function ops.refuse_erased_organizations() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (
        select from ops.erased_organizations as e
        where e.id = new.id or e.slug_hash = ops.slug_hash(new.slug) or e.organization_id = new.organization_id
    ) then
        raise exception 'organization % was erased, and does not come back under its id, slug or organization_id', new.id
            using errcode = 'AIOP1';
    end if;
    return new;
end
$$;
comment on function ops.refuse_erased_organizations() is 'Keeps an erased organization from being added again, by whatever way.';

create trigger refuse_erased before insert or update of id, slug, organization_id on ops.organizations
for each row execute function ops.refuse_erased_organizations();
