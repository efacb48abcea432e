{{ config(
    unlogged=true,
    post_hook=["analyze {{ this }} (visitor_number, session_number, page_key, event_type, is_session_start, source_key)"]
) }}

-- grain: one event of a rebuilt visitor, with the number of its session; key (site_id, event_id)
-- Rule (d) compares an event's source with that of the open session, which may be inherited, so it looks sequential. It
-- is not: every event with a source either has the open session's source or opens a session. Hence the open session's
-- source is that of the latest event with one, unless the session inherited nothing because that event was too old when
-- it began; and as nothing with a source happened since, such a session began at the last break by the other rules.
with rebuilds as (
    select * from {{ ref('int_visitor_rebuilds') }}
),

settings as (
    select
        site_id,
        timezone,
        session_timeout_s * interval '1 second' as session_timeout,
        campaign_timeout_days * interval '1 day' as campaign_timeout,
        splits_at_midnight,
        splits_on_campaign
    from {{ ref('stg_sites') }}
),

events as (
    -- Few visitors are looked up by index; where most are touched, reading everything is cheaper. Both tables have
    -- statistics, so the database can tell.
    select
        visitor_events.*,
        rebuilds.visitor_number,
        rebuilds.first_session_number,
        rebuilds.latest_source_key,
        rebuilds.latest_sourced_at,
        coalesce(settings.session_timeout, {{ default_setting('session_timeout_s') }} * interval '1 second')
            as session_timeout,
        coalesce(settings.campaign_timeout, {{ default_setting('campaign_timeout_days') }} * interval '1 day')
            as campaign_timeout,
        coalesce(settings.splits_at_midnight, {{ default_setting('splits_at_midnight') }}) as splits_at_midnight,
        coalesce(settings.splits_on_campaign, {{ default_setting('splits_on_campaign') }}) as splits_on_campaign,
        {{ local_date(
            'visitor_events.occurred_at', "coalesce(settings.timezone, " ~ default_setting('timezone') ~ ")"
        ) }} as local_date
    from rebuilds
    inner join {{ ref('int_events') }} as visitor_events
        on
            rebuilds.visitor_id = visitor_events.visitor_id
            and rebuilds.site_id = visitor_events.site_id
            and rebuilds.rebuild_from <= visitor_events.occurred_at
    left join settings on rebuilds.site_id = settings.site_id
    where
        (visitor_events.occurred_at, visitor_events.received_at, visitor_events.segment_id, visitor_events.segment_row)
        >= (
            rebuilds.rebuild_from, rebuilds.rebuild_received_at, rebuilds.rebuild_segment_id,
            rebuilds.rebuild_segment_row
        )
),

ordered as (
    -- Each event beside the one before it. Every window here has the same order, so the events are sorted once.
    select
        events.*,
        row_number() over visitor as event_number,
        lag(occurred_at) over visitor as previous_at,
        lag(local_date) over visitor as previous_date,
        lag(session_control) over visitor as previous_control
    from events
    window visitor as (partition by visitor_number order by occurred_at, received_at, segment_id, segment_row)
),

broken as (
    -- Rules (a) first event, (b) timeout, (c) midnight, (e) asked to start, (f) the one before asked to end.
    select
        ordered.*,
        coalesce(
            previous_at is null
            or occurred_at - previous_at >= session_timeout
            or (splits_at_midnight and local_date <> previous_date)
            or session_control = 'start'
            or previous_control = 'end',
            false
        ) as is_break
    from ordered
),

compared as (
    -- Each event beside the latest event with a source before it and the last break up to it. One window for all, and
    -- the event itself added where it counts: each further window would pass every row on once more.
    select
        broken.*,
        case when is_break then occurred_at else max(occurred_at) filter (where is_break) over earlier end
            as last_break_at,
        count(*) filter (where event_type = 'page_view') over earlier
        + case when event_type = 'page_view' then 1 else 0 end as page_view_number,
        coalesce(max(event_number) filter (where source_key is not null) over earlier, 0) as latest_source_number,
        coalesce(max(occurred_at) filter (where source_key is not null) over earlier, latest_sourced_at)
            as previous_sourced_at,
        -- The greatest number carries the latest key.
        coalesce(
            substr(
                max({{ binary_text("lpad(cast(event_number as text), 10, '0') || source_key") }})
                    filter (where source_key is not null) over earlier,
                11
            ),
            latest_source_key
        ) as previous_source_key
    from broken
    window
        earlier as (
            partition by visitor_number order by occurred_at, received_at, segment_id, segment_row
            rows between unbounded preceding and 1 preceding
        )
),

split as (
    -- Rule (d): another source than the open session's.
    select
        compared.*,
        is_break
        or coalesce(
            splits_on_campaign
            and source_key is not null
            and (
                previous_source_key is null
                or source_key <> previous_source_key
                or last_break_at - previous_sourced_at > campaign_timeout
            ),
            false
        ) as is_session_start
    from compared
)

select
    site_id,
    event_id,
    visitor_id,
    visitor_number,
    first_session_number - 1 + count(*) filter (where is_session_start) over (
        partition by visitor_number order by occurred_at, received_at, segment_id, segment_row
        rows unbounded preceding
    ) as session_number,
    event_number,
    page_view_number,
    -- A direct session inherits the latest source unless it is too old: the number of its event, 0 for the one with
    -- which the rebuilt part begins.
    case
        when
            is_session_start
            and source_key is null
            and previous_source_key is not null
            and occurred_at - previous_sourced_at <= campaign_timeout
            then latest_source_number
    end as inherited_event_number,
    event_type,
    page_view_id,
    -- Events that do not name their page view belong to the latest one before them.
    coalesce(page_view_id, '#' || cast(page_view_number as text)) as page_key,
    page_host,
    page_path,
    page_query,
    page_title,
    source_key,
    source,
    medium,
    campaign,
    campaign_id,
    term,
    content,
    referral_path,
    country,
    device_kind,
    engaged_ms,
    scroll_percent,
    revenue,
    has_visitor,
    is_interaction,
    is_bot,
    is_session_start,
    occurred_at,
    local_date
from split
