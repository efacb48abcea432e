-- grain: one page of a site, over all days
select
    site_id as site,
    page_path as page,
    sum(page_view_count)::bigint as page_views,
    sum(entrance_count)::bigint as entrances
from marts.fct_daily_pages
group by site_id, page_path
having sum(page_view_count) > 0
order by page_views desc, site_id, page_path
limit %(row_limit)s
