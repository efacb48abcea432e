-- Rejects are never changed; that one was sent again with success stands beside them.

-- grain: one reject whose content was accepted later
create table ops.replayed_rejects (
    reject_id uuid primary key,
    replayed_at timestamptz not null
);
