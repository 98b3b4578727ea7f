{% macro public_error(kind, message) -%}
    {#- The loader redacts what it stores; this is the second net, because tenants read it. -#}
    case {{ kind }}
        when 'configuration' then 'The connection needs attention: '
        when 'transient' then 'The source did not answer as it should; the next run may succeed: '
        else 'The source answered with something that could not be processed: '
    end || left(
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
