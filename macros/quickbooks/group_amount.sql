{% macro group_amount(group_name, absent) -%}
    case
        when bool_or(group_lines.line_group = '{{ group_name }}' and group_lines.amount is null) then null
        else coalesce(sum(group_lines.amount) filter (where group_lines.line_group = '{{ group_name }}'), {{ absent }})
    end
{%- endmacro %}
