{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook=["{{ prune_covered_changes() }}"]
) }}

-- grain: one visitor whose events changed from a moment on, as one run noticed it; a log that survives a crashed run
with arrivals as not materialized (
    select * from {{ ref('int_arrivals') }}
),

pending_sites as (
    select site_id from {{ ref('stg_sites') }}
    where is_rebuild_pending
),

moments as (
    select
        site_id,
        visitor_id,
        occurred_at
    from arrivals
    union all
    -- A replaced copy leaves a gap where it was, maybe with another visitor.
    select
        site_id,
        replaced_visitor_id as visitor_id,
        replaced_occurred_at as occurred_at
    from arrivals
    where replaced_visitor_id is not null
    union all
    -- Settings changed: every visitor of the site is rebuilt from the oldest event that may still change.
    select
        events.site_id,
        events.visitor_id,
        events.occurred_at
    from {{ previous_events() }} as events
    where
        events.site_id in (select pending_sites.site_id from pending_sites)
        and events.occurred_at >= {{ changeable_from() }}
        and (select count(*) from pending_sites) > 0
)

select
    site_id,
    visitor_id,
    min(occurred_at) as changed_from,
    {{ finished_transform() }} as finished_transform_id
from moments
group by site_id, visitor_id
