-- The sessions that this run rebuilt hold as many events as their visitors have from there on.
with rebuilds as (
    select * from {{ ref('int_visitor_rebuilds') }}
),

events as (
    select
        rebuilds.visitor_number,
        count(*) as event_count
    from rebuilds
    inner join {{ ref('int_events') }} as events
        on
            rebuilds.visitor_id = events.visitor_id
            and rebuilds.site_id = events.site_id
            and rebuilds.rebuild_from <= events.occurred_at
    where
        (events.occurred_at, events.received_at, events.segment_id, events.segment_row)
        >= (
            rebuilds.rebuild_from, rebuilds.rebuild_received_at, rebuilds.rebuild_segment_id,
            rebuilds.rebuild_segment_row
        )
    group by rebuilds.visitor_number
),

sessions as (
    select
        rebuilds.visitor_number,
        sum(sessions.event_count) as event_count
    from rebuilds
    inner join {{ ref('fct_sessions') }} as sessions
        on
            rebuilds.visitor_id = sessions.visitor_id
            and rebuilds.site_id = sessions.site_id
            and rebuilds.first_session_number <= sessions.session_number
    group by rebuilds.visitor_number
)

select
    rebuilds.site_id,
    rebuilds.visitor_id,
    events.event_count,
    sessions.event_count as session_event_count
from rebuilds
left join events on rebuilds.visitor_number = events.visitor_number
left join sessions on rebuilds.visitor_number = sessions.visitor_number
where coalesce(events.event_count, 0) <> coalesce(sessions.event_count, 0)
