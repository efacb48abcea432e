{{ config(
    unlogged=true,
    indexes=[{'columns': ['visitor_id', 'site_id'], 'unique': true}],
    post_hook=["analyze {{ this }}"]
) }}

-- grain: one visitor whose sessions this run rebuilds, and from where on; key (site_id, visitor_id)
-- Every split rule looks backwards only. So sessions that ended before the first change stay as they are, the session
-- into which it falls starts where it started, and everything from there on is computed anew.
with changes as (
    select
        site_id,
        visitor_id,
        min(changed_from) as changed_from
    from {{ ref('int_changes') }}
    group by visitor_id, site_id
),

earlier as (
    -- The session into which the change may fall. It is unaffected itself, so a retry after a crash finds the same.
    select
        changes.*,
        coalesce(sites.session_timeout_s, {{ default_setting('session_timeout_s') }}) as session_timeout_s,
        sessions.session_number,
        sessions.first_event_id
    from changes
    left join {{ ref('stg_sites') }} as sites on changes.site_id = sites.site_id
    left join lateral (
        select
            sessions.session_number,
            sessions.first_event_id
        from {{ previous_sessions() }} as sessions
        where
            sessions.site_id = changes.site_id
            and sessions.visitor_id = changes.visitor_id
            and sessions.session_start_at < changes.changed_from
        order by sessions.session_number desc
        limit 1
    ) as sessions on true
),

neighbours as (
    select
        earlier.*,
        -- Looked up only where there is a session to fall into.
        case
            when earlier.session_number is not null
                then (
                    select max(events.occurred_at)
                    from {{ ref('int_events') }} as events
                    where
                        events.site_id = earlier.site_id
                        and events.visitor_id = earlier.visitor_id
                        and events.occurred_at < earlier.changed_from
                )
        end as previous_event_at
    from earlier
),

joined as (
    -- A change within the timeout of the event before it falls into that event's session, which is rebuilt as a whole.
    -- Otherwise it opens a session, and the one before need not be read: the purge may have taken its events.
    select
        neighbours.*,
        coalesce(
            changed_from - previous_event_at < session_timeout_s * interval '1 second' and session_number is not null,
            false
        ) as falls_into_session
    from neighbours
)

select
    joined.site_id,
    joined.visitor_id,
    -- A short key: events are sorted and joined by it many times over.
    row_number() over (order by joined.visitor_id, joined.site_id) as visitor_number,
    joined.changed_from,
    coalesce(first_events.occurred_at, joined.changed_from) as rebuild_from,
    -- The rest of the order, to tell events of the same microsecond apart.
    coalesce(first_events.received_at, cast('-infinity' as timestamptz)) as rebuild_received_at,
    coalesce(first_events.segment_id, '') as rebuild_segment_id,
    coalesce(first_events.segment_row, -1) as rebuild_segment_row,
    numbered.first_session_number,
    -- The latest source before, which the first rebuilt session may inherit.
    latest.source_key as latest_source_key,
    latest.sourced_at as latest_sourced_at,
    latest.source as latest_source,
    latest.medium as latest_medium,
    latest.campaign as latest_campaign,
    latest.campaign_id as latest_campaign_id,
    latest.term as latest_term,
    latest.content as latest_content,
    latest.referral_path as latest_referral_path
from joined
cross join lateral (
    select coalesce(joined.session_number, 0) + case when joined.falls_into_session then 0 else 1 end
        as first_session_number
) as numbered
left join lateral (
    select events.*
    from {{ ref('int_events') }} as events
    where
        joined.falls_into_session
        and events.site_id = joined.site_id
        and events.event_id = joined.first_event_id
    limit 1
) as first_events on true
left join lateral (
    select *
    from {{ previous_sources() }} as earlier
    where
        earlier.site_id = joined.site_id
        and earlier.visitor_id = joined.visitor_id
        and earlier.session_number < numbered.first_session_number
    order by earlier.session_number desc
    limit 1
) as latest on true
