{{ config(
    materialized='incremental',
    incremental_strategy='replace_touched',
    touched='int_touched_site_weeks',
    touched_on=['site_id', 'session_week'],
    indexes=[{'columns': ['site_id', 'session_week', 'cohort_week'], 'unique': true}]
) }}

-- grain: one site, cohort and week on which it came; key (site_id, session_week, cohort_week)
{{ visitors_by_cohort('week') }}
