{{ config(materialized='view') }}

-- grain: one site, cohort and day since its first; key (site_id, cohort_date, day_number)
-- A view, because the size of a cohort is shown on every row of it: it is the number of visitors in period 0.
with retained as (
    select * from {{ ref('int_retention_daily') }}
)

select
    retained.site_id,
    retained.cohort_date,
    retained.session_date - retained.cohort_date as day_number,
    retained.visitor_count,
    cohorts.visitor_count as cohort_visitor_count
from retained
inner join retained as cohorts
    on
        retained.site_id = cohorts.site_id
        and retained.cohort_date = cohorts.cohort_date
        and cohorts.session_date = cohorts.cohort_date
