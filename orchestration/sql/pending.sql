-- grain: one row, what the next transform has to do
select
    (
        select count(*)
        from ops.load_batches
        where
            state = 'committed'
            and batch_id > (select coalesce(max(upto_batch_id), '') from ops.transforms where finished_at is not null)
    ) as batches,
    (select count(*) from ops.requested_days) as requested_days,
    (select count(*) from ops.sites where is_rebuild_pending) as changed_sites,
    (select count(*) from ops.remapped_batches) as remapped_batches,
    (select count(*) from ops.transforms where finished_at is null) as unfinished_transforms
