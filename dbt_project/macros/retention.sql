{# The shapes that retention by day and by week share. A period is named by its first day. #}
{% macro retention_period(period) -%}
    {{ return({
        'day': {'days': 1, 'session': 'session_date', 'cohort': 'cohort_date', 'touched': 'int_touched_site_days'},
        'week': {'days': 7, 'session': 'session_week', 'cohort': 'cohort_week', 'touched': 'int_touched_site_weeks'}
    }[period]) }}
{%- endmacro %}

{# Visitors by the period in which they came and the one in which they came first. A visitor's first day changes only
   together with his earliest rebuilt session, and then every later session of his is rebuilt as well. So the touched
   periods are all that can change. #}
{% macro visitors_by_cohort(period) -%}
    {%- set names = retention_period(period) -%}
    {%- set first_date = 'visitors.first_session_date' -%}
    {%- set cohort = week_of(first_date) if period == 'week' else first_date -%}
with active as (
    select distinct
        touched.site_id,
        touched.{{ names.session }},
        sessions.visitor_id
    from {{ ref(names.touched) }} as touched
    inner join {{ ref('fct_sessions') }} as sessions
        on
            touched.site_id = sessions.site_id
            {%- if period == 'day' %}
            and touched.session_date = sessions.session_date
            {%- else %}
            and touched.{{ names.session }} <= sessions.session_date
            and touched.{{ names.session }} + {{ names.days }} > sessions.session_date
            {%- endif %}
    where sessions.visits = 1 and not sessions.is_bot
)

select
    active.site_id,
    active.{{ names.session }},
    {{ cohort }} as {{ names.cohort }},
    count(*) as visitor_count
from active
inner join {{ ref('dim_visitors') }} as visitors
    on active.site_id = visitors.site_id and active.visitor_id = visitors.visitor_id
group by active.site_id, active.{{ names.session }}, {{ cohort }}
{%- endmacro %}

{# Each cohort by the number of periods since its first, beside its size: the number of visitors in period 0. #}
{% macro retention_by_cohort(retained, period) -%}
    {%- set names = retention_period(period) -%}
with retained as (
    select * from {{ retained }}
)

select
    retained.site_id,
    retained.{{ names.cohort }},
    (retained.{{ names.session }} - retained.{{ names.cohort }}) / {{ names.days }} as {{ period }}_number,
    retained.visitor_count,
    cohorts.visitor_count as cohort_visitor_count
from retained
inner join retained as cohorts
    on
        retained.site_id = cohorts.site_id
        and retained.{{ names.cohort }} = cohorts.{{ names.cohort }}
        and cohorts.{{ names.session }} = cohorts.{{ names.cohort }}
{%- endmacro %}
