{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['event_id', 'site_id', 'batch_id', 'segment_id', 'segment_row'],
    indexes=[
        {'columns': ['event_id', 'site_id', 'batch_id', 'segment_id', 'segment_row'], 'unique': true},
        {'columns': ['received_at'], 'type': 'brin'}
    ]
) }}
-- Written before int_events, which forgets the copy that an earlier one displaces.
-- depends_on: {{ ref('int_received_day_changes') }}

-- grain: one delivery of an event after the first, a duplicate or a conflict; key (site_id, event_id, batch_id,
-- segment_id, segment_row)
with deliveries as not materialized (
    select * from {{ ref('int_deliveries') }}
),

arrived as (
    select
        site_id,
        event_id,
        content_hash
    from deliveries
    where is_arrival
),

displaced as (
    select * from deliveries
    where is_arrival and not is_known and replaced_received_at is not null
),

repeats as (
    -- What this run reads and another copy precedes,
    select
        deliveries.site_id,
        deliveries.event_id,
        deliveries.batch_id,
        deliveries.segment_id,
        deliveries.segment_row,
        deliveries.content_hash,
        case
            when arrived.event_id is not null then arrived.content_hash else deliveries.replaced_content_hash
        end as first_content_hash,
        deliveries.received_at
    from deliveries
    left join arrived on deliveries.site_id = arrived.site_id and deliveries.event_id = arrived.event_id
    where not deliveries.is_arrival
    union
    -- the copy that was the event until now,
    select
        site_id,
        event_id,
        replaced_batch_id as batch_id,
        replaced_segment_id as segment_id,
        replaced_segment_row as segment_row,
        replaced_content_hash as content_hash,
        content_hash as first_content_hash,
        replaced_received_at as received_at
    from displaced
    union
    -- and the repeats of that one, which are compared with another event now.
    select
        displaced.site_id,
        displaced.event_id,
        earlier.batch_id,
        earlier.segment_id,
        earlier.segment_row,
        earlier.content_hash,
        displaced.content_hash as first_content_hash,
        earlier.received_at
    from displaced
    cross join lateral (
        select *
        from {{ previous_repeats() }} as known
        where known.site_id = displaced.site_id and known.event_id = displaced.event_id
    ) as earlier
)

select
    site_id,
    event_id,
    batch_id,
    segment_id,
    segment_row,
    cast(
        md5(concat_ws(chr(31), site_id, cast(event_id as text), batch_id, segment_id, cast(segment_row as text)))
        as uuid
    ) as reject_id,
    content_hash,
    -- Another event under the same id, as far as both contents are known: it is refused.
    coalesce(content_hash <> first_content_hash, false) as is_conflict,
    received_at
from repeats
