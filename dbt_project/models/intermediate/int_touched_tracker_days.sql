{{ config(
    unlogged=true,
    indexes=[{'columns': ['site_id', 'page_view_date'], 'unique': true}],
    post_hook=["analyze {{ this }}"]
) }}

-- grain: one site-local day whose losses this run counts anew; key (site_id, page_view_date)
-- Where the changed page views were counted,
select
    site_id,
    earlier_date as page_view_date
from {{ ref('int_tracker_changes') }}
where earlier_date is not null
union
-- where they are counted now,
select
    page_views.site_id,
    page_views.page_view_date
from {{ ref('int_tracker_changes') }} as changes
inner join {{ ref('int_tracker_page_views') }} as page_views
    on changes.page_view_id = page_views.page_view_id and changes.site_id = page_views.site_id
union
-- and the days that somebody asked for.
select
    sites.site_id,
    requested.day as page_view_date
from {{ source('ops', 'requested_days') }} as requested
cross join {{ ref('stg_sites') }} as sites
