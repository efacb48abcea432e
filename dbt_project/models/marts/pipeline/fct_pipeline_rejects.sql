{{ config(
    incremental_strategy='replace_touched',
    touched='int_touched_received_days',
    touched_on=['site_id', 'received_date']
) }}

-- grain: one site, UTC day of receipt and reason; key (site_id, received_date, reason). No site is an empty site_id.
with touched as (
    select * from {{ ref('int_touched_received_days') }}
),

refused as (
    select
        counts.site_id,
        counts.received_date,
        counts.reason,
        cast(sum(counts.landed_rows) as bigint) as reject_count
    from touched
    inner join {{ ref('stg_load_counts') }} as counts
        on touched.site_id = counts.site_id and touched.received_date = counts.received_date
    where counts.reason <> '' and counts.batch_id <= {{ window_upto() }}
    group by counts.site_id, counts.received_date, counts.reason
),

conflicts as (
    -- Accepted at receipt, and refused beside the event that has their id.
    select
        touched.site_id,
        touched.received_date,
        'id_conflict' as reason,
        ledger.conflict_count as reject_count
    from touched
    inner join {{ ref('fct_pipeline_ledger') }} as ledger
        on touched.site_id = ledger.site_id and touched.received_date = ledger.received_date
    where ledger.conflict_count > 0
)

select * from refused
union all
select * from conflicts
