{{ config(unlogged=true, post_hook=["analyze {{ this }}"]) }}

-- grain: one event that this run adds or replaces; key (site_id, event_id)
with window_days as (
    -- A batch holds rows of one UTC day, so the days of the window's batches prune raw's partitions.
    select
        {{ utc_midnight('min(day)') }} as received_from,
        {{ utc_midnight('max(day) + 1') }} as received_before
    from {{ source('ops', 'load_batches') }}
    where dataset = 'events' and {{ in_window('batch_id') }}
),

window_events as (
    select * from {{ ref('stg_events') }}
    where
        {{ in_window('batch_id') }}
        and received_at >= (select window_days.received_from from window_days)
        and received_at < (select window_days.received_before from window_days)
),

pending_sites as (
    select site_id from {{ ref('stg_sites') }}
    where is_rebuild_pending
),

pending_events as (
    -- Settings changed: what older batches brought is read again, because the source of an event obeys them.
    select * from {{ ref('stg_events') }}
    where
        batch_id <= {{ window_after() }}
        and site_id in (select pending_sites.site_id from pending_sites)
        -- Known before raw is read, so that nothing is read where nothing is pending.
        and (select count(*) from pending_sites) > 0
),

delivered as (
    select * from window_events
    union all
    select * from pending_events
),

winners as (
    -- The copy received first is the event; its place in its segment breaks the tie.
    select distinct on (site_id, event_id) *
    from delivered
    order by site_id, event_id, received_at, segment_id, segment_row
),

compared as (
    -- Each key is probed through the unique index: a join might decide to read the whole history instead.
    select
        winners.*,
        replaced.visitor_id as replaced_visitor_id,
        replaced.occurred_at as replaced_occurred_at,
        replaced.received_at as replaced_received_at,
        replaced.segment_id as replaced_segment_id,
        replaced.segment_row as replaced_segment_row
    from winners
    left join lateral (
        select *
        from {{ previous_events() }} as events
        where events.site_id = winners.site_id and events.event_id = winners.event_id
        limit 1
    ) as replaced on true
)

select * from compared
where
    replaced_received_at is null
    or (received_at, segment_id, segment_row) < (replaced_received_at, replaced_segment_id, replaced_segment_row)
    or (
        -- The same copy again: worth writing only where the settings that classify it changed.
        (received_at, segment_id, segment_row) = (replaced_received_at, replaced_segment_id, replaced_segment_row)
        and site_id in (select pending_sites.site_id from pending_sites)
    )
