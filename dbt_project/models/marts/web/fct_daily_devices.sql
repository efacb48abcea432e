{{ config(
    incremental_strategy='replace_touched',
    touched='int_touched_site_days',
    touched_on=['site_id', 'session_date']
) }}

-- grain: one site, site-local day and kind of device; key (site_id, session_date, device_kind)
with sessions as (
    {{ touched_sessions() }}
)

select
    site_id,
    session_date,
    device_kind,
    {{ session_measures() }}
from sessions
group by site_id, session_date, device_kind
