-- Notes that batches are as their archive object has them. $1: {archive_key, archive_bytes, in_raw, batch_ids: [...]}
-- Of those that are in raw the models read again; a batch noted before is noted anew, since a transform may just be
-- reading what it was.
with given as (
    select $1::jsonb as document
),

batches as (
    select jsonb_array_elements_text(given.document -> 'batch_ids') as batch_id
    from given
),

finished as (
    delete from ops.begun_remaps
    where batch_id in (select batches.batch_id from batches)
),

announced as (
    insert into ops.remapped_batches (batch_id)
    select batches.batch_id
    from batches
    cross join given
    where (given.document ->> 'in_raw')::boolean
    on conflict (batch_id) do update set remapped_at = clock_timestamp()
)

update ops.load_batches
set archive_bytes = (given.document ->> 'archive_bytes')::bigint
from given
where load_batches.archive_key = given.document ->> 'archive_key' and load_batches.archive_deleted_at is null
