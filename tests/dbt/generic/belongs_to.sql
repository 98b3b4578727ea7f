{% test belongs_to(model, columns, parent, parent_columns) %}
    -- Rows whose parent is missing; NULL in a column points to none. marts.relationships lists what these tests hold.
    with child as (
        select {{ columns | join(', ') }}, count(*) as occurrences
        from {{ model }}
        where {% for column in columns %}{{ column }} is not null{{ ' and ' if not loop.last }}{% endfor %}

        group by {{ columns | join(', ') }}
    )

    select child.*
    from child
    where
        not exists (
            select from {{ parent }} as parent
            where
                {% for column in columns %}
                parent.{{ parent_columns[loop.index0] }} = child.{{ column }}{{ ' and' if not loop.last }}
                {% endfor %}

            -- Looked up one by one: a parent such as every organization's every day is never to be read whole.
            offset 0
        )
{% endtest %}
