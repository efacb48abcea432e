{{ config(unlogged=true, pre_hook=["{{ hash_joins_only() }}"]) }}

-- grain: one referrer address that this run's events of a site came from; key (site_id, page_referrer)
with referrers as (
    select distinct
        site_id,
        page_referrer,
        referrer_host as host
    from {{ ref('int_arrivals') }}
    where referrer_host is not null and {{ matches('lower(page_referrer)', "'^(https?|android-app):'") }}
),

hosts as (
    select distinct host from referrers
),

engine_hosts as (
    -- Each host meets each pattern once, however many events it sent.
    select
        hosts.host,
        min(engines.engine) as engine,
        min(engines.query_parameters) as query_parameters
    from hosts
    inner join {{ ref('search_engines') }} as engines on {{ matches('hosts.host', 'engines.host_pattern') }}
    group by hosts.host
),

site_hosts as (
    select distinct
        site_id,
        host
    from referrers
),

excluded_hosts as (
    select distinct
        site_hosts.site_id,
        site_hosts.host
    from site_hosts
    inner join {{ ref('stg_sites') }} as sites on site_hosts.site_id = sites.site_id
    cross join {{ elements('sites.referral_exclusions', 'exclusions') }}
    where
        site_hosts.host = exclusions.element
        or right(site_hosts.host, length(exclusions.element) + 1) = '.' || exclusions.element
),

searches as (
    -- The keyword is the first non-empty query parameter of the engine.
    select
        referrers.site_id,
        referrers.page_referrer,
        engine_hosts.engine,
        (
            select {{ form_decoded("parameters.value") }}
            from (
                select
                    {{ captured("referrers.page_referrer", "'[?&]' || names.element || '=([^&#]+)'") }} as value,
                    names.place
                from {{ elements("string_to_array(engine_hosts.query_parameters, ',')", 'names') }}
            ) as parameters
            where parameters.value is not null
            order by parameters.place
            limit 1
        ) as keyword
    from referrers
    inner join engine_hosts on referrers.host = engine_hosts.host
),

ignored_searches as (
    select
        searches.site_id,
        searches.page_referrer
    from searches
    inner join {{ ref('stg_sites') }} as sites on searches.site_id = sites.site_id
    where exists (
        select 1 from {{ elements('sites.ignored_search_terms', 'terms') }}
        where lower(terms.element) = lower(searches.keyword)
    )
),

classified as (
    select
        referrers.site_id,
        referrers.page_referrer,
        referrers.host,
        coalesce(searches.engine, regexp_replace(referrers.host, '^www\.', '')) as source,
        case when searches.engine is not null then 'organic' else 'referral' end as medium,
        case
            when searches.engine is not null then coalesce(searches.keyword, '(not provided)') else '(not set)'
        end as term,
        case
            when searches.engine is not null then '(not set)'
            else coalesce({{ captured("referrers.page_referrer", "'^[^:]+://[^/?#]*(/[^?#]*)'") }}, '/')
        end as content
    from referrers
    left join searches
        on referrers.site_id = searches.site_id and referrers.page_referrer = searches.page_referrer
    left join ignored_searches
        on referrers.site_id = ignored_searches.site_id and referrers.page_referrer = ignored_searches.page_referrer
    left join excluded_hosts
        on referrers.site_id = excluded_hosts.site_id and referrers.host = excluded_hosts.host
    where ignored_searches.site_id is null and excluded_hosts.site_id is null
)

select
    site_id,
    page_referrer,
    host,
    source,
    medium,
    term,
    content,
    case when medium = 'referral' then content end as referral_path
from classified
