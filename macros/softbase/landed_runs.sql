{% macro index_landed_runs(stream) -%}
    {{ return(adapter.dispatch('index_landed_runs', 'aiop')(stream)) }}
{%- endmacro %}

{% macro postgres__index_landed_runs(stream) -%}
    {%- if execute -%}
        {#- Not a source(): the model itself reads the staging view above it, as every model does. -#}
        {%- set landed = 'staging_softbase.' ~ stream -%}
        {#- Asked first: "if not exists" would take the lock all the same, and wait for a load that writes. -#}
        {%- set missing = run_query("select to_regclass('" ~ landed ~ "_by_run') is null as missing").rows[0].missing -%}
        {%- if missing -%}
            create index if not exists {{ stream }}_by_run on {{ landed }} (org_id, run_id)
        {%- else -%}
            select 1
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{% macro due_organizations(landed_run, rules_hash) -%}
    {#-
        By organization, what the model that asks holds already. Loads of one stream of an organization are made one after
        the other, so what a later one wrote has a higher run; between organizations runs overlap.
    -#}
    select
        organizations.id as org_id,
        {%- if is_incremental() %}
        -- Where the rules changed, everything is read again.
        case
            when stored.rules_hash = '{{ rules_hash }}' then (
                select max(held.{{ landed_run }}) from {{ this }} as held where held.org_id = organizations.id
            )
            else -1
        end as covered_run,
        (select max(held.changed_at) from {{ this }} as held where held.org_id = organizations.id) as last_changed_at
        {%- else %}
        -1 as covered_run,
        null::timestamptz as last_changed_at
        {%- endif %}
    from {{ source('ops', 'organizations') }} as organizations
    {%- if is_incremental() %}
    left join lateral (
        select held.rules_hash from {{ this }} as held where held.org_id = organizations.id limit 1
    ) as stored on true
    {%- endif %}
{%- endmacro %}


{% macro landed_since(organizations, landed) -%}
    select changed.*
    from {{ organizations }} as organizations
    cross join lateral (
        select landed.*
        from {{ landed }} as landed
        where landed.org_id = organizations.org_id and landed.run_id > organizations.covered_run
        -- Kept apart, so that each organization's rows are found by the index.
        offset 0
    ) as changed
{%- endmacro %}


{% macro holds_what_landed(register, landed, org_id) -%}
    {#- The last entry of an index each. A max() would read every row of the landed ones, which are a join. -#}
    coalesce(
        (
            select landed.run_id from {{ landed }} as landed
            where landed.org_id = {{ org_id }} order by landed.run_id desc limit 1
        ),
        -1
    ) <= coalesce(
        (
            select held.landed_run_id from {{ register }} as held
            where held.org_id = {{ org_id }} order by held.landed_run_id desc limit 1
        ),
        -1
    )
{%- endmacro %}
