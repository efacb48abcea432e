{# The sessions of the site-days that this run rebuilds, read through the index on (site_id, session_date). #}
{% macro touched_sessions() -%}
    select sessions.*
    from {{ ref('int_touched_site_days') }} as touched
    inner join {{ ref('fct_sessions') }} as sessions
        on touched.site_id = sessions.site_id and touched.session_date = sessions.session_date
{%- endmacro %}

{# The measures that every summary counts: people beside bots. Events without a visitor count as events only. #}
{% macro session_measures() -%}
    count(distinct visitor_id) filter (where visits = 1 and not is_bot) as visitor_count,
    count(distinct visitor_id) filter (where visits = 1 and not is_bot and is_new_visitor) as new_visitor_count,
    count(*) filter (where visits = 1 and not is_bot) as session_count,
    count(*) filter (where is_bounce and not is_bot) as bounce_count,
    cast(coalesce(sum(page_view_count) filter (where not is_bot), 0) as bigint) as page_view_count,
    cast(coalesce(sum(event_count) filter (where not is_bot), 0) as bigint) as event_count,
    cast(coalesce(sum(duration_s) filter (where not is_bot), 0) as numeric(18, 3)) as duration_s,
    cast(coalesce(sum(engaged_ms) filter (where not is_bot), 0) / 1000.0 as numeric(18, 3)) as engaged_s,
    cast(coalesce(sum(revenue) filter (where not is_bot), 0) as numeric(24, 6)) as revenue,
    count(distinct visitor_id) filter (where visits = 1 and is_bot) as bot_visitor_count,
    count(*) filter (where visits = 1 and is_bot) as bot_session_count,
    cast(coalesce(sum(page_view_count) filter (where is_bot), 0) as bigint) as bot_page_view_count,
    cast(coalesce(sum(event_count) filter (where is_bot), 0) as bigint) as bot_event_count
{%- endmacro %}

{# A summary of the site-days that this run rebuilds, broken down by further columns of the sessions. #}
{% macro sessions_by_day(columns=[]) -%}
    {%- set keys = (['site_id', 'session_date'] + columns) | join(', ') -%}
with sessions as (
    {{ touched_sessions() }}
)

select
    {{ keys }},
    {{ session_measures() }}
from sessions
group by {{ keys }}
{%- endmacro %}

{# Condition on a relation with these columns: it is of a page view whose numbered events changed. Ids come first, for
   they differ early and sites seldom. #}
{% macro of_changed_page_view() -%}
    (page_view_id, site_id) in (
        select
            changes.page_view_id,
            changes.site_id
        from {{ ref('int_tracker_changes') }} as changes
    )
{%- endmacro %}
