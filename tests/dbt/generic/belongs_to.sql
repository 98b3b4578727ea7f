{% test belongs_to(model, columns, parent, parent_columns) %}
    -- Rows whose parent is missing; NULL in a column points to none. marts.relationships lists what these tests hold.
    with child as (
        select * from {{ model }}
    )

    select {{ columns | join(', ') }}, count(*) as occurrences
    from child
    where
        {% for column in columns %}child.{{ column }} is not null and {% endfor %}
        not exists (
            select from {{ parent }} as parent
            where
                {% for column in columns %}
                parent.{{ parent_columns[loop.index0] }} = child.{{ column }}{{ ' and' if not loop.last }}
                {% endfor %}
        )
    group by {{ columns | join(', ') }}
{% endtest %}
