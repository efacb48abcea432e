{{ config(
    unlogged=true,
    post_hook=["analyze {{ this }} (site_id, event_id, visitor_id, page_referrer, replaced_visitor_id)"]
) }}

-- grain: one delivery that adds, replaces or repeats an event
-- key (site_id, event_id, batch_id, segment_id, segment_row)
-- At most one of an event is its arrival, which int_events takes; int_repeats takes the others.
with window_days as (
    -- A batch holds rows of one UTC day, so the days of the window's batches prune raw's partitions.
    select
        {{ utc_midnight('min(day)') }} as received_from,
        {{ utc_midnight('max(day) + 1') }} as received_before
    from {{ source('ops', 'load_batches') }}
    where dataset = 'events' and {{ in_window('batch_id') }}
),

window_events as not materialized (
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

remapped as (
    select
        remapped_batches.batch_id,
        load_batches.day
    from {{ source('ops', 'remapped_batches') }} as remapped_batches
    inner join {{ source('ops', 'load_batches') }} as load_batches
        on remapped_batches.batch_id = load_batches.batch_id
),

reread_events as (
    -- Settings changed: what older batches brought is read again, because the source of an event obeys them.
    select * from {{ ref('stg_events') }}
    where
        site_id in (select pending_sites.site_id from pending_sites)
        -- Known before raw is read, so that nothing is read where nothing is pending.
        and (select count(*) from pending_sites) > 0
        and {{ window_after() }} <> ''
        and batch_id <= {{ window_after() }}
    union all
    -- Rows of older batches were replaced, because what their clients sent is mapped in another way now.
    select * from {{ ref('stg_events') }}
    where
        batch_id in (select remapped.batch_id from remapped)
        and (select count(*) from remapped) > 0
        and received_at >= (select {{ utc_midnight('min(remapped.day)') }} from remapped)
        and received_at < (select {{ utc_midnight('max(remapped.day) + 1') }} from remapped)
        and site_id not in (select pending_sites.site_id from pending_sites)
        and batch_id <= {{ window_after() }}
),

known_events as (
    -- What happened before the purge horizon stays as it is: part of its sessions' events are gone. A repeat stays one,
    -- even when the purge has taken the event that it repeats.
    select reread_events.*
    from reread_events
    where
        occurred_at >= {{ changeable_from() }}
        and not exists (
            select 1
            from {{ previous_repeats() }} as repeats
            where
                repeats.site_id = reread_events.site_id
                and repeats.event_id = reread_events.event_id
                and repeats.batch_id = reread_events.batch_id
                and repeats.segment_id = reread_events.segment_id
                and repeats.segment_row = reread_events.segment_row
        )
),

delivered as not materialized (
    select * from window_events
    union all
    select * from known_events
),

repeated as (
    -- Few events are delivered twice: only these are sorted, and of the others only the keys are read and counted.
    select
        site_id,
        event_id
    from (
        select
            site_id,
            event_id
        from window_events
        union all
        select
            site_id,
            event_id
        from known_events
    ) as delivered_keys
    group by event_id, site_id
    having count(*) > 1
),

copies_to_keep as (
    -- The copy received first is the event; its place in its segment breaks the tie. A segment that was shipped again
    -- after its object had been purged repeats even that: then the batch breaks it.
    select distinct on (delivered.site_id, delivered.event_id)
        delivered.site_id,
        delivered.event_id,
        delivered.segment_id,
        delivered.segment_row,
        delivered.batch_id
    from delivered
    inner join repeated on delivered.site_id = repeated.site_id and delivered.event_id = repeated.event_id
    order by
        delivered.site_id, delivered.event_id, delivered.received_at, delivered.segment_id, delivered.segment_row,
        delivered.batch_id
),

ranked as (
    select
        delivered.*,
        copies_to_keep.event_id is null
        or (
            delivered.segment_id = copies_to_keep.segment_id
            and delivered.segment_row = copies_to_keep.segment_row
            and delivered.batch_id = copies_to_keep.batch_id
        ) as is_first
    from delivered
    left join copies_to_keep
        on delivered.site_id = copies_to_keep.site_id and delivered.event_id = copies_to_keep.event_id
),

compared as (
    -- Each key is probed through the unique index: a join might decide to read the whole history instead.
    select
        ranked.*,
        replaced.visitor_id as replaced_visitor_id,
        replaced.occurred_at as replaced_occurred_at,
        replaced.received_at as replaced_received_at,
        replaced.batch_id as replaced_batch_id,
        replaced.segment_id as replaced_segment_id,
        replaced.segment_row as replaced_segment_row,
        replaced.content_hash as replaced_content_hash,
        coalesce(
            (ranked.received_at, ranked.segment_id, ranked.segment_row, ranked.batch_id)
            = (replaced.received_at, replaced.segment_id, replaced.segment_row, replaced.batch_id),
            false
        ) as is_known
    from ranked
    left join lateral (
        select *
        from {{ previous_events() }} as events
        where events.site_id = ranked.site_id and events.event_id = ranked.event_id
        limit 1
    ) as replaced on true
),

decided as (
    select
        compared.*,
        is_first
        and (
            replaced_received_at is null
            or (received_at, segment_id, segment_row)
            < (replaced_received_at, replaced_segment_id, replaced_segment_row)
            or (
                -- The same copy again: worth writing only where it or the settings that classify it changed.
                is_known
                and replaced_occurred_at >= {{ changeable_from() }}
                and (
                    site_id in (select pending_sites.site_id from pending_sites)
                    or batch_id in (select remapped.batch_id from remapped)
                )
            )
        ) as is_arrival
    from compared
)

select * from decided
where is_arrival or not is_known
