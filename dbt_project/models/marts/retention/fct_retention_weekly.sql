{{ config(materialized='view') }}

-- grain: one site, cohort and week since its first; key (site_id, cohort_week, week_number)
-- A view, because the size of a cohort is shown on every row of it: it is the number of visitors in period 0.
with retained as (
    select * from {{ ref('int_retention_weekly') }}
)

select
    retained.site_id,
    retained.cohort_week,
    (retained.session_week - retained.cohort_week) / 7 as week_number,
    retained.visitor_count,
    cohorts.visitor_count as cohort_visitor_count
from retained
inner join retained as cohorts
    on
        retained.site_id = cohorts.site_id
        and retained.cohort_week = cohorts.cohort_week
        and cohorts.session_week = cohorts.cohort_week
