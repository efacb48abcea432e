{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook=["{{ prune_covered_changes() }}"],
    post_hook=["analyze {{ this }} (site_id, page_view_id)"]
) }}

-- grain: one page view whose numbered events changed, as one run noticed it; a log that survives a crashed run
with arrivals as not materialized (
    select * from {{ ref('int_arrivals') }}
),

page_views as (
    select
        site_id,
        page_view_id
    from arrivals
    where sequence_number is not null
    union
    -- A replaced copy leaves a gap where it was, maybe in another page view.
    select
        arrivals.site_id,
        replaced.page_view_id
    from arrivals
    cross join lateral (
        select events.page_view_id
        from {{ previous_events() }} as events
        where
            events.site_id = arrivals.site_id
            and events.event_id = arrivals.event_id
            and events.sequence_number is not null
        limit 1
    ) as replaced
    where arrivals.replaced_visitor_id is not null
)

select
    page_views.site_id,
    page_views.page_view_id,
    {{ finished_transform() }} as finished_transform_id,
    -- The day that counts it until this run moves it to another.
    earlier.page_view_date as earlier_date
from page_views
left join lateral (
    select
        numbered.started_at,
        numbered.page_view_date
    from {{ previous_tracker_page_views() }} as numbered
    where numbered.site_id = page_views.site_id and numbered.page_view_id = page_views.page_view_id
    limit 1
) as earlier on true
-- The purge may have taken events of what began before its horizon: that stays as it is.
where earlier.started_at is null or earlier.started_at >= {{ changeable_from() }}
