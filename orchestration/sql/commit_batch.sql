-- Commits one planned batch in the ledger; returns its id, or no row when the batch is not planned any more.
-- $1: {batch_id, landed_rows, loaded_rows, late_rows, archive_key, archive_bytes, committed_at, is_restored, counts: [...]}
with given as (
    select $1::jsonb as document
),

committed as (
    update ops.load_batches
    set
        state = 'committed',
        landed_rows = (given.document ->> 'landed_rows')::bigint,
        loaded_rows = (given.document ->> 'loaded_rows')::bigint,
        late_rows = (given.document ->> 'late_rows')::bigint,
        archive_key = given.document ->> 'archive_key',
        archive_bytes = (given.document ->> 'archive_bytes')::bigint,
        committed_at = (given.document ->> 'committed_at')::timestamptz
    from given
    where
        load_batches.batch_id = given.document ->> 'batch_id'
        and load_batches.state = 'planned'
        -- Batches become visible in the order of their ids: a transform that ended at a newer one would miss this one.
        -- A rebuild restores object by object and keeps transforms out until it has ended.
        and (
            (given.document ->> 'is_restored')::boolean is true
            or not exists (
                select from ops.load_batches as newer
                where newer.state = 'committed' and newer.batch_id > load_batches.batch_id
            )
        )
    returning load_batches.batch_id
),

objects as (
    update ops.load_objects
    set state = 'committed'
    from committed
    where load_objects.batch_id = committed.batch_id and load_objects.state = 'planned'
),

counts as (
    insert into ops.load_counts (batch_id, site_id, received_date, reason, landed_rows, late_rows)
    select
        committed.batch_id,
        counted.site_id,
        counted.received_date,
        counted.reason,
        counted.landed_rows,
        counted.late_rows
    from committed
    cross join given
    cross join jsonb_to_recordset(given.document -> 'counts') as counted (
        site_id text, received_date date, reason text, landed_rows bigint, late_rows bigint
    )
)

select batch_id from committed
