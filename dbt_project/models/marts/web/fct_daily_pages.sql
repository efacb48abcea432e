{{ config(
    incremental_strategy='replace_touched',
    touched='int_touched_site_days',
    touched_on=['site_id', 'session_date']
) }}

-- grain: one site, site-local day and page; key (site_id, session_date, page_host, page_path)
with page_views as (
    select page_views.*
    from {{ ref('int_touched_site_days') }} as touched
    inner join {{ ref('fct_page_views') }} as page_views
        on touched.site_id = page_views.site_id and touched.session_date = page_views.session_date
)

select
    site_id,
    session_date,
    page_host,
    page_path,
    count(distinct visitor_id) filter (where has_visitor and not is_bot) as visitor_count,
    count(*) filter (where not is_bot) as page_view_count,
    count(*) filter (where is_entrance and not is_bot) as entrance_count,
    count(*) filter (where is_exit and not is_bot) as exit_count,
    count(*) filter (where is_entrance and is_bounce and not is_bot) as bounce_count,
    cast(coalesce(sum(time_on_page_s) filter (where not is_bot), 0) as numeric(18, 3)) as time_on_page_s,
    cast(coalesce(sum(engaged_ms) filter (where not is_bot), 0) / 1000.0 as numeric(18, 3)) as engaged_s,
    count(*) filter (where is_bot) as bot_page_view_count
from page_views
group by site_id, session_date, page_host, page_path
