{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='batch_id',
    indexes=[{'columns': ['batch_id']}, {'columns': ['received_date', 'site_id']}]
) }}

-- grain: one batch, site and UTC day of receipt: the rows that are in raw.events, counted when the batch is transformed
with window_days as (
    select
        {{ utc_midnight('min(day)') }} as received_from,
        {{ utc_midnight('max(day) + 1') }} as received_before
    from {{ source('ops', 'load_batches') }}
    where dataset = 'events' and {{ in_window('batch_id') }}
)

select
    site_id,
    batch_id,
    count(*) as loaded_rows,
    {{ utc_date('received_at') }} as received_date
from {{ ref('stg_events') }}
where
    {{ in_window('batch_id') }}
    and received_at >= (select window_days.received_from from window_days)
    and received_at < (select window_days.received_before from window_days)
group by site_id, batch_id, {{ utc_date('received_at') }}
