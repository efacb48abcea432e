-- grain: one row, what became of everything that landed, as the ledger counts it
select
    coalesce(sum(load_counts.landed_rows) filter (where load_batches.dataset = 'events'), 0)::bigint as landed,
    coalesce(sum(load_counts.landed_rows - load_counts.late_rows) filter (where load_batches.dataset = 'events'), 0)::bigint as loaded,
    coalesce(sum(load_counts.late_rows) filter (where load_batches.dataset = 'events'), 0)::bigint as late,
    coalesce(sum(load_counts.landed_rows) filter (where load_batches.dataset = 'rejects'), 0)::bigint as rejected,
    coalesce(sum(load_counts.landed_rows) filter (where load_batches.dataset = 'checkins'), 0)::bigint as checkins,
    coalesce(sum(load_counts.landed_rows) filter (where load_batches.dataset = 'app_rows'), 0)::bigint as app_rows
from ops.load_counts
inner join ops.load_batches on load_counts.batch_id = load_batches.batch_id
