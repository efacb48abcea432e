-- grain: one source and medium of a site, over all days
select
    site_id as site,
    source,
    medium,
    sum(session_count)::bigint as sessions,
    sum(page_view_count)::bigint as page_views
from marts.fct_daily_sources
group by site_id, source, medium
having sum(session_count) > 0
order by sessions desc, site_id, source, medium
limit %(row_limit)s
