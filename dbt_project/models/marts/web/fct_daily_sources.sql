{{ config(
    incremental_strategy='replace_touched',
    touched='int_touched_site_days',
    touched_on=['site_id', 'session_date']
) }}

-- grain: one site, site-local day, source, medium and campaign; key all of them
{{ sessions_by_day(['source', 'medium', 'campaign', 'channel_ua', 'channel_ga4']) }}
