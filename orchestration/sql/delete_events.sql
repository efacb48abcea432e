-- Deletes the raw events of some batches of one day. $1: {day, batch_ids: [...]}
delete from raw.events
where
    received_at >= ($1::jsonb ->> 'day')::date::timestamp at time zone 'UTC'
    and received_at < (($1::jsonb ->> 'day')::date + 1)::timestamp at time zone 'UTC'
    and batch_id in (select jsonb_array_elements_text($1::jsonb -> 'batch_ids'))
