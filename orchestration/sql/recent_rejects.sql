-- grain: one reason for which rows of the given batches were refused, at one site
select
    site_id,
    reason,
    sum(landed_rows) as rejects
from ops.load_counts
where batch_id = any(%(batch_ids)s) and reason <> ''
group by site_id, reason
order by rejects desc, site_id, reason
limit %(row_limit)s
