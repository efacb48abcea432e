-- What purges removed besides raw events, and whether a rebuild is under way.

-- grain: one UTC day whose raw rejects were dropped
create table ops.purged_reject_days (
    day date primary key,
    raw_rows bigint not null,
    purged_at timestamptz not null
);

alter table ops.load_batches add column archive_deleted_at timestamptz;
comment on column ops.load_batches.archive_deleted_at is 'when the purge removed the archive object';

-- grain: one rebuild from the archive
create table ops.rebuilds (
    rebuild_id bigint generated always as identity primary key,
    started_at timestamptz not null,
    finished_at timestamptz
);
comment on table ops.rebuilds is 'while one is unfinished the ledger is incomplete: nothing may be loaded or purged';

create index load_objects_segment on ops.load_objects (segment_id, dataset);
create index load_objects_noticed on ops.load_objects using brin (noticed_at);
create index load_objects_quarantined on ops.load_objects (object_key) where state = 'quarantined';
create index load_batches_planned on ops.load_batches (batch_id) where state = 'planned';
