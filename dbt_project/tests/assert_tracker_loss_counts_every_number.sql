-- The page views that this run touched have as many numbers as their events have; each touched day adds them up.
with events as (
    select
        site_id,
        page_view_id,
        count(distinct sequence_number) as received_count
    from {{ ref('int_events') }}
    where
        sequence_number is not null
        and {{ of_changed_page_view() }}
    group by page_view_id, site_id
),

page_views as (
    select * from {{ ref('int_tracker_page_views') }}
    where {{ of_changed_page_view() }}
),

days as (
    select
        page_views.site_id,
        page_views.page_view_date,
        sum(page_views.expected_count) as expected_count,
        sum(page_views.received_count) as received_count
    from {{ ref('int_touched_tracker_days') }} as touched
    inner join {{ ref('int_tracker_page_views') }} as page_views
        on touched.site_id = page_views.site_id and touched.page_view_date = page_views.page_view_date
    group by page_views.site_id, page_views.page_view_date
),

losses as (
    select
        losses.site_id,
        losses.page_view_date,
        sum(losses.received_count + losses.lost_count + losses.bot_received_count + losses.bot_lost_count)
            as expected_count,
        sum(losses.received_count + losses.bot_received_count) as received_count
    from {{ ref('int_touched_tracker_days') }} as touched
    inner join {{ ref('fct_tracker_loss') }} as losses
        on touched.site_id = losses.site_id and touched.page_view_date = losses.page_view_date
    group by losses.site_id, losses.page_view_date
)

select
    coalesce(events.site_id, page_views.site_id) as site_id,
    coalesce(events.page_view_id, page_views.page_view_id) as page_view_id,
    null as page_view_date
from events
full outer join page_views on events.site_id = page_views.site_id and events.page_view_id = page_views.page_view_id
where
    events.received_count is distinct from page_views.received_count
    or page_views.received_count > page_views.expected_count
union all
select
    coalesce(days.site_id, losses.site_id) as site_id,
    null as page_view_id,
    coalesce(days.page_view_date, losses.page_view_date) as page_view_date
from days
full outer join losses on days.site_id = losses.site_id and days.page_view_date = losses.page_view_date
where
    days.expected_count is distinct from losses.expected_count
    or days.received_count is distinct from losses.received_count
