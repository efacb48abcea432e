{{ config(
    pre_hook=["{{ hash_joins_only() }}"],
    incremental_strategy='replace_visitors',
    post_hook=["{{ analyze_when_new(['site_id', 'event_id', 'visitor_id', 'session_date']) }}"],
    indexes=[
        {'columns': ['site_id', 'session_date']},
        {'columns': ['visitor_id', 'site_id', 'session_number', 'event_id'], 'unique': true}
    ]
) }}
-- depends_on: {{ ref('int_visitor_rebuilds') }}

-- grain: one page view; key (site_id, event_id)
with engagement as (
    -- The counters are cumulative per page view: the largest value is the total. It belongs to the first page view of
    -- its key, so that a page view that was sent under two event ids has it once.
    select
        visitor_number,
        min(page_view_number) filter (where event_type = 'page_view') as page_view_number,
        max(engaged_ms) as engaged_ms,
        max(scroll_percent) as scroll_percent
    from {{ ref('int_events_sessionized') }}
    where event_type = 'page_view' or engaged_ms is not null or scroll_percent is not null
    group by visitor_number, session_number, page_key
),

page_views as not materialized (
    select * from {{ ref('int_events_sessionized') }}
    where event_type = 'page_view'
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
    coalesce(engagement.engaged_ms, 0) as engaged_ms,
    engagement.scroll_percent,
    {{ seconds_between(
        'page_views.occurred_at',
        'greatest(coalesce(following.occurred_at, sessions.last_interaction_at), page_views.occurred_at)'
    ) }} as time_on_page_s,
    page_views.page_view_number = sessions.first_page_view_number as is_entrance,
    following.occurred_at is null as is_exit,
    sessions.has_visitor,
    sessions.is_bot,
    sessions.is_bounce,
    page_views.occurred_at,
    sessions.session_date
from page_views
inner join {{ ref('int_sessions') }} as sessions
    on page_views.visitor_number = sessions.visitor_number and page_views.session_number = sessions.session_number
left join page_views as following
    on
        page_views.visitor_number = following.visitor_number
        and page_views.session_number = following.session_number
        and page_views.page_view_number + 1 = following.page_view_number
left join engagement
    on
        page_views.visitor_number = engagement.visitor_number
        and page_views.page_view_number = engagement.page_view_number
