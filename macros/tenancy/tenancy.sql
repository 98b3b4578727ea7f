{% macro secure_table() -%}
    {%- if execute -%}
        select ops.secure_table(
            '{{ this }}'::regclass, '{{ config.get("tenant_column", "org_id") }}', {{ config.get("open_to_all", false) | lower }}
        )
    {%- endif -%}
{%- endmacro %}


{% macro assert_tenancy() -%}
    {%- if execute and flags.WHICH in ('build', 'run', 'seed', 'snapshot') -%}
        {%- set known = run_query("select to_regclass('ops.tenancy_violations') is not null as known") -%}
        {%- if not known.rows[0].known -%}
            {%- do exceptions.raise_compiler_error(
                'The warehouse has no ops.tenancy_violations: it was not set up, or by an older version. Run: aiop db init'
            ) -%}
        {%- endif -%}
        {%- set violations = run_query('select object, problem, remedy from ops.tenancy_violations order by 1, 2') -%}
        {%- if violations.rows -%}
            {%- set lines = [] -%}
            {%- for violation in violations -%}
                {%- do lines.append(violation.object ~ ': ' ~ violation.problem ~ '; ' ~ violation.remedy) -%}
            {%- endfor -%}
            {%- do exceptions.raise_compiler_error(
                'Organizations are not kept apart, so nothing is published:\n  ' ~ lines | join('\n  ')
            ) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
