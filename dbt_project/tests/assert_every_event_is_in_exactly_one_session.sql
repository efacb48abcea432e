-- The sessions that this run rebuilt hold as many events as their visitors have from there on.
with rebuilds as (
    select * from {{ ref('int_visitor_rebuilds') }}
),

expected as (
    select
        rebuilds.site_id,
        rebuilds.visitor_id,
        (
            select count(*)
            from {{ ref('int_events') }} as events
            where
                events.site_id = rebuilds.site_id
                and events.visitor_id = rebuilds.visitor_id
                and events.occurred_at >= rebuilds.rebuild_from
                and (events.occurred_at, events.received_at, events.segment_id, events.segment_row)
                >= (
                    rebuilds.rebuild_from, rebuilds.rebuild_received_at, rebuilds.rebuild_segment_id,
                    rebuilds.rebuild_segment_row
                )
        ) as event_count,
        (
            select coalesce(sum(sessions.event_count), 0)
            from {{ ref('fct_sessions') }} as sessions
            where
                sessions.site_id = rebuilds.site_id
                and sessions.visitor_id = rebuilds.visitor_id
                and sessions.session_number >= rebuilds.first_session_number
        ) as session_event_count
    from rebuilds
)

select * from expected
where event_count <> session_event_count
