{{ config(
    pre_hook=["{{ hash_joins_only() }}"],
    incremental_strategy='replace_visitors',
    post_hook=["{{ analyze_when_new() }}"],
    indexes=[{'columns': ['site_id', 'session_date']}]
) }}
-- depends_on: {{ ref('int_visitor_rebuilds') }}

-- grain: one page view; key (site_id, event_id)
with engagement as (
    -- The counters are cumulative per page view: the largest value is the total.
    select
        site_id,
        visitor_id,
        session_number,
        page_key,
        max(engaged_ms) as engaged_ms,
        max(scroll_percent) as scroll_percent
    from {{ ref('int_events_sessionized') }}
    where engaged_ms is not null or scroll_percent is not null
    group by visitor_id, site_id, session_number, page_key
),

page_views as (
    select
        *,
        lag(event_number) over session_order as previous_number,
        lead(occurred_at) over session_order as next_at
    from {{ ref('int_events_sessionized') }}
    where event_type = 'page_view'
    window session_order as (partition by visitor_id, site_id, session_number order by event_number)
),

first_of_key as (
    -- A page view that was sent under two event ids has its engagement once.
    select
        site_id,
        visitor_id,
        session_number,
        page_key,
        min(event_number) as event_number
    from page_views
    group by visitor_id, site_id, session_number, page_key
),

engaged as (
    select
        engagement.*,
        first_of_key.event_number
    from engagement
    inner join first_of_key
        on
            engagement.visitor_id = first_of_key.visitor_id
            and engagement.site_id = first_of_key.site_id
            and engagement.session_number = first_of_key.session_number
            and engagement.page_key = first_of_key.page_key
)

select
    page_views.site_id,
    page_views.event_id,
    sessions.session_id,
    page_views.visitor_id,
    page_views.session_number,
    page_views.page_view_id,
    coalesce(page_views.page_host, '(not set)') as page_host,
    coalesce(page_views.page_path, '(not set)') as page_path,
    page_views.page_query,
    page_views.page_title,
    coalesce(engaged.engaged_ms, 0) as engaged_ms,
    engaged.scroll_percent,
    {{ seconds_between(
        'page_views.occurred_at',
        'greatest(coalesce(page_views.next_at, sessions.last_interaction_at), page_views.occurred_at)'
    ) }} as time_on_page_s,
    page_views.previous_number is null as is_entrance,
    page_views.next_at is null as is_exit,
    sessions.has_visitor,
    sessions.is_bot,
    sessions.is_bounce,
    page_views.occurred_at,
    sessions.session_date
from page_views
inner join {{ ref('int_sessions') }} as sessions
    on
        page_views.visitor_id = sessions.visitor_id
        and page_views.site_id = sessions.site_id
        and page_views.session_number = sessions.session_number
left join engaged
    on
        page_views.visitor_id = engaged.visitor_id
        and page_views.site_id = engaged.site_id
        and page_views.event_number = engaged.event_number
