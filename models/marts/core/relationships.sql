{{
    config(
        unique_key=['child_schema', 'child_table', 'child_columns', 'parent_schema', 'parent_table'],
        upsert_scope='all',
        open_to_all=true,
    )
}}
-- One row per way in which published tables may be joined, as the models' foreign keys and belongs_to tests state it.
select
    child_schema,
    child_table,
    child_columns,
    parent_schema,
    parent_table,
    parent_columns,
    cardinality,
    meaning
from
    {{ relationship_rows() }} as relationship (
        child_schema, child_table, child_columns, parent_schema, parent_table, parent_columns, cardinality, meaning
    )
