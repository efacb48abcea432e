-- Each touched day's summary equals what its sessions and page views say, and every day with sessions has one.
with touched as (
    select * from {{ ref('int_touched_site_days') }}
),

sessions as (
    select
        touched.site_id,
        touched.session_date,
        count(sessions.visits) as session_count,
        count(distinct case when sessions.visits = 1 then sessions.visitor_id end) as visitor_count,
        sum(sessions.event_count) as event_count
    from touched
    inner join {{ ref('fct_sessions') }} as sessions
        on touched.site_id = sessions.site_id and touched.session_date = sessions.session_date
    group by touched.site_id, touched.session_date
),

page_views as (
    select
        touched.site_id,
        touched.session_date,
        count(*) as page_view_count
    from touched
    inner join {{ ref('fct_page_views') }} as page_views
        on touched.site_id = page_views.site_id and touched.session_date = page_views.session_date
    group by touched.site_id, touched.session_date
),

summaries as (
    select summaries.*
    from touched
    inner join {{ ref('fct_daily_summary') }} as summaries
        on touched.site_id = summaries.site_id and touched.session_date = summaries.session_date
)

select
    coalesce(sessions.site_id, summaries.site_id) as site_id,
    coalesce(sessions.session_date, summaries.session_date) as session_date
from sessions
full outer join summaries on sessions.site_id = summaries.site_id and sessions.session_date = summaries.session_date
left join page_views on sessions.site_id = page_views.site_id and sessions.session_date = page_views.session_date
where
    sessions.session_count is distinct from summaries.session_count + summaries.bot_session_count
    -- A visitor may have come as both.
    or sessions.visitor_count > summaries.visitor_count + summaries.bot_visitor_count
    or sessions.event_count is distinct from summaries.event_count + summaries.bot_event_count
    or coalesce(page_views.page_view_count, 0)
    is distinct from summaries.page_view_count + summaries.bot_page_view_count
