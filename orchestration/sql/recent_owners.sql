-- grain: one owner of rows of the dataset, a fleet or an app, among the given batches
select
    load_counts.site_id as owner,
    sum(load_counts.landed_rows) as landed_rows
from ops.load_counts
inner join ops.load_batches on load_counts.batch_id = load_batches.batch_id
where load_counts.batch_id = any(%(batch_ids)s) and load_batches.dataset = %(dataset)s
group by load_counts.site_id
order by landed_rows desc, load_counts.site_id
limit %(row_limit)s
