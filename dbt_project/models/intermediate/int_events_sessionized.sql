{{ config(unlogged=true, post_hook=["analyze {{ this }}"]) }}

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
    -- By index, visitor by visitor: the history of everybody else is not read.
    select
        visitor_events.*,
        rebuilds.first_session_number,
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
    cross join lateral (
        select *
        from {{ ref('int_events') }} as events
        where
            events.site_id = rebuilds.site_id
            and events.visitor_id = rebuilds.visitor_id
            and events.occurred_at >= rebuilds.rebuild_from
        offset 0
    ) as visitor_events
    left join settings on rebuilds.site_id = settings.site_id
    where
        (visitor_events.occurred_at, visitor_events.received_at, visitor_events.segment_id, visitor_events.segment_row)
        >= (
            rebuilds.rebuild_from, rebuilds.rebuild_received_at, rebuilds.rebuild_segment_id,
            rebuilds.rebuild_segment_row
        )
),

ordered as (
    -- Each event beside the one before it; source_number counts the events with a source up to and with this one.
    select
        events.*,
        row_number() over visitor as event_number,
        lag(occurred_at) over visitor as previous_at,
        lag(local_date) over visitor as previous_date,
        lag(session_control) over visitor as previous_control,
        count(source_key) over visitor as source_number,
        count(*) filter (where event_type = 'page_view') over visitor as page_view_number
    from events
    window visitor as (
        partition by site_id, visitor_id order by occurred_at, received_at, segment_id, segment_row
    )
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

sources as (
    -- The visitor's sources in order; number 0 is the one with which the rebuilt part begins.
    select
        site_id,
        visitor_id,
        source_number,
        source_key,
        occurred_at as sourced_at,
        source,
        medium,
        campaign,
        campaign_id,
        term,
        content,
        referral_path
    from ordered
    where source_key is not null
    union all
    select
        rebuilds.site_id,
        rebuilds.visitor_id,
        0 as source_number,
        latest.source_key,
        latest.sourced_at,
        latest.source,
        latest.medium,
        latest.campaign,
        latest.campaign_id,
        latest.term,
        latest.content,
        latest.referral_path
    from rebuilds
    cross join lateral (
        select *
        from {{ previous_sources() }} as earlier
        where
            earlier.site_id = rebuilds.site_id
            and earlier.visitor_id = rebuilds.visitor_id
            and earlier.session_number < rebuilds.first_session_number
        order by earlier.session_number desc
        limit 1
    ) as latest
),

compared as (
    -- Each event beside the latest source before it and the last break up to it.
    select
        broken.*,
        sources.source_key as previous_source_key,
        sources.sourced_at as previous_sourced_at,
        max(case when broken.is_break then broken.occurred_at end) over visitor as last_break_at
    from broken
    left join sources
        on
            broken.site_id = sources.site_id
            and broken.visitor_id = sources.visitor_id
            and broken.source_number - case when broken.source_key is null then 0 else 1 end = sources.source_number
    window visitor as (partition by broken.site_id, broken.visitor_id order by broken.event_number)
),

split as (
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
),

numbered as (
    select
        split.*,
        first_session_number - 1 + count(*) filter (where is_session_start) over visitor as session_number
    from split
    window visitor as (partition by site_id, visitor_id order by event_number)
),

sourced as (
    -- A direct session inherits the latest source, unless it is too old.
    select
        numbered.*,
        source_key is null
        and is_session_start
        and previous_source_key is not null
        and occurred_at - previous_sourced_at <= campaign_timeout as inherits_source
    from numbered
)

select
    sourced.site_id,
    sourced.event_id,
    sourced.visitor_id,
    sourced.session_number,
    sourced.event_number,
    sourced.event_type,
    sourced.page_view_id,
    -- Events that do not name their page view belong to the latest one before them.
    coalesce(sourced.page_view_id, '#' || cast(sourced.page_view_number as text)) as page_key,
    sourced.page_host,
    sourced.page_path,
    sourced.page_query,
    sourced.page_title,
    sourced.source_key,
    sourced.source,
    sourced.medium,
    sourced.campaign,
    sourced.campaign_id,
    sourced.term,
    sourced.content,
    sourced.referral_path,
    inherited.source as inherited_source,
    inherited.medium as inherited_medium,
    inherited.campaign as inherited_campaign,
    inherited.campaign_id as inherited_campaign_id,
    inherited.term as inherited_term,
    inherited.content as inherited_content,
    inherited.referral_path as inherited_referral_path,
    sourced.country,
    sourced.device_kind,
    sourced.engaged_ms,
    sourced.scroll_percent,
    sourced.revenue,
    sourced.has_visitor,
    sourced.is_interaction,
    sourced.is_bot,
    sourced.is_session_start,
    sourced.occurred_at,
    sourced.local_date
from sourced
left join sources as inherited
    on
        sourced.inherits_source
        and sourced.site_id = inherited.site_id
        and sourced.visitor_id = inherited.visitor_id
        and sourced.source_number = inherited.source_number
