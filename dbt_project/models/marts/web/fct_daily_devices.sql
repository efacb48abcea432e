{{ config(
    incremental_strategy='replace_touched',
    touched='int_touched_site_days',
    touched_on=['site_id', 'session_date']
) }}

-- grain: one site, site-local day and kind of device; key (site_id, session_date, device_kind)
{{ sessions_by_day(['device_kind']) }}
