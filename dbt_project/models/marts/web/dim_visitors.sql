{{ config(
    incremental_strategy='replace_visitors',
    post_hook=["{{ analyze_when_new(['site_id', 'visitor_id', 'first_session_date']) }}"],
    keeps_earlier_sessions=false,
    indexes=[{'columns': ['site_id', 'first_session_date']}, {'columns': ['visitor_id', 'site_id'], 'unique': true}]
) }}

-- grain: one visitor of a site; key (site_id, visitor_id)
with sessions as (
    select sessions.*
    from {{ ref('int_visitor_rebuilds') }} as rebuilds
    inner join {{ ref('fct_sessions') }} as sessions
        on rebuilds.visitor_id = sessions.visitor_id and rebuilds.site_id = sessions.site_id
    where sessions.has_visitor
)

select
    site_id,
    visitor_id,
    max(source) filter (where session_number = 1) as first_source,
    max(medium) filter (where session_number = 1) as first_medium,
    max(campaign) filter (where session_number = 1) as first_campaign,
    max(landing_page) filter (where session_number = 1) as first_landing_page,
    count(*) filter (where visits = 1) as session_count,
    cast(sum(page_view_count) as bigint) as page_view_count,
    cast(sum(event_count) as bigint) as event_count,
    cast(sum(engaged_ms) as bigint) as engaged_ms,
    cast(sum(revenue) as numeric(24, 6)) as revenue,
    bool_or(is_bot) as is_bot,
    min(session_start_at) as first_seen_at,
    max(session_end_at) as last_seen_at,
    min(session_date) filter (where visits = 1 and not is_bot) as first_session_date
from sessions
group by site_id, visitor_id
