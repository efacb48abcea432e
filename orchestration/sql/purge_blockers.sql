-- grain: one reason why the raw events received on %(day)s must stay, with what it is about; no row: they may go
with finished as (
    select coalesce(max(upto_batch_id), '') as upto_batch_id
    from ops.transforms
    where finished_at is not null
)

select 'the day is not closed' as reason
where not exists (select from ops.closed_days where day = %(day)s)

union all

select 'batch ' || min(batch_id) || ' of the day is not transformed yet'
from ops.load_batches
cross join finished
where state = 'committed' and dataset = 'events' and day <= %(day)s and batch_id > finished.upto_batch_id
having count(*) > 0

union all

-- Its horizon was fixed before this purge: its rows of purged days would be loaded after all.
select 'batch ' || min(batch_id) || ' was planned and not committed: let a load finish it'
from ops.load_batches
where state = 'planned' and dataset = 'events'
having count(*) > 0

union all

-- Such a row would rebuild a session whose other events are gone.
select 'batch ' || min(events.batch_id) || ', not transformed yet, holds events that happened until that day'
from raw.events
cross join finished
where
    events.batch_id > finished.upto_batch_id
    and events.occurred_at < (%(day)s::date + 1)::timestamp at time zone 'UTC'
having count(*) > 0
