{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook=["{{ prune_covered_changes() }}"]
) }}

-- grain: one site-local day whose sessions changed, as one run noticed it; a log that survives a crashed run
with rebuilds as (
    select * from {{ ref('int_visitor_rebuilds') }}
),

days as (
    -- Where the rebuilt sessions were,
    select
        rebuilds.site_id,
        earlier.session_date
    from rebuilds
    cross join lateral (
        select sessions.session_date
        from {{ previous_sessions() }} as sessions
        where
            sessions.site_id = rebuilds.site_id
            and sessions.visitor_id = rebuilds.visitor_id
            and sessions.session_number >= rebuilds.first_session_number
    ) as earlier
    union
    -- where they are now,
    select
        site_id,
        session_date
    from {{ ref('int_sessions') }}
    union
    -- and the days that somebody asked for.
    select
        sites.site_id,
        requested.day as session_date
    from {{ source('ops', 'requested_days') }} as requested
    cross join {{ ref('stg_sites') }} as sites
)

select
    site_id,
    session_date,
    {{ finished_transform() }} as finished_transform_id
from days
