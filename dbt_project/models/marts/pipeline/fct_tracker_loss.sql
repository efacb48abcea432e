{{ config(
    incremental_strategy='replace_touched',
    touched='int_touched_tracker_days',
    touched_on=['site_id', 'page_view_date']
) }}

-- grain: one site, site-local day, browser and its major version; key all of them
with page_views as (
    select page_views.*
    from {{ ref('int_touched_tracker_days') }} as touched
    inner join {{ ref('int_tracker_page_views') }} as page_views
        on touched.site_id = page_views.site_id and touched.page_view_date = page_views.page_view_date
),

counted as (
    select
        site_id,
        page_view_date,
        browser,
        browser_version,
        count(*) filter (where not is_bot) as page_view_count,
        count(*) filter (where not is_bot and not has_first_event) as headless_page_view_count,
        coalesce(sum(expected_count) filter (where not is_bot), 0) as expected_count,
        coalesce(sum(received_count) filter (where not is_bot), 0) as received_count,
        count(*) filter (where is_bot) as bot_page_view_count,
        coalesce(sum(expected_count) filter (where is_bot), 0) as bot_expected_count,
        coalesce(sum(received_count) filter (where is_bot), 0) as bot_received_count
    from page_views
    group by site_id, page_view_date, browser, browser_version
)

select
    site_id,
    page_view_date,
    browser,
    browser_version,
    page_view_count,
    headless_page_view_count,
    cast(expected_count as bigint) as expected_count,
    cast(received_count as bigint) as received_count,
    cast(expected_count - received_count as bigint) as lost_count,
    cast((expected_count - received_count) / cast(nullif(expected_count, 0) as numeric(18, 0)) as numeric(7, 6))
        as loss_rate,
    bot_page_view_count,
    cast(bot_expected_count as bigint) as bot_expected_count,
    cast(bot_received_count as bigint) as bot_received_count,
    cast(bot_expected_count - bot_received_count as bigint) as bot_lost_count
from counted
