-- grain: one site of the sites file, with the settings that the models obey
with source as (
    select * from {{ source('ops', 'sites') }}
)

select
    site_id,
    name,
    timezone,
    session_timeout_s,
    campaign_timeout_days,
    -- Without exclusions of its own a site excludes its home: coming back from one's own pages is no referral.
    case
        when cardinality(referral_exclusions) > 0 then referral_exclusions
        when home_host is not null then array[regexp_replace(home_host, '^www\.', '')]
        else referral_exclusions
    end as referral_exclusions,
    ignored_search_terms,
    has_manual_tagging_override,
    splits_at_midnight,
    splits_on_campaign,
    is_rebuild_pending,
    updated_at
from source
