{{ config(
    materialized='incremental',
    incremental_strategy='replace_touched',
    touched='int_touched_site_weeks',
    touched_on=['site_id', 'session_week'],
    indexes=[{'columns': ['site_id', 'session_week', 'cohort_week'], 'unique': true}]
) }}

-- grain: one site, cohort and week on which it came; key (site_id, session_week, cohort_week)
-- A visitor's first day changes only together with his earliest rebuilt session, and then every later session of his is
-- rebuilt as well. So the touched weeks are all that can change.
with active as (
    select distinct
        touched.site_id,
        touched.session_week,
        sessions.visitor_id
    from {{ ref('int_touched_site_weeks') }} as touched
    inner join {{ ref('fct_sessions') }} as sessions
        on
            touched.site_id = sessions.site_id
            and touched.session_week <= sessions.session_date
            and touched.session_week + 7 > sessions.session_date
    where sessions.visits = 1 and not sessions.is_bot
)

select
    active.site_id,
    active.session_week,
    {{ week_of('visitors.first_session_date') }} as cohort_week,
    count(*) as visitor_count
from active
inner join {{ ref('dim_visitors') }} as visitors
    on active.site_id = visitors.site_id and active.visitor_id = visitors.visitor_id
group by active.site_id, active.session_week, {{ week_of('visitors.first_session_date') }}
