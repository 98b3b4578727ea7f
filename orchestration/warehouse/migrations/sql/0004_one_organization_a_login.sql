-- A tenant's policy compares with one number instead of a list. ops.tenant_roles gives a login one organization, so it
-- says the same; but only "org_id = a value" lets the planner read the newest of an organization's rows from the end of
-- the index, and expect a two-hundredth of the table instead of a twentieth.

-- Looked up before: marts.organizations and its like are recognized by the policy they have.
create temporary table secured on commit drop as
select relation, tenant_column from ops.published_relations()
where kind in ('r', 'p') and tenant_column is not null and secured;

create or replace function ops.expected_policies(tenant_column name, open_to_all boolean)
returns table (policy name, reader text, condition text, definition text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select
        policy, reader, condition,
        -- As ops.policies_of prints what the catalog holds.
        'permissive for select to ' || reader || ' using ' || case policy
            when 'tenant' then format(
                '((%I = ( SELECT (ops.session_org_ids())[1] AS session_org_ids)))', tenant_column
            )
            else '(true)'
        end
    from (
        values
        -- To everyone, not to aiop_bi: whoever is a member of a role can take it out of policies (DROP OWNED BY), and
        -- so hide every tenant's rows. Only aiop_bi holds grants. The lookup is a sub-select: once a query, not a row.
        ('tenant'::name, 'public', format('%I = (select (ops.session_org_ids())[1])', tenant_column)),
        ('every_organization', 'aiop_bi_all', 'true'),
        ('open', 'public', 'true')
    ) as policies (policy, reader, condition)
    where (policy = 'open') = open_to_all
$$;

select ops.secure_table(relation, tenant_column) from secured;
