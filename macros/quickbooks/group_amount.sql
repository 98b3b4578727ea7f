{% macro group_amount(group_name, absent) -%}
    {%- set names = [group_name] if group_name is string else group_name -%}
    {%- set is_of_group = "group_lines.line_group in ('" ~ names | join("', '") ~ "')" -%}
    case
        when bool_or({{ is_of_group }} and group_lines.amount is null) then null
        else coalesce(sum(group_lines.amount) filter (where {{ is_of_group }}), {{ absent }})
    end
{%- endmacro %}
