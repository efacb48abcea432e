-- grain: one reason why the raw rows of %(dataset)s received on %(day)s must stay; no row: they may go
with finished as (
    select coalesce(max(upto_batch_id), '') as upto_batch_id
    from ops.transforms
    where finished_at is not null
)

select 'the day is not closed' as reason
where
    %(dataset)s in ('events', 'checkins')
    and not exists (select from ops.closed_days where day = %(day)s)

union all

select 'batch ' || min(batch_id) || ' of the day is not transformed yet'
from ops.load_batches
cross join finished
where
    %(dataset)s in ('events', 'checkins')
    and state = 'committed'
    and dataset = %(dataset)s
    and day <= %(day)s
    and batch_id > finished.upto_batch_id
having count(*) > 0

union all

-- Its horizon was fixed before this purge: its rows of purged days would be loaded after all.
select 'batch ' || min(batch_id) || ' was planned and not committed: let a load finish it'
from ops.load_batches
where %(dataset)s = 'events' and state = 'planned' and dataset = 'events'
having count(*) > 0

union all

-- Such a row would rebuild a session whose other events are gone.
select 'batch ' || min(events.batch_id) || ', not transformed yet, holds events that happened until that day'
from raw.events
cross join finished
where
    %(dataset)s = 'events'
    and events.batch_id > finished.upto_batch_id
    and events.occurred_at < (%(day)s::date + 1)::timestamp at time zone 'UTC'
having count(*) > 0

union all

-- The marts still say what the former mapping said, perhaps of events that happened on that day.
select 'batch ' || min(remaps.batch_id) || ' was mapped anew: ' || min(remaps.remedy)
from (
    select
        batch_id,
        'let a transform read it again' as remedy
    from ops.remapped_batches
    union all
    select
        batch_id,
        'run the replay from the archive again, which was interrupted'
    from ops.begun_remaps
) as remaps
where %(dataset)s = 'events'
having count(*) > 0

union all

select 'rows of batch ' || min(app_loads.batch_id) || ' wait for the declared table ' || min(app_loads.table_name)
from ops.app_loads
inner join ops.load_batches on app_loads.batch_id = load_batches.batch_id
where load_batches.dataset = %(dataset)s and load_batches.day = %(day)s and app_loads.problem is not null
having count(*) > 0
