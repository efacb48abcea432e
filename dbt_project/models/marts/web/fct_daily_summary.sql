{{ config(
    incremental_strategy='replace_touched',
    touched='int_touched_site_days',
    touched_on=['site_id', 'session_date']
) }}

-- grain: one site and site-local day; key (site_id, session_date)
with sessions as (
    {{ touched_sessions() }}
)

select
    site_id,
    session_date,
    {{ session_measures() }}
from sessions
group by site_id, session_date
