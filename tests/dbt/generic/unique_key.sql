{% test unique_key(model, columns) %}
    -- One query for what would be a unique test and a not_null test a column.
    select {{ columns | join(', ') }}, count(*) as occurrences
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1 or {{ columns | join(' is null or ') }} is null
{% endtest %}
