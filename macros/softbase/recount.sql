{% macro recount_organizations(organizations, covered) -%}
    {#- One organization at a time, from the ends of an index: no rows are read for it. -#}
    select
        organizations.org_id,
        organizations.rules_hash,
        {%- for name, counted in covered.items() %}
        {{ name }}_changes.changed_at as {{ name }}_now,
        {%- if is_incremental() %}
        coalesce(stored.{{ name }}, '-infinity') as {{ name }},
        {%- else %}
        '-infinity'::timestamptz as {{ name }},
        {%- endif %}
        {%- endfor %}
        {%- if is_incremental() %}
        -- All days: of other rules; or what they were counted from was made anew, and knows of old dates no more.
        (
            stored.rules_hash is distinct from organizations.rules_hash
            {%- for name in covered %}
            or coalesce({{ name }}_changes.first_changed_at > stored.{{ name }}, false)
            {%- endfor %}
        ) as is_whole
        {%- else %}
        true as is_whole
        {%- endif %}
    from {{ organizations }} as organizations
    {%- for name, counted in covered.items() %}
    cross join lateral (
        select
            min(counted.changed_at) as first_changed_at,
            max(counted.changed_at) as changed_at
        from {{ counted }} as counted
        where counted.org_id = organizations.org_id
    ) as {{ name }}_changes
    {%- endfor %}
    {%- if is_incremental() %}
    left join (
        select
            org_id,
            {%- for name in covered %}
            max({{ name }}) as {{ name }},
            {%- endfor %}
            min(rules_hash) as rules_hash
        from {{ this }}
        group by org_id
    ) as stored using (org_id)
    {%- endif %}
{%- endmacro %}


{% macro changed_since(organizations, covered, counted) -%}
    select changed.*
    from {{ organizations }} as organizations
    cross join lateral (
        select counted.*
        from {{ counted }} as counted
        where
            counted.org_id = organizations.org_id
            and (organizations.is_whole or counted.changed_at > organizations.{{ covered }})
        -- Kept apart, so that each organization's rows are found by the index.
        offset 0
    ) as changed
{%- endmacro %}


{% macro text_of(name) -%}
    {#- While dbt parses, it does not know all models yet. -#}
    {{ return(graph.nodes['model.' ~ project_name ~ '.' ~ name].raw_code if execute else '') }}
{%- endmacro %}
