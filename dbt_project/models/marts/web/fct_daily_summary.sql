{{ config(
    incremental_strategy='replace_touched',
    touched='int_touched_site_days',
    touched_on=['site_id', 'session_date']
) }}

-- grain: one site and site-local day; key (site_id, session_date)
{{ sessions_by_day() }}
