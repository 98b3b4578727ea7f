{% test readable(model) %}
{{ config(severity='warn') }}
    -- Records landed lately whose fields are not what the source documents: they are NULL here.
    select *
    from {{ model }}
    where unreadable_fields is not null
        and extracted_at >= current_timestamp - interval '{{ var("recheck_days") }} days'
{% endtest %}
