-- grain: one row, further deliveries of events among the rows that the marts have covered
select coalesce(sum(duplicate_count), 0)::bigint as duplicates
from marts.fct_pipeline_ledger
