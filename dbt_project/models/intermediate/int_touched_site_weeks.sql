{{ config(
    unlogged=true,
    indexes=[{'columns': ['site_id', 'session_week'], 'unique': true}],
    post_hook=["analyze {{ this }}"]
) }}

-- grain: one site-local week, named by its Monday, whose retention this run rebuilds; key (site_id, session_week)
select distinct
    site_id,
    {{ week_of('session_date') }} as session_week
from {{ ref('int_touched_site_days') }}
