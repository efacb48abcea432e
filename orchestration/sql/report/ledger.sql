-- grain: one row, what became of every event that landed, as the ledger counts it
select
    coalesce(sum(load_counts.landed_rows) filter (where load_counts.reason = ''), 0)::bigint as landed,
    coalesce(sum(load_counts.landed_rows - load_counts.late_rows) filter (where load_counts.reason = ''), 0)::bigint as loaded,
    coalesce(sum(load_counts.late_rows) filter (where load_counts.reason = ''), 0)::bigint as late,
    coalesce(sum(load_counts.landed_rows) filter (where load_counts.reason <> ''), 0)::bigint as rejected
from ops.load_counts
inner join ops.load_batches on load_counts.batch_id = load_batches.batch_id
where load_batches.dataset in ('events', 'rejects')
