{{ config(
    materialized='incremental',
    incremental_strategy='replace_visitors',
    indexes=[{'columns': ['visitor_id', 'site_id', 'session_number'], 'unique': true}]
) }}
-- depends_on: {{ ref('int_visitor_rebuilds') }}

-- grain: one session in which an event had a source, with the latest one; key (site_id, visitor_id, session_number)
-- From here a later rebuild takes the source that its first session may inherit, even when the event itself was purged.
with sourced as (
    select * from {{ ref('int_events_sessionized') }}
    where source_key is not null
)

select distinct on (site_id, visitor_id, session_number)
    site_id,
    visitor_id,
    session_number,
    source_key,
    source,
    medium,
    campaign,
    campaign_id,
    term,
    content,
    referral_path,
    occurred_at as sourced_at
from sourced
order by site_id asc, visitor_id asc, session_number asc, event_number desc
