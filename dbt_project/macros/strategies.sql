{# Incremental strategies: delete what the run touched, insert what it computed, in one transaction. Deleting by the keys
   of the new rows would keep rows that no longer exist: a session that merged into another, a day that became empty. #}

{# Replace the sessions of each rebuilt visitor from the first rebuilt one on; sessions before it keep their rows. #}
{% macro get_incremental_replace_visitors_sql(arg_dict) -%}
    {{ index_joins_too() }}
    delete from {{ arg_dict['target_relation'] }} as old
    using {{ ref('int_visitor_rebuilds') }} as rebuilds
    where old.site_id = rebuilds.site_id
      and old.visitor_id = rebuilds.visitor_id
      {% if config.get('keeps_earlier_sessions', true) -%}
      and old.session_number >= rebuilds.first_session_number
      {%- endif %};
    {{ get_insert_into_sql(arg_dict['target_relation'], arg_dict['temp_relation'], arg_dict['dest_columns']) }}
{%- endmacro %}

{# Replace the rows whose `touched_on` columns appear in the model named by `touched`. #}
{% macro get_incremental_replace_touched_sql(arg_dict) -%}
    {%- set columns = config.require('touched_on') -%}
    {{ index_joins_too() }}
    delete from {{ arg_dict['target_relation'] }} as old
    using {{ ref(config.require('touched')) }} as touched
    where {% for column in columns -%}
        old.{{ column }} = touched.{{ column }}{{ " and " if not loop.last }}
    {%- endfor %};
    {{ get_insert_into_sql(arg_dict['target_relation'], arg_dict['temp_relation'], arg_dict['dest_columns']) }}
{%- endmacro %}

{# Replace the row of each event that arrived. Unlike delete+insert it names the key once and deletes through its index. #}
{% macro get_incremental_replace_events_sql(arg_dict) -%}
    {{ index_joins_too() }}
    delete from {{ arg_dict['target_relation'] }} as old
    using {{ arg_dict['temp_relation'] }} as new
    where old.site_id = new.site_id and old.event_id = new.event_id;
    {{ get_insert_into_sql(arg_dict['target_relation'], arg_dict['temp_relation'], arg_dict['dest_columns']) }}
{%- endmacro %}
