{{ config(
    pre_hook=["{{ hash_joins_only() }}"],
    materialized='incremental',
    incremental_strategy='replace_events',
    post_hook=["{{ analyze_when_new(['site_id', 'event_id', 'visitor_id', 'page_view_id', 'occurred_at', 'received_at']) }}"],
    indexes=[
        {'columns': ['event_id', 'site_id'], 'unique': true},
        {'columns': ['visitor_id', 'site_id', 'occurred_at']},
        {'columns': ['page_view_id', 'site_id']},
        {'columns': ['received_at'], 'type': 'brin'}
    ]
) }}
-- The change logs must hold what this run changes before it is changed.
-- depends_on: {{ ref('int_changes') }}
-- depends_on: {{ ref('int_received_day_changes') }}
-- depends_on: {{ ref('int_repeats') }}
-- depends_on: {{ ref('int_tracker_changes') }}

-- grain: one event, however often it was delivered, with the source that brought it; key (site_id, event_id)
with arrivals as (
    select * from {{ ref('int_arrivals') }}
),

tagged as (
    -- The sender's parameters and the campaign tags of the page's address, trimmed; parameters win as a whole.
    select
        arrivals.*,
        coalesce(sites.has_manual_tagging_override, false) as has_manual_tagging_override,
        nullif(trim(coalesce(arrivals.campaign_source, arrivals.utm_source)), '') as tagged_source,
        nullif(trim(
            case when arrivals.campaign_source is null then arrivals.utm_medium else arrivals.campaign_medium end
        ), '') as tagged_medium,
        nullif(trim(
            case when arrivals.campaign_source is null then arrivals.utm_campaign else arrivals.campaign_name end
        ), '') as tagged_campaign,
        nullif(trim(
            case when arrivals.campaign_source is null then arrivals.utm_id else arrivals.campaign_id end
        ), '') as tagged_id,
        nullif(trim(
            case when arrivals.campaign_source is null then arrivals.utm_term else arrivals.campaign_term end
        ), '') as tagged_term,
        nullif(trim(
            case when arrivals.campaign_source is null then arrivals.utm_content else arrivals.campaign_content end
        ), '') as tagged_content
    from arrivals
    left join {{ ref('stg_sites') }} as sites on arrivals.site_id = sites.site_id
),

decided as (
    -- The first rule that matches decides; an event that none matches is direct.
    select
        tagged.*,
        referrers.source as referrer_source,
        referrers.medium as referrer_medium,
        referrers.term as referrer_term,
        referrers.content as referrer_content,
        referrers.referral_path as referrer_path,
        case
            when
                tagged.click_id_kind in ('gclid', 'gclsrc', 'gbraid', 'wbraid', 'dclid')
                and not (tagged.has_manual_tagging_override and tagged.tagged_source is not null)
                then 'click'
            when tagged.tagged_source is not null then 'tags'
            when tagged.click_id_kind in ('yclid', 'msclkid') then 'click'
            when referrers.host <> coalesce(tagged.page_host, '') then 'referrer'
        end as source_kind
    from tagged
    left join {{ ref('int_referrers') }} as referrers
        on tagged.site_id = referrers.site_id and tagged.page_referrer = referrers.page_referrer
),

sourced as (
    select
        decided.*,
        case
            when source_kind = 'tags' then tagged_source
            when source_kind = 'referrer' then referrer_source
            when source_kind is null then null
            when click_id_kind = 'dclid' then 'dfa'
            when click_id_kind = 'yclid' then 'yandex'
            when click_id_kind = 'msclkid' then 'bing'
            else 'google'
        end as source,
        case
            when source_kind = 'tags' then coalesce(tagged_medium, '(not set)')
            when source_kind = 'referrer' then referrer_medium
            when source_kind is null then null
            when click_id_kind = 'dclid' then 'cpm'
            else 'cpc'
        end as medium,
        case
            when source_kind in ('click', 'tags') then coalesce(tagged_campaign, '(not set)')
            when source_kind = 'referrer' then '(not set)'
        end as campaign,
        case
            when source_kind in ('click', 'tags') then coalesce(tagged_id, '(not set)')
            when source_kind = 'referrer' then '(not set)'
        end as source_campaign_id,
        case
            when source_kind in ('click', 'tags') then coalesce(tagged_term, '(not set)')
            when source_kind = 'referrer' then referrer_term
        end as term,
        case
            when source_kind in ('click', 'tags') then coalesce(tagged_content, '(not set)')
            when source_kind = 'referrer' then referrer_content
        end as content,
        case when source_kind = 'referrer' then referrer_path end as referral_path,
        case when click_id_kind in ('gclid', 'dclid', 'yclid', 'msclkid') then click_id end as deciding_click_id
    from decided
)

select
    site_id,
    event_id,
    visitor_id,
    batch_id,
    segment_id,
    segment_row,
    content_hash,
    event_type,
    event_name,
    session_control,
    page_view_id,
    sequence_number,
    page_host,
    page_path,
    page_query,
    page_title,
    source,
    medium,
    campaign,
    source_campaign_id as campaign_id,
    term,
    content,
    referral_path,
    -- Two events with equal keys came from the same source. Another keyword or page of one referrer is no other source.
    case
        when source_kind = 'referrer' then md5(concat_ws(chr(31), 'referrer', source, medium))
        when source_kind is not null
            then md5(concat_ws(
                chr(31), 'tags', source, medium, campaign, source_campaign_id, term, content,
                coalesce(deciding_click_id, '')
            ))
    end as source_key,
    geo_country as country,
    device_kind,
    browser,
    browser_version,
    engaged_ms,
    scroll_percent,
    revenue,
    has_visitor,
    -- Timings and exceptions are measurements: never an interaction, whatever the sender says.
    is_interaction and event_type not in ('timing', 'exception') as is_interaction,
    is_bot,
    occurred_at,
    received_at
from sourced
