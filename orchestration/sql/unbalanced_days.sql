-- grain: one site and day of receipt whose counts in the marts' ledger do not agree, with the counts
select
    site_id,
    received_date,
    landed_count,
    late_count,
    loaded_count,
    event_count,
    duplicate_count,
    conflict_count
from marts.fct_pipeline_ledger
where not is_balanced
order by received_date, site_id
