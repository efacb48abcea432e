-- grain: one UTC day with rows in raw that ended before the given day and was never closed
select distinct load_batches.day
from ops.load_batches
where
    load_batches.state = 'committed'
    and load_batches.day < %(before)s
    and load_batches.day not in (select closed_days.day from ops.closed_days)
    and load_batches.day not in (select purged_days.day from ops.purged_days)
order by load_batches.day
