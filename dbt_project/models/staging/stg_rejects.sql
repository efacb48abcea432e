-- grain: one refused event or request
with source as (
    select * from {{ source('raw', 'rejects') }}
)

select
    reject_id,
    coalesce(site_id, '') as site_id,
    batch_id,
    protocol,
    tracking_key,
    reason,
    detail,
    received_at
from source
