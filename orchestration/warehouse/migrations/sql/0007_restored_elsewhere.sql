-- What a warehouse says of roles, stated once. A dump that is restored on a server without the BI roles loses each
-- statement that names one: grants, the policies of aiop_bi_all, and what stands in one statement with a grant. Where
-- the builder has another name there, default privileges are lost, too. Every upgrade calls this after its migrations,
-- so that none of them needs a grant of its own.

create or replace function ops.secure_warehouse() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    owner pg_roles;
    item record;
begin
    perform ops.secure_database();

    for item in
        select s.name from unnest(ops.published_schemas()) as s (name)
        where not has_schema_privilege('aiop_bi', s.name, 'usage')
    loop
        execute format('grant usage on schema %I to aiop_bi', item.name);
    end loop;

    -- Functions are executable by PUBLIC unless told otherwise.
    select r.* into strict owner
    from pg_namespace as n inner join pg_roles as r on r.oid = n.nspowner
    where n.nspname = 'ops';
    if not exists (
        select from pg_default_acl
        where defaclrole = owner.oid and defaclnamespace = 0 and defaclobjtype = 'f'
            and not exists (select from aclexplode(defaclacl) where grantee = 0)
    ) then
        execute format('alter default privileges for role %I revoke execute on functions from public', owner.rolname);
    end if;
    for item in
        select p.oid::regprocedure as signature from pg_proc as p
        where p.pronamespace = 'ops'::regnamespace
            and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) where grantee = 0)
    loop
        execute format('revoke execute on routine %s from public', item.signature);
    end loop;
    if not has_function_privilege('aiop_bi', 'ops.session_org_ids()', 'execute') then
        grant execute on function ops.session_org_ids() to aiop_bi;
    end if;

    -- What was published says so itself: policies that name no role, and views' security_invoker, come back with the
    -- dump. What nobody published, or what was altered, stays as it is, for the audit to find.
    for item in
        select r.relation, r.tenant_column, r.open
        from ops.published_relations() as r
        where case
            when r.kind = 'v' then exists (
                select from pg_options_to_table(r.options)
                where option_name = 'security_invoker' and option_value::boolean
            )
            when r.kind not in ('r', 'p') then false
            when r.tenant_column is null then r.open
            else exists (select from ops.policies_of(r.relation) as p where p.policy = 'tenant')
        end
        order by r.relation
    loop
        perform ops.secure_table(
            item.relation, coalesce(item.tenant_column, 'org_id'), item.open and item.tenant_column is null
        );
    end loop;
end
$$;
comment on function ops.secure_warehouse() is
    'Puts back all that BI roles need and a restore without them loses: rights, policies, functions; writes only what differs.';
