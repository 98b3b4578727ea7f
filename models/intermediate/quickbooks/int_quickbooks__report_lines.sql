{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key=['org_id', 'report', 'record_id'],
        on_schema_change='sync_all_columns',
        indexes=[
            {'columns': ['org_id', 'report', 'record_id']},
        ],
    )
}}
-- One row per line of a report, and one (line_path '') for the report itself.
-- Only reports that changed since the last build are walked: docs/decisions/ has the measurement.
with recursive

reports as (

    select
        org_id,
        report,
        record_id,
        is_deleted,
        report_rows,
        -- The walk's own text takes part: where it changed, everything is walked again.
        md5(payload_hash::text || is_deleted || '{{ local_md5(model.raw_code) }}') as walk_hash
    from {{ ref('int_quickbooks__reports') }}

),

changed as (

    select reports.*
    from reports
    {% if is_incremental() %}
    where not exists (
            select
            from {{ this }} as walked
            where
                walked.org_id = reports.org_id
                and walked.report = reports.report
                and walked.record_id = reports.record_id
                and walked.walk_hash = reports.walk_hash
                and walked.line_path = ''
        )
    {% endif %}

),

walk as (

    select
        org_id,
        report,
        record_id,
        walk_hash,
        '{}'::int[] as line_path,
        null::int as open_from,
        '{}'::jsonb as line,
        case when is_deleted then '[]' else report_rows end as children
    from changed

    union all

    select
        walk.org_id,
        walk.report,
        walk.record_id,
        walk.walk_hash,
        walk.line_path || child.position::int as line_path,
        -- Sections above it that state no total, without one between that does: from this depth down to its parent.
        case
            when walk.line_path = '{}' or walk.line ?| array['Summary', 'ColData'] then null
            else coalesce(walk.open_from, cardinality(walk.line_path))
        end as open_from,
        -- Without what is below it, which is walked on its own.
        child.line - 'Rows' as line,
        {{ json_array('child.line', 'Rows.Row') }} as children
    from walk
    cross join lateral jsonb_array_elements(walk.children) with ordinality as child (line, position)
    where jsonb_typeof(child.line) = 'object'

),

lines as (

    select
        org_id,
        report,
        record_id,
        walk_hash,
        line_path,
        open_from,
        jsonb_array_length(children) > 0 as has_children,
        line ? 'Header' or line ? 'Summary' as is_section,
        line ? 'Summary' as has_summary,
        not line ?| array['Summary', 'ColData'] and line_path <> '{}' and jsonb_array_length(children) > 0 as is_open,
        {{ json_text('line', 'group') }} as line_group,
        coalesce({{ json_text('line', 'ColData.0.id') }}, {{ json_text('line', 'Header.ColData.0.id') }}) as account_id,
        coalesce(
            {{ json_text('line', 'ColData.0.value') }},
            {{ json_text('line', 'Header.ColData.0.value') }},
            {{ json_text('line', 'Summary.ColData.0.value') }}
        ) as label,
        -- A heading without an amount has none of its own; a line without one can't be read.
        coalesce(
            {{ json_text('line', 'Header.ColData.1.value') }},
            case when line ? 'ColData' then coalesce({{ json_text('line', 'ColData.1.value') }}, 'missing') end,
            ''
        ) as own_text,
        coalesce({{ json_text('line', 'Summary.ColData.1.value') }}, 'missing') as summary_text
    from walk

),

stated as (

    select
        *,
        {{ readable_amount('own_text') }} as own_amount,
        case
            when has_summary then {{ readable_amount('summary_text') }}
            when is_open or not has_children then {{ readable_amount('own_text') }}
        end as stated_amount
    from lines

),

-- What is below each section that states no total, as adjustments of operations may, down to the next that does.
open_sections as (

    select
        stated.org_id,
        stated.report,
        stated.record_id,
        stated.line_path[1:depth.of_section] as line_path,
        case when count(*) = count(stated.stated_amount) then sum(stated.stated_amount) end as below_amount
    from stated
    cross join lateral generate_series(stated.open_from, cardinality(stated.line_path) - 1) as depth (of_section)
    group by 1, 2, 3, 4

),

amounts as (

    select
        stated.*,
        stated.stated_amount + case when stated.is_open then open_sections.below_amount else 0 end as amount
    from stated
    left join open_sections using (org_id, report, record_id, line_path)

),

below as (

    select
        org_id,
        report,
        record_id,
        trim_array(line_path, 1) as line_path,
        -- Unknown as soon as one is: a sum of the others would look like a contradiction.
        case when count(*) = count(amount) then sum(amount) end as children_amount
    from amounts
    where cardinality(line_path) > 1
    group by 1, 2, 3, 4

)

select
    amounts.org_id,
    amounts.report,
    amounts.record_id,
    array_to_string(amounts.line_path, '.') as line_path,
    amounts.line_group,
    amounts.account_id,
    amounts.label,
    amounts.is_section,
    amounts.has_children,
    amounts.own_amount,
    below.children_amount,
    amounts.amount,
    case
        when amounts.own_amount is null then amounts.own_text
        when amounts.has_summary and amounts.amount is null then amounts.summary_text
    end as unreadable_text,
    amounts.walk_hash
from amounts
left join below using (org_id, report, record_id, line_path)
