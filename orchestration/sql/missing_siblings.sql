-- grain: one dataset of a segment whose object never arrived although another dataset's did
with segments as (
    select
        segment_id,
        segment_rows,
        min(noticed_at) as noticed_at
    from ops.load_objects
    where noticed_at >= %(active_since)s and segment_id is not null
    group by segment_id, segment_rows
),

promised as (
    select
        segments.segment_id,
        segments.noticed_at,
        dataset_rows.dataset,
        dataset_rows.row_count::bigint as row_count
    from segments
    cross join lateral jsonb_each_text(segments.segment_rows) as dataset_rows (dataset, row_count)
)

select
    promised.segment_id,
    promised.dataset,
    promised.row_count,
    promised.noticed_at
from promised
where
    promised.row_count > 0
    and not exists (
        select from ops.load_objects as arrived
        where arrived.segment_id = promised.segment_id and arrived.dataset = promised.dataset
    )
order by promised.segment_id, promised.dataset
