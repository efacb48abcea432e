{{ config(
    materialized='incremental',
    incremental_strategy='replace_touched',
    touched='int_touched_site_days',
    touched_on=['site_id', 'session_date'],
    indexes=[{'columns': ['site_id', 'session_date', 'cohort_date'], 'unique': true}]
) }}

-- grain: one site, cohort and day on which it came; key (site_id, session_date, cohort_date)
-- A visitor's first day changes only together with his earliest rebuilt session, and then every later session of his is
-- rebuilt as well. So the touched days are all that can change.
with active as (
    select distinct
        touched.site_id,
        touched.session_date,
        sessions.visitor_id
    from {{ ref('int_touched_site_days') }} as touched
    inner join {{ ref('fct_sessions') }} as sessions
        on
            touched.site_id = sessions.site_id
            and touched.session_date = sessions.session_date
    where sessions.visits = 1 and not sessions.is_bot
)

select
    active.site_id,
    active.session_date,
    visitors.first_session_date as cohort_date,
    count(*) as visitor_count
from active
inner join {{ ref('dim_visitors') }} as visitors
    on active.site_id = visitors.site_id and active.visitor_id = visitors.visitor_id
group by active.site_id, active.session_date, visitors.first_session_date
