-- On each touched day, sources, countries, devices and pages add up to the summary.
with touched as (
    select * from {{ ref('int_touched_site_days') }}
),

parts as (
    {% for breakdown in ['fct_daily_summary', 'fct_daily_sources', 'fct_daily_countries', 'fct_daily_devices'] -%}
    select
        '{{ breakdown }}' as breakdown,
        parts.site_id,
        parts.session_date,
        sum(parts.session_count) as session_count,
        sum(parts.page_view_count) as page_view_count,
        sum(parts.bot_page_view_count) as bot_page_view_count
    from touched
    inner join {{ ref(breakdown) }} as parts
        on touched.site_id = parts.site_id and touched.session_date = parts.session_date
    group by parts.site_id, parts.session_date
    union all
    {% endfor -%}
    select
        'fct_daily_pages' as breakdown,
        parts.site_id,
        parts.session_date,
        -- Sessions do not add up over pages.
        null as session_count,
        sum(parts.page_view_count) as page_view_count,
        sum(parts.bot_page_view_count) as bot_page_view_count
    from touched
    inner join {{ ref('fct_daily_pages') }} as parts
        on touched.site_id = parts.site_id and touched.session_date = parts.session_date
    group by parts.site_id, parts.session_date
)

select
    site_id,
    session_date
from parts
group by site_id, session_date
having
    min(session_count) <> max(session_count)
    or min(page_view_count) <> max(page_view_count)
    or min(bot_page_view_count) <> max(bot_page_view_count)
    or count(*) < 4
