-- grain: one committed batch whose counts do not agree, with the counts; %(batch_ids)s limits the batches, null: all
with batches as (
    select *
    from ops.load_batches
    where state = 'committed' and (%(batch_ids)s::text[] is null or batch_id = any(%(batch_ids)s::text[]))
),

objects as (
    select
        load_objects.batch_id,
        sum(load_objects.row_count) as object_rows
    from ops.load_objects
    inner join batches on load_objects.batch_id = batches.batch_id
    where load_objects.state = 'committed'
    group by load_objects.batch_id
),

counts as (
    select
        load_counts.batch_id,
        sum(load_counts.landed_rows) as landed_rows,
        sum(load_counts.late_rows) as late_rows
    from ops.load_counts
    inner join batches on load_counts.batch_id = batches.batch_id
    group by load_counts.batch_id
),

compared as (
    select
        batches.batch_id,
        coalesce(objects.object_rows, 0)::bigint as object_rows,
        batches.landed_rows,
        batches.loaded_rows,
        batches.late_rows,
        coalesce(counts.landed_rows, 0)::bigint as counted_landed_rows,
        coalesce(counts.late_rows, 0)::bigint as counted_late_rows
    from batches
    left join objects on batches.batch_id = objects.batch_id
    left join counts on batches.batch_id = counts.batch_id
)

select * from compared
where
    object_rows <> landed_rows
    or counted_landed_rows <> landed_rows
    or counted_late_rows <> late_rows
    or landed_rows <> loaded_rows + late_rows
order by batch_id
