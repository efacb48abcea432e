-- Bookkeeping of the mill. Written by the orchestration only; read by dbt through sources.

create schema if not exists ops;
create schema if not exists raw;

-- grain: one batch, the set of inbox objects of one dataset and UTC day that one load takes
create table ops.load_batches (
    batch_id text collate "C" primary key,
    dataset text not null,
    day date not null,
    state text not null check (state in ('planned', 'committed')),
    planned_at timestamptz not null,
    purge_horizon timestamptz,
    landed_rows bigint,
    loaded_rows bigint,
    late_rows bigint,
    archive_key text,
    archive_bytes bigint,
    committed_at timestamptz,
    check (state = 'planned' or landed_rows = loaded_rows + late_rows)
);
comment on column ops.load_batches.batch_id is 'zero-padded number, a dash, eight random hex digits: sorts in load order, unique across databases';
comment on column ops.load_batches.purge_horizon is 'rows that happened before it are archived and counted as late, not loaded; fixed when the batch is planned';

-- grain: one inbox object
create table ops.load_objects (
    object_key text collate "C" primary key,
    dataset text not null,
    state text not null check (state in ('planned', 'committed', 'quarantined')),
    batch_id text collate "C" references ops.load_batches,
    segment_id text,
    writer_id text,
    segment_number integer,
    segment_rows jsonb,
    row_count bigint,
    size_bytes bigint not null,
    reason text,
    noticed_at timestamptz not null,
    deleted_at timestamptz,
    check ((state = 'quarantined') = (reason is not null)),
    check (state = 'quarantined' or batch_id is not null)
);
create index load_objects_batch on ops.load_objects (batch_id);
create index load_objects_writer on ops.load_objects (writer_id, segment_number);
comment on column ops.load_objects.segment_rows is 'rows of the whole segment by dataset, as its writer counted them';
comment on column ops.load_objects.deleted_at is 'when the purge removed the object from the inbox';

-- grain: one batch, site, UTC day of receipt and reject reason; '' stands for no site and for no reason
create table ops.load_counts (
    batch_id text collate "C" not null references ops.load_batches on delete cascade,
    site_id text not null,
    received_date date not null,
    reason text not null,
    landed_rows bigint not null,
    late_rows bigint not null,
    primary key (batch_id, site_id, received_date, reason)
);

-- grain: one run of the transform; it covers the batches in (after_batch_id, upto_batch_id]
create table ops.transforms (
    transform_id bigint generated always as identity primary key,
    after_batch_id text collate "C" not null,
    upto_batch_id text collate "C" not null,
    is_full_refresh boolean not null,
    started_at timestamptz not null,
    finished_at timestamptz
);

-- grain: the one window that the dbt models read: planned by a running transform, else all that is pending
create view ops.transform_window as
with finished as (
    select coalesce(max(upto_batch_id), '') as upto_batch_id
    from ops.transforms
    where finished_at is not null
),

running as (
    select upto_batch_id
    from ops.transforms
    where finished_at is null
    order by transform_id desc
    limit 1
),

committed as (
    select coalesce(max(batch_id), '') as batch_id
    from ops.load_batches
    where state = 'committed'
)

select
    finished.upto_batch_id as after_batch_id,
    coalesce((select running.upto_batch_id from running), committed.batch_id) as upto_batch_id
from finished
cross join committed;

-- grain: one site of the sites file, with the settings that the models need
create table ops.sites (
    site_id text primary key,
    name text not null,
    timezone text not null,
    home_host text,
    session_timeout_s integer not null,
    splits_at_midnight boolean not null,
    splits_on_campaign boolean not null,
    campaign_timeout_days integer not null,
    referral_exclusions text[] not null,
    ignored_search_terms text[] not null,
    has_manual_tagging_override boolean not null,
    is_rebuild_pending boolean not null default true,
    updated_at timestamptz not null
);
comment on column ops.sites.is_rebuild_pending is 'settings changed: the next transform rebuilds every visitor of the site';

-- grain: one UTC day whose raw events were dropped
create table ops.purged_days (
    day date primary key,
    raw_rows bigint not null,
    purged_at timestamptz not null
);

-- grain: one row; events that happened before the horizon can no longer change a mart
create view ops.purge_horizon as
select (max(day) + 1)::timestamp at time zone 'UTC' as purge_horizon
from ops.purged_days;

-- grain: one summarised UTC day
create table ops.closed_days (
    day date primary key,
    closed_at timestamptz not null,
    upto_batch_id text collate "C" not null
);

-- grain: one day whose summaries the next transform rebuilds although no event touched it
create table ops.requested_days (
    day date primary key,
    requested_at timestamptz not null
);
