{% macro relationship_rows() -%}
    {#- What the models themselves say: foreign keys, which lead to organizations alone, and belongs_to tests. -#}
    {%- if not execute -%}
        {{ return('(values (1))') }}
    {%- endif -%}
    {%- set models = {} -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.access == 'public' -%}
        {%- do models.update({node.name: node}) -%}
    {%- endfor -%}
    {%- set found = [] -%}
    {%- for child in models.values() -%}
        {%- for constraint in child.constraints if constraint.type == 'foreign_key' -%}
            {%- do found.append(
                relationship_row(child, constraint.columns, models.organizations, ['id'], 'The organization whose row it is.')
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for node in graph.nodes.values() if (node.test_metadata or {}).name == 'belongs_to' -%}
        {%- set arguments = node.test_metadata.kwargs -%}
        {#- ref('organizations'), as the test has it. -#}
        {%- set parent = models[arguments.parent.split("'")[1]] -%}
        {%- do found.append(relationship_row(
            graph.nodes[node.attached_node], arguments.columns, parent, arguments.parent_columns, node.description
        )) -%}
    {%- endfor -%}
    (values
    {%- for row in found | unique | sort %}
    {{ row }}{{ ',' if not loop.last }}
    {%- endfor %}
    )
{%- endmacro %}


{% macro relationship_row(child, columns, parent, parent_columns, meaning) -%}
    {%- set key = child.config.unique_key -%}
    {%- set key = [key] if key is string else key -%}
    {%- set values = [
        child.schema, child.name, columns | join(', '), parent.schema, parent.name, parent_columns | join(', '),
        'one-to-one' if key | sort == columns | sort else 'many-to-one', meaning
    ] -%}
    {{ return("('" ~ values | map('replace', "'", "''") | join("', '") ~ "')") }}
{%- endmacro %}
