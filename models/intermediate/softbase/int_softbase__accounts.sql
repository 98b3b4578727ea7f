-- One row per organization and ledger account, with what kind of account it is; NULL where nothing says.
with

chart as (

    select distinct on (org_id, account_no)
        org_id,
        {{ softbase_key('account_no') }} as account_no,
        description,
        is_cash,
        is_receivable,
        is_payable,
        lower(concat_ws(' / ', section_group, section, account_type, report_type)) as stated
    from {{ ref('stg_softbase__chart_of_accounts') }}
    where not is_deleted and {{ softbase_key('account_no') }} is not null
    order by org_id asc, account_no asc, extracted_at desc

),

-- Whether a dealership flags accounts at all.
flags as (

    select
        org_id,
        coalesce(bool_or(is_cash), false) as cash,
        coalesce(bool_or(is_receivable), false) as receivable,
        coalesce(bool_or(is_payable), false) as payable
    from chart
    group by org_id

),

known as (

    select
        org_id,
        account_no
    from chart

    union distinct

    select
        org_id,
        account_no
    from {{ ref('int_softbase__ledger') }}
    where is_actual and not is_deleted and account_no is not null

),

described as (

    select
        known.org_id,
        known.account_no,
        organizations.slug,
        chart.description,
        chart.is_cash,
        chart.is_receivable,
        chart.is_payable,
        chart.stated,
        chart.org_id is not null as is_in_chart
    from known
    inner join {{ source('ops', 'organizations') }} as organizations on known.org_id = organizations.id
    left join chart using (org_id, account_no)

),

guessed as (

    select
        described.*,
        case
            -- A word may mean something else where it stands: what class and number agree on goes before it.
            when {{ account_side('prefixes.kind') }} = {{ account_side('classes.kind') }}
                and {{ account_side('prefixes.kind') }} <> {{ account_side('sections.kind') }}
                then prefixes.kind
            when sections.match_on = 'section' then sections.kind
            -- The chart names a side; the number may say more of it, not contradict it.
            when sections.kind is not null and {{ account_side('prefixes.kind') }} = {{ account_side('sections.kind') }}
                then prefixes.kind
            else coalesce(sections.kind, prefixes.kind)
        end as guess
    from described
    left join lateral (
        select rules.kind
        from {{ ref('softbase_account_kinds') }} as rules
        where
            rules.org_slug in (described.slug, '*')
            and rules.match_on = 'prefix'
            and starts_with(described.account_no, rules.pattern)
        order by rules.org_slug = '*', rules.priority, length(rules.pattern) desc
        limit 1
    ) as prefixes on true
    left join lateral (
        select
            rules.match_on,
            rules.kind
        from {{ ref('softbase_account_kinds') }} as rules
        where
            rules.org_slug in (described.slug, '*')
            and rules.match_on in ('section', 'class')
            and described.stated ~ ('\m' || rules.pattern)
        order by
            rules.org_slug = '*',
            rules.priority asc,
            ({{ account_side('rules.kind') }} = {{ account_side('prefixes.kind') }}) is not true,
            length(rules.pattern) desc,
            rules.pattern
        limit 1
    ) as sections on true
    left join lateral (
        select rules.kind
        from {{ ref('softbase_account_kinds') }} as rules
        where
            rules.org_slug in (described.slug, '*')
            and rules.match_on = 'class'
            and described.stated ~ ('\m' || rules.pattern)
        order by rules.org_slug = '*', rules.priority asc, length(rules.pattern) desc, rules.pattern
        limit 1
    ) as classes on true

)

select
    guessed.org_id,
    guessed.account_no,
    guessed.description,
    case
        when guessed.is_cash then 'cash'
        when guessed.is_receivable then 'receivable'
        when guessed.is_payable then 'payable'
        -- Where a dealership flags its accounts, one without the flag is none, whatever its number.
        when guessed.is_in_chart and guessed.guess = 'cash' and flags.cash then 'other_current_asset'
        when guessed.is_in_chart and guessed.guess = 'receivable' and flags.receivable then 'other_current_asset'
        when guessed.is_in_chart and guessed.guess = 'payable' and flags.payable then 'other_current_liability'
        else guessed.guess
    end as kind
from guessed
left join flags using (org_id)
