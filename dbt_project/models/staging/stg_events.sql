-- grain: one delivery of an event; an event delivered twice is here twice
with source as (
    select * from {{ source('raw', 'events') }}
)

select
    site_id,
    event_id,
    -- An event without a visitor gets one of its own: it counts as an event, never as a visitor or a session.
    coalesce(visitor_id, 'event:' || cast(event_id as text)) as visitor_id,
    batch_id,
    {{ binary_text('segment_id') }} as segment_id,
    segment_row,
    content_hash,
    event_type,
    event_name,
    session_control,
    page_view_id,
    -- The tracker counts the events of a page view from 1. Anybody may send anything: no other number is one, and none
    -- beyond four digits, so that a single event cannot claim millions of lost ones.
    case
        when protocol = 'tracker' and page_view_id is not null
            then cast({{ captured(json_text('contexts', 'seq'), "'^([1-9][0-9]{0,3})$'") }} as smallint)
    end as sequence_number,
    page_host,
    page_path,
    page_query,
    page_title,
    page_referrer,
    referrer_host,
    utm_source,
    utm_medium,
    utm_campaign,
    utm_term,
    utm_content,
    utm_id,
    campaign_source,
    campaign_medium,
    campaign_name,
    campaign_term,
    campaign_content,
    campaign_id,
    click_id,
    click_id_kind,
    geo_country,
    device_kind,
    browser,
    {{ captured('browser_version', "'^([0-9]+)'") }} as browser_version,
    engaged_ms,
    scroll_percent,
    revenue,
    visitor_id is not null as has_visitor,
    is_interaction,
    is_bot,
    occurred_at,
    received_at
from source
