-- grain: one row, what became of everything that landed, as the ledger counts it
select
    coalesce(sum(landed_rows) filter (where reason = ''), 0)::bigint as landed,
    coalesce(sum(landed_rows - late_rows) filter (where reason = ''), 0)::bigint as loaded,
    coalesce(sum(late_rows) filter (where reason = ''), 0)::bigint as late,
    coalesce(sum(landed_rows) filter (where reason <> ''), 0)::bigint as rejected
from ops.load_counts
