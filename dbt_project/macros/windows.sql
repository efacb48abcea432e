{# What one run reads: the batches in (after, upto] of ops.transform_window; a full refresh starts at the beginning. #}
{% macro in_window(column) -%}
    {{ column }} > {{ window_after() }}
    and {{ column }} <= {{ window_upto() }}
{%- endmacro %}

{% macro window_after() -%}
    {%- if flags.FULL_REFRESH -%} ''
    {%- else -%} (select transform_window.after_batch_id from {{ source('ops', 'transform_window') }} as transform_window)
    {%- endif -%}
{%- endmacro %}

{% macro window_upto() -%}
    (select transform_window.upto_batch_id from {{ source('ops', 'transform_window') }} as transform_window)
{%- endmacro %}

{# The newest finished transform. Rows of a change log carry it: once it grows, a transform that read them has finished. #}
{% macro finished_transform() -%}
    (select coalesce(max(transforms.transform_id), 0) from {{ source('ops', 'transforms') }} as transforms where transforms.finished_at is not null)
{%- endmacro %}

{# Pre-hook of a change log: forget what finished transforms have covered. What a crashed run wrote stays, so that its retry still rebuilds it.
   Usually nothing stays; then the table is emptied, because deleted rows would be passed over by every later scan. #}
{% macro prune_covered_changes() -%}
    {%- if execute and is_incremental() -%}
        {%- set uncovered -%} select 1 from {{ this }} where finished_transform_id >= {{ finished_transform() }} limit 1 {%- endset -%}
        {%- if run_query(uncovered) | length -%}
            delete from {{ this }} where finished_transform_id < {{ finished_transform() }}
        {%- else -%}
            truncate table {{ this }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{# The purge horizon: events from here on can still change a mart. #}
{% macro changeable_from() -%}
    (select coalesce(max(purge_horizon.purge_horizon), cast('-infinity' as timestamptz)) from {{ source('ops', 'purge_horizon') }} as purge_horizon)
{%- endmacro %}

{# The first instant of a UTC day, whatever time zone the connection has. #}
{% macro utc_midnight(day) -%}
    (cast({{ day }} as timestamp) at time zone 'UTC')
{%- endmacro %}

{% macro utc_date(instant) -%}
    cast(({{ instant }}) at time zone 'UTC' as date)
{%- endmacro %}
