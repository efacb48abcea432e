-- grain: one batch committed since the given time
select batch_id
from ops.load_batches
where state = 'committed' and committed_at >= %(since)s
order by batch_id
