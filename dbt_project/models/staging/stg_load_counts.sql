-- grain: one committed batch of events or rejects, site, UTC day of receipt and reason; empty for accepted events
with counts as (
    select * from {{ source('ops', 'load_counts') }}
),

batches as (
    select * from {{ source('ops', 'load_batches') }}
    where state = 'committed' and dataset in ('events', 'rejects')
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
