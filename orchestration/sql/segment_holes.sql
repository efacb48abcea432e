-- grain: one stretch of segments of a writer that never arrived although a later one did, with when that was noticed
with writers as (
    select writer_id
    from ops.load_objects
    where writer_id is not null
    group by writer_id
    having max(noticed_at) >= %(active_since)s
),

segments as (
    select
        load_objects.writer_id,
        load_objects.segment_number,
        min(load_objects.noticed_at) as noticed_at
    from ops.load_objects
    inner join writers on load_objects.writer_id = writers.writer_id
    group by load_objects.writer_id, load_objects.segment_number
),

neighbours as (
    select
        *,
        coalesce(lag(segment_number) over (partition by writer_id order by segment_number), -1) as previous_number
    from segments
)

select
    writer_id,
    previous_number + 1 as first_missing,
    segment_number - 1 as last_missing,
    noticed_at
from neighbours
where segment_number > previous_number + 1
order by writer_id, segment_number
