{{ config(unlogged=true) }}

-- grain: one page view of a rebuilt session; key (site_id, event_id)
with events as (
    select * from {{ ref('int_events_sessionized') }}
),

sessions as (
    select
        site_id,
        visitor_id,
        session_number,
        max(occurred_at) filter (where is_interaction) as last_interaction_at
    from events
    group by site_id, visitor_id, session_number
),

engagement as (
    -- The counters are cumulative per page view: the largest value is the total.
    select
        site_id,
        visitor_id,
        session_number,
        page_key,
        max(engaged_ms) as engaged_ms,
        max(scroll_percent) as scroll_percent
    from events
    where engaged_ms is not null or scroll_percent is not null
    group by site_id, visitor_id, session_number, page_key
),

page_views as (
    select
        events.*,
        row_number() over session_order as place,
        row_number() over (session_pages order by event_number desc) as place_from_end,
        -- A page view sent twice under two event ids has its engagement once.
        row_number() over (
            partition by site_id, visitor_id, session_number, page_key order by event_number
        ) as place_of_key,
        lead(occurred_at) over session_order as next_at
    from events
    where event_type = 'page_view'
    window
        session_pages as (partition by site_id, visitor_id, session_number),
        session_order as (partition by site_id, visitor_id, session_number order by event_number)
)

select
    page_views.site_id,
    page_views.event_id,
    page_views.visitor_id,
    page_views.session_number,
    page_views.page_view_id,
    coalesce(page_views.page_host, '(not set)') as page_host,
    coalesce(page_views.page_path, '(not set)') as page_path,
    page_views.page_query,
    page_views.page_title,
    case when page_views.place_of_key = 1 then coalesce(engagement.engaged_ms, 0) else 0 end as engaged_ms,
    case when page_views.place_of_key = 1 then engagement.scroll_percent end as scroll_percent,
    {{ seconds_between(
        'page_views.occurred_at',
        'greatest(coalesce(page_views.next_at, sessions.last_interaction_at), page_views.occurred_at)'
    ) }} as time_on_page_s,
    page_views.place = 1 as is_entrance,
    page_views.place_from_end = 1 as is_exit,
    page_views.occurred_at
from page_views
inner join sessions
    on
        page_views.site_id = sessions.site_id
        and page_views.visitor_id = sessions.visitor_id
        and page_views.session_number = sessions.session_number
left join engagement
    on
        page_views.site_id = engagement.site_id
        and page_views.visitor_id = engagement.visitor_id
        and page_views.session_number = engagement.session_number
        and page_views.page_key = engagement.page_key
