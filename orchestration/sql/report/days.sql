-- grain: one site and site-local day, the newest first
select
    session_date as day,
    site_id as site,
    visitor_count as visitors,
    new_visitor_count as new_visitors,
    session_count as sessions,
    bounce_count as bounces,
    page_view_count as page_views,
    event_count as events,
    (engaged_s / 60)::bigint as engaged_minutes,
    bot_page_view_count as bot_page_views
from marts.fct_daily_summary
order by session_date desc, site_id
limit %(row_limit)s
