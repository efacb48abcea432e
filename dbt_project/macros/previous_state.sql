{# A table as the last run left it, for models upstream of the one that rewrites it.

   ref() would close a cycle: which sessions to rebuild depends on the sessions there are. So the relation is looked up
   by name; at the first run and at a full refresh there is no previous state, and an empty select stands for it.
   `columns` maps each column that the caller reads to its type. #}
{% macro previous_state(schema, name, columns) -%}
    {%- set relation = adapter.get_relation(database=target.database, schema=schema, identifier=name) if execute else none -%}
    {%- if relation is not none and not flags.FULL_REFRESH -%}
        {{ relation }}
    {%- else -%}
        (select
            {%- for column, type in columns.items() %}
            cast(null as {{ type }}) as {{ column }}{{ "," if not loop.last }}
            {%- endfor %}
        where false)
    {%- endif -%}
{%- endmacro %}

{% macro previous_events() -%}
    {{ previous_state('intermediate', 'int_events', {
        'site_id': 'text', 'event_id': 'uuid', 'visitor_id': 'text', 'occurred_at': 'timestamptz',
        'page_view_id': 'text', 'sequence_number': 'smallint',
        'received_at': 'timestamptz', 'batch_id': 'text', 'segment_id': 'text', 'segment_row': 'bigint',
        'content_hash': 'integer'
    }) }}
{%- endmacro %}

{% macro previous_repeats() -%}
    {{ previous_state('intermediate', 'int_repeats', {
        'site_id': 'text', 'event_id': 'uuid', 'batch_id': 'text', 'segment_id': 'text', 'segment_row': 'bigint',
        'content_hash': 'integer', 'received_at': 'timestamptz'
    }) }}
{%- endmacro %}

{% macro previous_sessions() -%}
    {{ previous_state('marts', 'fct_sessions', {
        'site_id': 'text', 'visitor_id': 'text', 'session_number': 'bigint', 'session_start_at': 'timestamptz',
        'session_date': 'date', 'first_event_id': 'uuid'
    }) }}
{%- endmacro %}

{% macro previous_sources() -%}
    {{ previous_state('intermediate', 'int_session_sources', {
        'site_id': 'text', 'visitor_id': 'text', 'session_number': 'bigint', 'source_key': 'text', 'sourced_at': 'timestamptz',
        'source': 'text', 'medium': 'text', 'campaign': 'text', 'campaign_id': 'text', 'term': 'text', 'content': 'text',
        'referral_path': 'text'
    }) }}
{%- endmacro %}

{% macro previous_tracker_page_views() -%}
    {{ previous_state('intermediate', 'int_tracker_page_views', {
        'site_id': 'text', 'page_view_id': 'text', 'started_at': 'timestamptz', 'page_view_date': 'date'
    }) }}
{%- endmacro %}
