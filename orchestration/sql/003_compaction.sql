-- Batches of a closed day share an archive object.

comment on column ops.load_batches.archive_key is 'the object that holds the batch, together with others of its day once it was compacted';
comment on column ops.load_batches.archive_bytes is 'length of that object';
