{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook=["{{ prune_covered_changes() }}"]
) }}

-- grain: one site and UTC day of receipt whose ledger changed, as one run noticed it; survives a crashed run
with arrivals as not materialized (
    select * from {{ ref('int_arrivals') }}
),

days as (
    select
        site_id,
        received_date
    from {{ ref('stg_load_counts') }}
    where {{ in_window('batch_id') }}
    union
    select
        site_id,
        {{ utc_date('replaced_received_at') }} as received_date
    from arrivals
    where replaced_received_at is not null
    union
    -- Repeats of a displaced copy are compared with another event now: a duplicate may become a conflict.
    select
        arrivals.site_id,
        {{ utc_date('repeats.received_at') }} as received_date
    from arrivals
    cross join lateral (
        select earlier.received_at
        from {{ previous_repeats() }} as earlier
        where earlier.site_id = arrivals.site_id and earlier.event_id = arrivals.event_id
    ) as repeats
    where arrivals.replaced_received_at is not null
)

select
    site_id,
    received_date,
    {{ finished_transform() }} as finished_transform_id
from days
