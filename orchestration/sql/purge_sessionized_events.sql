-- Deletes the deduplicated events received before %(horizon)s, but those of sessions that could still be extended: a
-- session lasts while its gaps are shorter than its timeout, at most a day. Late ones received since then stay with
-- their raw rows, because the ledger of their day of receipt still counts them.
delete from intermediate.int_events as events
where
    events.received_at < %(horizon)s
    and not exists (
        select from marts.fct_sessions as sessions
        where
            sessions.site_id = events.site_id
            and sessions.visitor_id = events.visitor_id
            and sessions.session_start_at <= events.occurred_at
            and sessions.session_end_at >= %(horizon)s - interval '1 day'
    )
