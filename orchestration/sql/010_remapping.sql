-- Events whose kept originals were mapped anew (`tidemill replay --from-archive`).

-- grain: one batch whose archived rows are being replaced
create table ops.begun_remaps (
    batch_id text collate "C" primary key references ops.load_batches on delete cascade,
    begun_at timestamptz not null default clock_timestamp()
);
comment on table ops.begun_remaps is 'the archive object may hold what raw does not hold yet; the next replay from the archive finishes it';

-- grain: one batch whose raw rows were replaced since the models last read them
create table ops.remapped_batches (
    batch_id text collate "C" primary key references ops.load_batches on delete cascade,
    remapped_at timestamptz not null default clock_timestamp()
);
comment on table ops.remapped_batches is 'the next transform reads these batches again';
