-- Tenancy is defined here and nowhere else: dbt's post-hooks, the command line and the audit all call these functions.
-- They name every object in full and pin search_path, so that nobody's session can change what they mean.

create function ops.published_schemas() returns text[]
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return array['marts', 'objects', 'kpis', 'platform', 'benchmarks', 'catalog'];
comment on function ops.published_schemas() is 'Schemas BI roles may use. Everything in them is under row-level security.';

-- session_user, not current_user and no setting: it alone can't be changed by whoever is logged in.
create function ops.session_org_ids() returns int[]
language sql stable security definer parallel safe
set search_path = pg_catalog, pg_temp
as $$select coalesce(array_agg(org_id), '{}') from ops.tenant_roles where role_name = session_user$$;
comment on function ops.session_org_ids() is 'Organizations of the login role of this session; empty for every other role.';
grant execute on function ops.session_org_ids() to aiop_bi;

-- Brings one relation of a published schema under row-level security, changing only what differs: policies, grants and
-- options take locks that stop readers. Called again it repairs what was altered and follows a changed declaration.
create function ops.secure_table(
    target regclass, tenant_column name default 'org_id', open_to_all boolean default false
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    relation pg_class;
    wanted record;
    item record;
begin
    select * into strict relation from pg_class where oid = target;
    if relation.relnamespace::regnamespace::text <> all (ops.published_schemas()) then
        raise exception 'ops.secure_table: % is not in a published schema (%)',
            target, array_to_string(ops.published_schemas(), ', ');
    end if;
    if relation.relkind not in ('r', 'p', 'v') then
        raise exception 'ops.secure_table: % is neither a table nor a view: row-level security can''t protect it', target
            using hint = 'Materialized views and foreign tables have no row-level security. Publish a table instead.';
    end if;

    if relation.relkind = 'v' then
        if not exists (
            select from pg_options_to_table(relation.reloptions)
            where option_name = 'security_invoker' and option_value::boolean
        ) then
            execute format('alter view %s set (security_invoker = true)', target);
        end if;
    else
        if not open_to_all and not exists (
            select from pg_attribute where attrelid = target and attname = tenant_column and atttypid = 'int4'::regtype
        ) then
            raise exception 'ops.secure_table: % has no integer column %', target, tenant_column
                using hint = 'Name the tenant''s column, or say open_to_all where every organization may read every row.';
        end if;
        if not relation.relrowsecurity then
            execute format('alter table %s enable row level security', target);
        end if;
        if relation.relforcerowsecurity then
            execute format('alter table %s no force row level security', target);
        end if;
        if not open_to_all then
            perform ops.hide_statistics(target);
        end if;

        for wanted in select * from ops.expected_policies(tenant_column, open_to_all) loop
            continue when exists (
                select from ops.policies_of(target) as actual
                where actual.policy = wanted.policy and actual.definition = wanted.definition
            );
            if exists (select from ops.policies_of(target) as p where p.policy = wanted.policy) then
                execute format('drop policy %I on %s', wanted.policy, target);
            end if;
            execute format(
                'create policy %I on %s for select to %s using (%s)',
                wanted.policy, target, wanted.reader, wanted.condition
            );
        end loop;
        -- Ours by name but not wanted any more, when a table's declaration changed.
        for item in
            select policy from ops.policies_of(target)
            where policy in ('tenant', 'every_organization', 'open')
            except select policy from ops.expected_policies(tenant_column, open_to_all)
        loop
            execute format('drop policy %I on %s', item.policy, target);
        end loop;
    end if;

    if not has_table_privilege('aiop_bi', target, 'select') then
        execute format('grant select on %s to aiop_bi', target);
    end if;
end
$$;
comment on function ops.secure_table(regclass, name, boolean) is
    'Row-level security, policies, grants and hidden statistics for one published table or view; writes only what differs.';

create function ops.expected_policies(tenant_column name, open_to_all boolean)
returns table (policy name, reader text, condition text, definition text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select
        policy, reader, condition,
        -- As ops.policies_of prints what the catalog holds.
        'permissive for select to ' || reader || ' using ' || case policy
            when 'tenant' then format(
                '((%I = ANY (( SELECT ops.session_org_ids() AS session_org_ids)::integer[])))', tenant_column
            )
            else '(true)'
        end
    from (
        values
        -- To everyone, not to aiop_bi: whoever is a member of a role can take it out of policies (DROP OWNED BY), and
        -- so hide every tenant's rows. Only aiop_bi holds grants. The lookup is a sub-select: once a query, not a row.
        ('tenant'::name, 'public', format('%I = any ((select ops.session_org_ids())::int[])', tenant_column)),
        ('every_organization', 'aiop_bi_all', 'true'),
        ('open', 'public', 'true')
    ) as policies (policy, reader, condition)
    where (policy = 'open') = open_to_all
$$;
comment on function ops.expected_policies(name, boolean) is 'The policies a published table must have, and no others.';

create function ops.policies_of(target regclass)
returns table (policy name, definition text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select
        polname,
        format(
            '%s for %s to %s using (%s)%s',
            case when polpermissive then 'permissive' else 'restrictive' end,
            case polcmd
                when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all'
            end,
            (
                select string_agg(case role when 0 then 'public' else pg_get_userbyid(role) end, ', ')
                from unnest(polroles) as role
            ),
            pg_get_expr(polqual, polrelid),
            ' with check ' || pg_get_expr(polwithcheck, polrelid)
        )
    from pg_policy
    where polrelid = target
$$;
comment on function ops.policies_of(regclass) is 'The policies a table has, each as one comparable line.';

-- The planner estimates with statistics over all rows, and EXPLAIN shows its estimates: by asking for
-- "name < 'M'", a tenant could search out values of others bound by bound. Published tables of tenants keep none.
create function ops.hide_statistics(target regclass) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    item record;
begin
    -- A target of 0 stops new statistics and keeps old ones, as a table has that was analyzed before it was secured.
    for item in
        select s.schemaname, s.tablename, s.attname, s.inherited, c.oid = target as is_column, a.atttypid, a.atttypmod
        from pg_class as c
        inner join pg_stats as s
            on s.schemaname = c.relnamespace::regnamespace::text and s.tablename = c.relname
        inner join pg_attribute as a on a.attrelid = c.oid and a.attname = s.attname
        where c.oid = target or c.oid in (select indexrelid from pg_index where indrelid = target)
        order by is_column
    loop
        if current_setting('server_version_num')::int >= 180000 then
            execute 'select pg_clear_attribute_stats($1, $2, $3, $4)'
            using item.schemaname::text, item.tablename::text, item.attname::text, item.inherited;
        elsif item.is_column then
            -- Before Postgres 18, only a change of type drops statistics, and those of indexed expressions with them;
            -- also a change to the type it is. It is refused while a policy uses the column: secure_table makes it
            -- anew.
            if exists (select from ops.policies_of(target) as p where p.policy = 'tenant') then
                execute format('drop policy tenant on %s', target);
            end if;
            execute format(
                'alter table %s alter column %I type %s',
                target, item.attname, format_type(item.atttypid, item.atttypmod)
            );
        end if;
    end loop;

    for item in
        select attname from pg_attribute
        where attrelid = target and attnum > 0 and not attisdropped and attstattarget is distinct from 0
    loop
        execute format('alter table %s alter column %I set statistics 0', target, item.attname);
    end loop;
    -- Expressions of an index have statistics of their own.
    for item in
        select i.indexrelid::regclass as index, a.attnum
        from pg_index as i
        inner join pg_attribute as a on a.attrelid = i.indexrelid
        where i.indrelid = target and i.indkey[a.attnum - 1] = 0 and a.attstattarget is distinct from 0
    loop
        execute format('alter index %s alter column %s set statistics 0', item.index, item.attnum);
    end loop;
end
$$;
comment on function ops.hide_statistics(regclass) is 'Keeps a tenant table''s columns out of the planner''s statistics, which EXPLAIN would disclose.';

-- Rights on the database itself. Neither CREATE DATABASE … TEMPLATE nor a restored dump brings them along.
create function ops.secure_database() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    item record;
begin
    for item in
        select privilege_type
        from pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba)))
        where datname = current_database() and grantee = 0
    loop
        execute format('revoke %s on database %I from public', item.privilege_type, current_database());
    end loop;
    if not has_database_privilege('aiop_bi', current_database(), 'connect') then
        execute format('grant connect on database %I to aiop_bi', current_database());
    end if;
    if exists (
        select from pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner)))
        where nspname = 'public' and grantee = 0
    ) then
        revoke all on schema public from public;
    end if;
end
$$;
comment on function ops.secure_database() is 'Nobody but BI roles may connect, and they may create nothing; writes only what differs.';

grant usage on schema marts, objects, kpis, platform, benchmarks, catalog to aiop_bi;
