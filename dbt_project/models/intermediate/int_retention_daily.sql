{{ config(
    materialized='incremental',
    incremental_strategy='replace_touched',
    touched='int_touched_site_days',
    touched_on=['site_id', 'session_date'],
    indexes=[{'columns': ['site_id', 'session_date', 'cohort_date'], 'unique': true}]
) }}

-- grain: one site, cohort and day on which it came; key (site_id, session_date, cohort_date)
{{ visitors_by_cohort('day') }}
