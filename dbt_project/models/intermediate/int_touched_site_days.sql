{{ config(
    unlogged=true,
    indexes=[{'columns': ['site_id', 'session_date'], 'unique': true}],
    post_hook=["analyze {{ this }}"]
) }}

-- grain: one site-local day whose summaries this run rebuilds; key (site_id, session_date)
select distinct
    site_id,
    session_date
from {{ ref('int_site_day_changes') }}
