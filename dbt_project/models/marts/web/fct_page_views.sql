{{ config(
    incremental_strategy='replace_visitors',
    indexes=[
        {'columns': ['site_id', 'visitor_id', 'session_number']},
        {'columns': ['site_id', 'session_date']}
    ]
) }}
-- depends_on: {{ ref('int_visitor_rebuilds') }}

-- grain: one page view; key (site_id, event_id)
select
    page_views.site_id,
    page_views.event_id,
    sessions.session_id,
    page_views.visitor_id,
    page_views.session_number,
    page_views.page_view_id,
    page_views.page_host,
    page_views.page_path,
    page_views.page_query,
    page_views.page_title,
    page_views.engaged_ms,
    page_views.scroll_percent,
    page_views.time_on_page_s,
    page_views.is_entrance,
    page_views.is_exit,
    sessions.has_visitor,
    sessions.is_bot,
    sessions.is_bounce,
    page_views.occurred_at,
    sessions.session_date
from {{ ref('int_page_views') }} as page_views
inner join {{ ref('int_sessions') }} as sessions
    on
        page_views.site_id = sessions.site_id
        and page_views.visitor_id = sessions.visitor_id
        and page_views.session_number = sessions.session_number
