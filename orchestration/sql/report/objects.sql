-- grain: one row, the batches and inbox objects that the ledger knows
select
    (select count(*) from ops.load_batches where state = 'committed') as committed_batches,
    (select count(*) from ops.load_batches where state = 'planned') as planned_batches,
    (select max(committed_at) from ops.load_batches) as last_load_at,
    (select count(*) from ops.load_objects where state = 'quarantined') as quarantined_objects,
    (select max(finished_at) from ops.transforms) as last_transform_at,
    (select count(*) from ops.transforms where finished_at is null) as unfinished_transforms,
    (select count(*) from ops.closed_days) as closed_days,
    (select max(day) from ops.closed_days) as last_closed_day,
    (select count(*) from ops.purged_days) as purged_days,
    (select max(day) from ops.purged_days) as last_purged_day
