{{ config(
    materialized='incremental',
    incremental_strategy='replace_touched',
    touched='int_tracker_changes',
    touched_on=['site_id', 'page_view_id'],
    post_hook=["{{ analyze_when_new(['site_id', 'page_view_id', 'page_view_date']) }}"],
    indexes=[
        {'columns': ['page_view_id', 'site_id'], 'unique': true},
        {'columns': ['site_id', 'page_view_date']}
    ]
) }}

-- grain: one page view of which a numbered event arrived; key (site_id, page_view_id)
-- Whole page views, whatever sessions and visitors their events fall into: a pause or midnight splits the session, and
-- another network gives another visitor where nothing is stored in the browser. Neither is a loss.
with changed as (
    select distinct
        site_id,
        page_view_id
    from {{ ref('int_tracker_changes') }}
),

events as not materialized (
    select
        events.site_id,
        events.page_view_id,
        events.sequence_number,
        events.occurred_at,
        events.received_at,
        events.segment_id,
        events.segment_row,
        events.event_id,
        events.browser,
        events.browser_version,
        events.is_bot
    from changed
    inner join {{ ref('int_events') }} as events
        on changed.page_view_id = events.page_view_id and changed.site_id = events.site_id
    where events.sequence_number is not null
),

beginnings as (
    select distinct on (site_id, page_view_id)
        site_id,
        page_view_id,
        browser,
        browser_version,
        occurred_at
    from events
    order by
        site_id, page_view_id, sequence_number, occurred_at, received_at, segment_id, segment_row, event_id
),

counted as (
    select
        site_id,
        page_view_id,
        -- Numbers begin with 1, so the largest says how many there were.
        cast(max(sequence_number) as bigint) as expected_count,
        count(distinct sequence_number) as received_count,
        min(sequence_number) = 1 as has_first_event,
        bool_or(is_bot) as is_bot
    from events
    group by site_id, page_view_id
)

select
    counted.site_id,
    counted.page_view_id,
    coalesce(beginnings.browser, '(not set)') as browser,
    coalesce(beginnings.browser_version, '(not set)') as browser_version,
    counted.expected_count,
    counted.received_count,
    counted.has_first_event,
    counted.is_bot,
    beginnings.occurred_at as started_at,
    {{ local_date('beginnings.occurred_at', "coalesce(sites.timezone, " ~ default_setting('timezone') ~ ")") }}
        as page_view_date
from counted
inner join beginnings on counted.site_id = beginnings.site_id and counted.page_view_id = beginnings.page_view_id
left join {{ ref('stg_sites') }} as sites on counted.site_id = sites.site_id
