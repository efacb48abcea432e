{{ config(
    incremental_strategy='replace_touched',
    touched='int_touched_received_days',
    touched_on=['site_id', 'received_date']
) }}

-- grain: one site and UTC day of receipt; key (site_id, received_date); rejects that name no site have an empty site_id
-- Landed and late rows are what the load counted in the objects; loaded rows are counted in raw.events, unique events
-- in int_events and all further deliveries in int_repeats, so that the balance compares four independent counts.
with touched as (
    select * from {{ ref('int_touched_received_days') }}
),

landed as (
    select
        touched.site_id,
        touched.received_date,
        sum(counts.landed_rows) filter (where counts.reason = '') as landed_count,
        sum(counts.late_rows) filter (where counts.reason = '') as late_count,
        sum(counts.landed_rows) filter (where counts.reason <> '') as reject_count
    from touched
    inner join {{ ref('stg_load_counts') }} as counts
        on touched.site_id = counts.site_id and touched.received_date = counts.received_date
    -- A load that ended beside this run is counted by the next one, when its rows are.
    where counts.batch_id <= {{ window_upto() }}
    group by touched.site_id, touched.received_date
),

loaded as (
    select
        touched.site_id,
        touched.received_date,
        sum(counts.loaded_rows) as loaded_count
    from touched
    inner join {{ ref('int_batch_counts') }} as counts
        on touched.site_id = counts.site_id and touched.received_date = counts.received_date
    group by touched.site_id, touched.received_date
),

received_days as (
    select
        {{ utc_midnight('min(received_date)') }} as received_from,
        {{ utc_midnight('max(received_date) + 1') }} as received_before
    from touched
),

unique_events as (
    select
        site_id,
        {{ utc_date('received_at') }} as received_date,
        count(*) as event_count
    from {{ ref('int_events') }}
    where
        received_at >= (select received_days.received_from from received_days)
        and received_at < (select received_days.received_before from received_days)
    group by site_id, {{ utc_date('received_at') }}
),

repeats as (
    select
        site_id,
        {{ utc_date('received_at') }} as received_date,
        count(*) filter (where not is_conflict) as duplicate_count,
        count(*) filter (where is_conflict) as conflict_count
    from {{ ref('int_repeats') }}
    where
        received_at >= (select received_days.received_from from received_days)
        and received_at < (select received_days.received_before from received_days)
    group by site_id, {{ utc_date('received_at') }}
),

purge_limit as (
    select max(day) as purged_through from {{ source('ops', 'purged_days') }}
),

counted as (
    select
        touched.site_id,
        touched.received_date,
        coalesce(landed.landed_count, 0) as landed_count,
        coalesce(landed.late_count, 0) as late_count,
        coalesce(landed.reject_count, 0) as reject_count,
        coalesce(loaded.loaded_count, 0) as loaded_count,
        -- The events of a purged day are gone: its counts stay what they were.
        case
            when touched.received_date <= purge_limit.purged_through then coalesce(before.event_count, 0)
            else coalesce(unique_events.event_count, 0)
        end as event_count,
        case
            when touched.received_date <= purge_limit.purged_through then coalesce(before.duplicate_count, 0)
            else coalesce(repeats.duplicate_count, 0)
        end as duplicate_count,
        case
            when touched.received_date <= purge_limit.purged_through then coalesce(before.conflict_count, 0)
            else coalesce(repeats.conflict_count, 0)
        end as conflict_count
    from touched
    cross join purge_limit
    left join landed on touched.site_id = landed.site_id and touched.received_date = landed.received_date
    left join loaded on touched.site_id = loaded.site_id and touched.received_date = loaded.received_date
    left join unique_events
        on touched.site_id = unique_events.site_id and touched.received_date = unique_events.received_date
    left join repeats on touched.site_id = repeats.site_id and touched.received_date = repeats.received_date
    left join {{ previous_state('marts', 'fct_pipeline_ledger', {
        'site_id': 'text', 'received_date': 'date', 'event_count': 'bigint', 'duplicate_count': 'bigint',
        'conflict_count': 'bigint'
    }) }} as before
        on touched.site_id = before.site_id and touched.received_date = before.received_date
)

select
    site_id,
    received_date,
    cast(landed_count as bigint) as landed_count,
    cast(late_count as bigint) as late_count,
    cast(loaded_count as bigint) as loaded_count,
    cast(event_count as bigint) as event_count,
    cast(duplicate_count as bigint) as duplicate_count,
    cast(conflict_count as bigint) as conflict_count,
    cast(reject_count + conflict_count as bigint) as reject_count,
    landed_count = event_count + duplicate_count + conflict_count + late_count
    and loaded_count = event_count + duplicate_count + conflict_count as is_balanced
from counted
