{% macro public_error(kind, message) -%}
    {#- Of the warehouse's own trouble a tenant is told that, and no more: what it says names servers and code. -#}
    case {{ kind }}
        when 'database' then
            'The warehouse could not store what it read, the source is not to blame; the rows stay as they were, and the next run tries again.'
        when 'interrupted' then
            'Reading was stopped before its end, the source is not to blame; the rows stay as they were, and the next run reads on.'
        when 'defect' then
            'The warehouse failed over what it read, by an error of its own; the rows stay as they were until whoever runs it repairs that.'
        when 'configuration' then 'The connection needs attention: ' || {{ masked_message(message) }}
        when 'refused' then
            'What was read is not believable, so the rows stay as they were: ' || {{ masked_message(message) }}
        when 'transient' then
            'The source did not answer as it should; the next run may succeed: ' || {{ masked_message(message) }}
        when 'permanent' then
            'The source answered with something that could not be processed: ' || {{ masked_message(message) }}
        else 'The source could not be read; whoever runs the warehouse knows more.'
    end
{%- endmacro %}


{% macro masked_message(message) -%}
    {#- The loader redacts what it stores; this is the second net, because tenants read it. -#}
    left(
        regexp_replace(
            regexp_replace(
                split_part(coalesce({{ message }}, 'no message'), e'\n', 1),
                '(?i)((bearer|basic)\s+|(token|secret|password|key|code)["'']?\s*[=:]\s*["'']?)[^\s"''&,;]+', '\1…', 'g'
            ),
            '(://[^:/@\s]+):[^@\s]+@', '\1:…@', 'g'
        ),
        300
    )
{%- endmacro %}
