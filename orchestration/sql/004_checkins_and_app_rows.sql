-- Datasets besides events and rejects: what purges note of them, and how rows of declared tables reach schema apps.

create schema if not exists apps;

-- grain: one dataset other than events and UTC day whose raw rows were dropped
create table ops.purged_raw_days (
    dataset text not null,
    day date not null,
    raw_rows bigint not null,
    purged_at timestamptz not null,
    primary key (dataset, day)
);
insert into ops.purged_raw_days (dataset, day, raw_rows, purged_at)
select
    'rejects' as dataset,
    day,
    raw_rows,
    purged_at
from ops.purged_reject_days;
drop table ops.purged_reject_days;

comment on column ops.load_counts.site_id is 'whose rows: a site, of check-ins the fleet, of rows of declared tables the app; empty for none';

-- grain: one definition of a declared table that was applied to schema apps, the newest the last
create table ops.app_table_versions (
    table_name text not null,
    version integer not null,
    columns jsonb not null,
    statements text[] not null,
    applied_at timestamptz not null,
    primary key (table_name, version)
);
comment on column ops.app_table_versions.columns is 'the definition: list of {name, type, required, indexed}';

-- grain: one declared table whose definition differs from the existing table in a way that the load does not apply
create table ops.app_table_problems (
    table_name text primary key,
    problem text not null,
    noticed_at timestamptz not null
);

-- grain: one batch and declared table; rows that the table could not take wait in raw.app_rows
create table ops.app_loads (
    batch_id text collate "C" not null references ops.load_batches on delete cascade,
    table_name text not null,
    landed_rows bigint not null,
    new_rows bigint,
    problem text,
    primary key (batch_id, table_name),
    check ((new_rows is null) = (problem is not null))
);
create index app_loads_waiting on ops.app_loads (batch_id) where problem is not null;
comment on column ops.app_loads.new_rows is 'rows that the table took; the others were there already, under the same _row_id';
