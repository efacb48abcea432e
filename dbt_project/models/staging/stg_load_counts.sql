-- grain: one committed batch, site, UTC day of receipt and reject reason; the reason of accepted events is empty
with counts as (
    select * from {{ source('ops', 'load_counts') }}
),

batches as (
    select * from {{ source('ops', 'load_batches') }}
    where state = 'committed'
)

select
    counts.batch_id,
    counts.site_id,
    counts.reason,
    counts.landed_rows,
    counts.late_rows,
    counts.received_date
from counts
inner join batches on counts.batch_id = batches.batch_id
