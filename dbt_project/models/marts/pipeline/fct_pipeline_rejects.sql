{{ config(
    incremental_strategy='replace_touched',
    touched='int_touched_received_days',
    touched_on=['site_id', 'received_date']
) }}

-- grain: one site, UTC day of receipt and reason; key (site_id, received_date, reason). No site is an empty site_id.
select
    counts.site_id,
    counts.received_date,
    counts.reason,
    cast(sum(counts.landed_rows) as bigint) as reject_count
from {{ ref('int_touched_received_days') }} as touched
inner join {{ ref('stg_load_counts') }} as counts
    on touched.site_id = counts.site_id and touched.received_date = counts.received_date
where counts.reason <> ''
group by counts.site_id, counts.received_date, counts.reason
