{{ config(materialized='view') }}

-- grain: one site, cohort and day since its first; key (site_id, cohort_date, day_number)
-- A view, because the size of a cohort is shown on every row of it: it is the number of visitors in period 0.
{{ retention_by_cohort(ref('int_retention_daily'), 'day') }}
