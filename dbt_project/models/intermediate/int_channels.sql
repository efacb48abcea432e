{{ config(unlogged=true) }}

-- grain: one combination of source, medium and campaign of this run's sessions; key (source, medium, campaign)
with combinations as (
    select distinct
        source,
        medium,
        campaign
    from {{ ref('int_sessions') }}
),

names as (
    select distinct
        source,
        lower(source) as name
    from combinations
),

engine_names as (
    select distinct names.source
    from names
    inner join {{ ref('search_engines') }} as engines
        on names.name = engines.engine or {{ matches('names.name', 'engines.host_pattern') }}
),

site_kinds as (
    -- Bare names (facebook) count for GA4 only.
    select
        names.source,
        bool_or(sites.site_kind = 'social' and {{ matches('names.source', 'sites.host_pattern') }}) as is_social_host,
        bool_or(sites.site_kind = 'social') as is_social,
        bool_or(sites.site_kind = 'video') as is_video,
        bool_or(sites.site_kind = 'shopping') as is_shopping
    from names
    inner join {{ ref('source_sites') }} as sites
        on names.name = sites.bare_name or {{ matches('names.name', 'sites.host_pattern') }}
    group by names.source
),

lowered as (
    select
        combinations.*,
        lower(combinations.source) as source_name,
        lower(combinations.medium) as medium_name,
        lower(combinations.campaign) as campaign_name,
        engine_names.source is not null as is_engine,
        coalesce(site_kinds.is_social_host, false) as is_social_host,
        -- A site in two lists is video, else shopping, else social.
        coalesce(site_kinds.is_video, false) as is_video,
        coalesce(site_kinds.is_shopping and not site_kinds.is_video, false) as is_shopping,
        coalesce(site_kinds.is_social and not site_kinds.is_video and not site_kinds.is_shopping, false) as is_social
    from combinations
    left join engine_names on combinations.source = engine_names.source
    left join site_kinds on combinations.source = site_kinds.source
),

flagged as (
    select
        lowered.*,
        medium_name like '%cp%' or medium_name in ('ppc', 'retargeting') or medium_name like 'paid%' as is_paid,
        is_shopping or {{ matches('campaign_name', "'(^|[^a-df-z])shop|shopping'") }} as is_shop,
        medium_name in ('social', 'social-network', 'social-media', 'sm', 'social network', 'social media')
            as has_social_medium
    from lowered
)

select
    source,
    medium,
    campaign,
    case
        when source in ('(direct)', 'direct') and medium in ('(not set)', '(none)') then 'Direct'
        when medium = 'organic' then 'Organic Search'
        when
            (medium = 'referral' and is_social_host)
            or medium in ('social', 'social-network', 'social-media', 'sm', 'social network', 'social media')
            then 'Social'
        when medium = 'email' then 'Email'
        when medium = 'affiliate' then 'Affiliates'
        when medium = 'referral' then 'Referral'
        when medium in ('cpc', 'ppc', 'paidsearch') then 'Paid Search'
        when medium in ('cpv', 'cpa', 'cpp', 'content-text') then 'Other Advertising'
        when medium in ('display', 'cpm', 'banner') then 'Display'
        else '(Other)'
    end as channel_ua,
    case
        when source_name = '(direct)' and medium_name in ('(not set)', '(none)') then 'Direct'
        when campaign_name like '%cross-network%' then 'Cross-network'
        when is_paid and is_shop then 'Paid Shopping'
        when is_paid and is_engine then 'Paid Search'
        when is_paid and is_social then 'Paid Social'
        when is_paid and is_video then 'Paid Video'
        when medium_name in ('display', 'banner', 'expandable', 'interstitial', 'cpm') then 'Display'
        when is_paid then 'Paid Other'
        when is_shop then 'Organic Shopping'
        when is_social or has_social_medium then 'Organic Social'
        when is_video or medium_name like '%video%' then 'Organic Video'
        when is_engine or medium_name = 'organic' then 'Organic Search'
        when medium_name in ('referral', 'app', 'link') then 'Referral'
        when
            source_name in ('email', 'e-mail', 'e_mail', 'e mail')
            or medium_name in ('email', 'e-mail', 'e_mail', 'e mail')
            then 'Email'
        when medium_name = 'affiliate' then 'Affiliates'
        when medium_name = 'audio' then 'Audio'
        when source_name = 'sms' or medium_name = 'sms' then 'SMS'
        when
            medium_name like '%push' or medium_name like '%mobile%' or medium_name like '%notification%'
            or source_name = 'firebase'
            then 'Mobile Push Notifications'
        else 'Unassigned'
    end as channel_ga4
from flagged
