-- grain: one site, cohort week and week since
select
    site_id as site,
    cohort_week,
    week_number,
    visitor_count as visitors,
    cohort_visitor_count as cohort
from marts.fct_retention_weekly
where cohort_week >= (select max(cohort_week) - 7 * 8 from marts.fct_retention_weekly)
order by site_id, cohort_week, week_number
