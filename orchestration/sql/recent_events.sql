-- grain: one event of the given batch, a handful of them
select
    site_id,
    event_type,
    event_name,
    occurred_at,
    page_path,
    device_kind,
    is_bot
from raw.events
where batch_id = %(batch_id)s
order by occurred_at desc
limit %(row_limit)s
