{{ config(
    pre_hook=["{{ hash_joins_only() }}"],
    unlogged=true,
    post_hook=["analyze {{ this }} (visitor_number, session_number, source, medium, campaign)"]
) }}

-- grain: one rebuilt session; key (site_id, visitor_id, session_number)
with events as not materialized (
    select
        *,
        lpad(cast(page_view_number as text), 10, '0') || coalesce(page_path, '(not set)')
        || coalesce('?' || page_query, '') as numbered_page
    from {{ ref('int_events_sessionized') }}
),

counted as (
    select
        visitor_number,
        session_number,
        -- The least and the greatest number carry the first and the last page.
        substr(
            min({{ binary_text("numbered_page") }})
                filter (where event_type = 'page_view'),
            11
        ) as landing_page,
        substr(
            max({{ binary_text("numbered_page") }})
                filter (where event_type = 'page_view'),
            11
        ) as exit_page,
        count(*) as event_count,
        count(*) filter (where is_interaction) as interaction_count,
        count(*) filter (where event_type = 'page_view') as page_view_count,
        count(*) filter (where event_type = 'screen_view') as screen_view_count,
        count(*) filter (where event_type = 'event') as named_event_count,
        count(*) filter (where event_type = 'transaction') as transaction_count,
        sum(revenue) filter (where event_type = 'transaction') as revenue,
        bool_or(is_bot) as is_bot,
        min(page_view_number) filter (where event_type = 'page_view') as first_page_view_number,
        max(occurred_at) as session_end_at,
        max(occurred_at) filter (where is_interaction) as last_interaction_at
    from events
    group by visitor_number, session_number
),

engagement as (
    -- The counter is cumulative per page view: the largest value is the total of the page view.
    select
        visitor_number,
        session_number,
        cast(sum(engaged_ms) as bigint) as engaged_ms
    from (
        select
            visitor_number,
            session_number,
            page_key,
            max(engaged_ms) as engaged_ms
        from {{ ref('int_events_sessionized') }}
        where engaged_ms is not null
        group by visitor_number, session_number, page_key
    ) as pages
    group by visitor_number, session_number
),

starts as not materialized (
    select * from {{ ref('int_events_sessionized') }}
    where is_session_start
),

inheriting as (
    select
        visitor_number,
        session_number,
        inherited_event_number
    from starts
    where inherited_event_number is not null
),

inherited as (
    -- The source of an earlier event of the rebuilt part, or the one with which that part begins.
    select
        inheriting.visitor_number,
        inheriting.session_number,
        events.source,
        events.medium,
        events.campaign,
        events.campaign_id,
        events.term,
        events.content,
        events.referral_path
    from inheriting
    inner join {{ ref('int_events_sessionized') }} as events
        on
            inheriting.visitor_number = events.visitor_number
            and inheriting.inherited_event_number = events.event_number
    where events.source_key is not null
    union all
    select
        inheriting.visitor_number,
        inheriting.session_number,
        rebuilds.latest_source as source,
        rebuilds.latest_medium as medium,
        rebuilds.latest_campaign as campaign,
        rebuilds.latest_campaign_id as campaign_id,
        rebuilds.latest_term as term,
        rebuilds.latest_content as content,
        rebuilds.latest_referral_path as referral_path
    from inheriting
    inner join {{ ref('int_visitor_rebuilds') }} as rebuilds on inheriting.visitor_number = rebuilds.visitor_number
    where inheriting.inherited_event_number = 0
)

select
    starts.site_id,
    starts.visitor_id,
    starts.visitor_number,
    starts.session_number,
    md5(concat_ws(chr(31), starts.site_id, starts.visitor_id, cast(starts.event_id as text))) as session_id,
    starts.event_id as first_event_id,
    coalesce(counted.landing_page, '(not set)') as landing_page,
    coalesce(counted.exit_page, '(not set)') as exit_page,
    coalesce(starts.source, '(direct)') as own_source,
    coalesce(starts.medium, '(none)') as own_medium,
    coalesce(starts.campaign, '(direct)') as own_campaign,
    coalesce(starts.source, inherited.source, '(direct)') as source,
    coalesce(starts.medium, inherited.medium, '(none)') as medium,
    coalesce(starts.campaign, inherited.campaign, '(direct)') as campaign,
    coalesce(starts.campaign_id, inherited.campaign_id, '(not set)') as campaign_id,
    coalesce(starts.term, inherited.term, '(not set)') as term,
    coalesce(starts.content, inherited.content, '(not set)') as content,
    case when starts.source_key is null then inherited.referral_path else starts.referral_path end as referral_path,
    coalesce(starts.country, '(not set)') as country,
    coalesce(starts.device_kind, '(not set)') as device_kind,
    cast(case when starts.has_visitor and counted.interaction_count > 0 then 1 end as smallint) as visits,
    counted.event_count,
    counted.interaction_count,
    counted.page_view_count,
    counted.screen_view_count,
    counted.named_event_count,
    counted.transaction_count,
    counted.first_page_view_number,
    cast(coalesce(counted.revenue, 0) as numeric(18, 6)) as revenue,
    coalesce(engagement.engaged_ms, 0) as engaged_ms,
    cast(
        coalesce({{ seconds_between('starts.occurred_at', 'counted.last_interaction_at') }}, 0) as numeric(15, 3)
    ) as duration_s,
    starts.source_key is null as is_direct,
    starts.session_number = 1 and starts.has_visitor as is_new_visitor,
    starts.has_visitor and counted.interaction_count = 1 as is_bounce,
    starts.has_visitor,
    counted.is_bot,
    starts.occurred_at as session_start_at,
    counted.session_end_at,
    counted.last_interaction_at,
    starts.local_date as session_date
from starts
inner join counted
    on starts.visitor_number = counted.visitor_number and starts.session_number = counted.session_number
left join engagement
    on starts.visitor_number = engagement.visitor_number and starts.session_number = engagement.session_number
left join inherited
    on starts.visitor_number = inherited.visitor_number and starts.session_number = inherited.session_number
