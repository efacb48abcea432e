{# Refuse what would destroy marts whose raw events no longer exist. #}
{% macro refuse_history_loss() -%}
    {%- if execute and flags.FULL_REFRESH and flags.WHICH in ('build', 'run') and not var('allow_history_loss') -%}
        {%- set purged = run_query("select count(*), min(day), max(day) from " ~ source('ops', 'purged_days')).rows[0] -%}
        {%- if purged[0] > 0 -%}
            {{ exceptions.raise_compiler_error(
                "A full refresh would lose history: the raw events of " ~ purged[0] ~ " days (" ~ purged[1] ~ " to " ~ purged[2]
                ~ ") were purged. Run without --full-refresh, or restore them from the archive with `tidemill rebuild`; "
                ~ "--vars '{allow_history_loss: true}' accepts the loss."
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{# Settings of each model's transaction. Work tables are sorted once per run and statements run for seconds, so sorts
   deserve memory; compiling such statements (JIT) costs more than it saves; and the tables are probed by index, which is
   cheap when they are cached or on solid-state disks. A merge join would read a whole table in the order of an index, row
   by row, where a hash takes it as it lies. #}
{% macro session_settings() -%} {{ return(adapter.dispatch('session_settings')()) }} {%- endmacro %}

{% macro default__session_settings() -%} select 1 {%- endmacro %}

{% macro postgres__session_settings() -%}
    set local work_mem = '192MB'; set local maintenance_work_mem = '256MB'; set local jit = off; set local random_page_cost = 1.1; set local enable_mergejoin = off; set local timezone = 'UTC'
{%- endmacro %}

{# Pre-hook of models that join whole sets by equality. A nested loop would be quadratic; the planner chooses one when it
   takes a condition on several columns for rarer than it is. #}
{% macro hash_joins_only() -%} {{ return(adapter.dispatch('hash_joins_only')()) }} {%- endmacro %}

{% macro default__hash_joins_only() -%} select 1 {%- endmacro %}

{% macro postgres__hash_joins_only() -%} set local enable_nestloop = off {%- endmacro %}

{# What a strategy does first when it replaces rows: they are few beside the table and found through its index. #}
{% macro index_joins_too() -%} {{ return(adapter.dispatch('index_joins_too')()) }} {%- endmacro %}

{% macro default__index_joins_too() -%}{%- endmacro %}

{% macro postgres__index_joins_too() -%} set local enable_nestloop = on; {%- endmacro %}

{# Post-hook of big tables: statistics at once after they were built as a whole, since the models after it join with them.
   Only of the columns by which they join, for each takes time. Later the database keeps them up itself (autovacuum), as
   the table grows. #}
{% macro analyze_when_new(columns) -%}
    {%- if not is_incremental() -%} analyze {{ this }} ({{ columns | join(', ') }}) {%- endif -%}
{%- endmacro %}
