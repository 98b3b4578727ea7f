{% macro trailing_distinct(relation, member, day, dates, windows, condition='true') -%}
    {{ return(adapter.dispatch('trailing_distinct', 'aiop')(relation, member, day, dates, windows, condition)) }}
{%- endmacro %}

{% macro postgres__trailing_distinct(relation, member, day, dates, windows, condition='true') -%}
    {#-
        From a day on which it appears, a member counts until the window has passed or it appears again, whichever is
        sooner: once on every date. So each window's count is a running sum of those that come and those that go: one
        pass over the days, however long the windows are.
    -#}
    select
        org_id,
        {{ day }}
        {%- for name in windows %},
        sum(sum({{ name }})) over (partition by org_id order by {{ day }}) as {{ name }}
        {%- endfor %}
    from (
        select
            seen.org_id,
            movement.*
        from (
            select
                org_id,
                {{ day }},
                lead({{ day }}) over (partition by org_id, {{ member }} order by {{ day }}) as next_day
            from {{ relation }}
            where {{ condition }}
        ) as seen
        cross join
            lateral (
                values
                (seen.{{ day }}{% for name in windows %}, 1{% endfor %})
                {%- for name, length in windows.items() %},
                (least(seen.{{ day }} + {{ length }}, seen.next_day)
                {%- for other in windows %}, {{ -1 if other == name else 0 }}{% endfor %})
                {%- endfor %}
            ) as movement ({{ day }}{% for name in windows %}, {{ name }}{% endfor %})
        union all
        select
            org_id,
            {{ day }}
            {%- for name in windows %},
            0 as {{ name }}
            {%- endfor %}
        from {{ dates }}
    ) as movements
    group by org_id, {{ day }}
{%- endmacro %}
