-- On each touched day, day 0 of its cohort holds every visitor whose first counted session was on that day.
with expected as (
    select
        touched.site_id,
        touched.session_date,
        count(*) as visitor_count
    from {{ ref('int_touched_site_days') }} as touched
    inner join {{ ref('dim_visitors') }} as visitors
        on touched.site_id = visitors.site_id and touched.session_date = visitors.first_session_date
    group by touched.site_id, touched.session_date
)

select expected.*
from expected
left join {{ ref('fct_retention_daily') }} as retention
    on
        expected.site_id = retention.site_id
        and expected.session_date = retention.cohort_date
        and retention.day_number = 0
where retention.visitor_count is distinct from expected.visitor_count
