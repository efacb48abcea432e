-- grain: one delivery of another event under a taken id, newest first, in the columns of find_rejects. Found by the
-- models and kept as an event: what its client sent is the content.
select
    conflicts.reject_id,
    conflicts.received_at,
    deliveries.protocol,
    conflicts.site_id,
    deliveries.tracking_key,
    'id_conflict' as reason,
    'another event has the id ' || conflicts.event_id
    || coalesce(', received ' || to_char(firsts.received_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), '') as detail,
    null as method,
    null as path,
    null as query,
    null::jsonb as headers,
    translate(encode(convert_to(deliveries.raw::text, 'UTF8'), 'base64'), E'\n', '') as body,
    octet_length(deliveries.raw::text) as body_bytes,
    deliveries.ip,
    null::timestamptz as replayed_at
from intermediate.int_repeats as conflicts
inner join raw.events as deliveries
    on conflicts.received_at = deliveries.received_at
    and conflicts.batch_id = deliveries.batch_id
    and conflicts.segment_id = deliveries.segment_id
    and conflicts.segment_row = deliveries.segment_row
left join intermediate.int_events as firsts
    on conflicts.event_id = firsts.event_id and conflicts.site_id = firsts.site_id
where conflicts.is_conflict
    and coalesce(%(reason)s::text, 'id_conflict') = 'id_conflict'
    and (%(reject_ids)s::uuid[] is null or conflicts.reject_id = any(%(reject_ids)s::uuid[]))
    and (%(site_id)s::text is null or conflicts.site_id = %(site_id)s::text)
    and (%(protocol)s::text is null or deliveries.protocol = %(protocol)s::text)
    and (%(since)s::timestamptz is null or conflicts.received_at >= %(since)s::timestamptz)
order by conflicts.received_at desc, conflicts.reject_id
limit %(row_limit)s
