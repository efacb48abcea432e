-- grain: one reject, newest first
select
    rejects.reject_id,
    rejects.received_at,
    rejects.protocol,
    rejects.site_id,
    rejects.tracking_key,
    rejects.reason,
    rejects.detail,
    rejects.method,
    rejects.path,
    rejects.query,
    rejects.headers,
    rejects.body,
    rejects.body_bytes,
    rejects.ip,
    replayed.replayed_at
from raw.rejects as rejects
left join ops.replayed_rejects as replayed
    on rejects.reject_id = replayed.reject_id
where (%(reject_ids)s::uuid[] is null or rejects.reject_id = any(%(reject_ids)s::uuid[]))
    and (%(site_id)s::text is null or coalesce(rejects.site_id, '') = %(site_id)s::text)
    and (%(protocol)s::text is null or rejects.protocol = %(protocol)s::text)
    and (%(reason)s::text is null or rejects.reason = %(reason)s::text)
    and (%(since)s::timestamptz is null or rejects.received_at >= %(since)s::timestamptz)
    and (%(includes_replayed)s or replayed.reject_id is null)
order by rejects.received_at desc, rejects.reject_id
limit %(row_limit)s
