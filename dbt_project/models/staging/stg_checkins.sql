-- grain: one message of an installed program; one delivered twice is here twice
with source as (
    select * from {{ source('raw', 'checkins') }}
)

select
    fleet,
    checkin_id,
    install_id,
    batch_id,
    {{ binary_text('segment_id') }} as segment_id,
    segment_row,
    protocol,
    coalesce(components, cast('[]' as jsonb)) as components,
    coalesce(gauges, cast('{}' as jsonb)) as gauges,
    coalesce(numbers, cast('{}' as jsonb)) as numbers,
    coalesce(codes, cast('{}' as jsonb)) as codes,
    received_at,
    {{ utc_date('received_at') }} as received_date
from source
