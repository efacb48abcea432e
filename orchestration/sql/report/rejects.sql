-- grain: one site and reason for which something was refused
select
    site_id,
    reason,
    sum(landed_rows)::bigint as rejects
from ops.load_counts
where reason <> ''
group by site_id, reason
order by rejects desc, site_id, reason
limit %(row_limit)s
