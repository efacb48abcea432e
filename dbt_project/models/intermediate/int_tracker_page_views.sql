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
with events as (
    select
        site_id,
        page_view_id,
        sequence_number,
        occurred_at,
        received_at,
        segment_id,
        segment_row,
        event_id,
        browser,
        browser_version,
        is_bot
    from {{ ref('int_events') }}
    where
        sequence_number is not null
        and {{ of_changed_page_view() }}
),

ordered as (
    -- Ids differ early and sites seldom, so events are compared by the id first.
    select
        events.*,
        row_number() over page_view as place,
        lag(sequence_number) over page_view as previous_number
    from events
    window
        page_view as (
            partition by page_view_id, site_id
            order by sequence_number, occurred_at, received_at, segment_id, segment_row, event_id
        )
),

page_views as (
    select
        site_id,
        page_view_id,
        coalesce(max(browser) filter (where place = 1), '(not set)') as browser,
        coalesce(max(browser_version) filter (where place = 1), '(not set)') as browser_version,
        -- Numbers begin with 1, so the largest says how many there were.
        cast(max(sequence_number) as bigint) as expected_count,
        count(*) filter (where sequence_number is distinct from previous_number) as received_count,
        min(sequence_number) = 1 as has_first_event,
        bool_or(is_bot) as is_bot,
        max(occurred_at) filter (where place = 1) as started_at
    from ordered
    group by page_view_id, site_id
)

select
    page_views.*,
    {{ local_date('page_views.started_at', "coalesce(sites.timezone, " ~ default_setting('timezone') ~ ")") }}
        as page_view_date
from page_views
left join {{ ref('stg_sites') }} as sites on page_views.site_id = sites.site_id
