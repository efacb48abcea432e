{{ config(
    unlogged=true,
    indexes=[{'columns': ['site_id', 'visitor_id', 'session_number'], 'unique': true}],
    post_hook=["analyze {{ this }}"]
) }}

-- grain: one rebuilt session; key (site_id, visitor_id, session_number)
with events as (
    select * from {{ ref('int_events_sessionized') }}
),

counted as (
    -- Exactly one row of a session is its start, so max() over it picks that row's value.
    select
        site_id,
        visitor_id,
        session_number,
        max(cast(event_id as text)) filter (where is_session_start) as first_event_id,
        max(source_key) filter (where is_session_start) as own_source_key,
        max(source) filter (where is_session_start) as own_source,
        max(medium) filter (where is_session_start) as own_medium,
        max(campaign) filter (where is_session_start) as own_campaign,
        max(campaign_id) filter (where is_session_start) as own_campaign_id,
        max(term) filter (where is_session_start) as own_term,
        max(content) filter (where is_session_start) as own_content,
        max(referral_path) filter (where is_session_start) as own_referral_path,
        max(inherited_source) as inherited_source,
        max(inherited_medium) as inherited_medium,
        max(inherited_campaign) as inherited_campaign,
        max(inherited_campaign_id) as inherited_campaign_id,
        max(inherited_term) as inherited_term,
        max(inherited_content) as inherited_content,
        max(inherited_referral_path) as inherited_referral_path,
        max(country) filter (where is_session_start) as country,
        max(device_kind) filter (where is_session_start) as device_kind,
        count(*) as event_count,
        count(*) filter (where is_interaction) as interaction_count,
        count(*) filter (where event_type = 'page_view') as page_view_count,
        count(*) filter (where event_type = 'screen_view') as screen_view_count,
        count(*) filter (where event_type = 'event') as named_event_count,
        count(*) filter (where event_type = 'transaction') as transaction_count,
        sum(revenue) filter (where event_type = 'transaction') as revenue,
        bool_or(has_visitor) as has_visitor,
        bool_or(is_bot) as is_bot,
        min(occurred_at) as session_start_at,
        max(occurred_at) as session_end_at,
        max(occurred_at) filter (where is_interaction) as last_interaction_at,
        min(local_date) as session_date
    from events
    group by site_id, visitor_id, session_number
),

engagement as (
    select
        site_id,
        visitor_id,
        session_number,
        cast(sum(engaged_ms) as bigint) as engaged_ms
    from (
        select
            site_id,
            visitor_id,
            session_number,
            page_key,
            max(engaged_ms) as engaged_ms
        from events
        where engaged_ms is not null
        group by site_id, visitor_id, session_number, page_key
    ) as pages
    group by site_id, visitor_id, session_number
),

pages as (
    select
        site_id,
        visitor_id,
        session_number,
        max(case when is_entrance then page_path || coalesce('?' || page_query, '') end) as landing_page,
        max(case when is_exit then page_path || coalesce('?' || page_query, '') end) as exit_page
    from {{ ref('int_page_views') }}
    group by site_id, visitor_id, session_number
)

select
    counted.site_id,
    counted.visitor_id,
    counted.session_number,
    md5(concat_ws(chr(31), counted.site_id, counted.visitor_id, counted.first_event_id)) as session_id,
    cast(counted.first_event_id as uuid) as first_event_id,
    coalesce(pages.landing_page, '(not set)') as landing_page,
    coalesce(pages.exit_page, '(not set)') as exit_page,
    coalesce(counted.own_source, '(direct)') as own_source,
    coalesce(counted.own_medium, '(none)') as own_medium,
    coalesce(counted.own_campaign, '(direct)') as own_campaign,
    coalesce(counted.own_source, counted.inherited_source, '(direct)') as source,
    coalesce(counted.own_medium, counted.inherited_medium, '(none)') as medium,
    coalesce(counted.own_campaign, counted.inherited_campaign, '(direct)') as campaign,
    coalesce(counted.own_campaign_id, counted.inherited_campaign_id, '(not set)') as campaign_id,
    coalesce(counted.own_term, counted.inherited_term, '(not set)') as term,
    coalesce(counted.own_content, counted.inherited_content, '(not set)') as content,
    case
        when counted.own_source_key is null then counted.inherited_referral_path else counted.own_referral_path
    end as referral_path,
    coalesce(counted.country, '(not set)') as country,
    coalesce(counted.device_kind, '(not set)') as device_kind,
    case when counted.has_visitor and counted.interaction_count > 0 then 1 end as visits,
    counted.event_count,
    counted.interaction_count,
    counted.page_view_count,
    counted.screen_view_count,
    counted.named_event_count,
    counted.transaction_count,
    cast(coalesce(counted.revenue, 0) as numeric(18, 6)) as revenue,
    coalesce(engagement.engaged_ms, 0) as engaged_ms,
    cast(
        coalesce({{ seconds_between('counted.session_start_at', 'counted.last_interaction_at') }}, 0) as numeric(15, 3)
    ) as duration_s,
    counted.own_source_key is null as is_direct,
    counted.session_number = 1 and counted.has_visitor as is_new_visitor,
    counted.has_visitor and counted.interaction_count = 1 as is_bounce,
    counted.has_visitor,
    counted.is_bot,
    counted.session_start_at,
    counted.session_end_at,
    counted.session_date
from counted
left join engagement
    on
        counted.site_id = engagement.site_id
        and counted.visitor_id = engagement.visitor_id
        and counted.session_number = engagement.session_number
left join pages
    on
        counted.site_id = pages.site_id
        and counted.visitor_id = pages.visitor_id
        and counted.session_number = pages.session_number
