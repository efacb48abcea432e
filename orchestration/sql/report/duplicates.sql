-- grain: one row, further deliveries of events and other events under their ids among the rows that the marts have covered
select
    coalesce(sum(duplicate_count), 0)::bigint as duplicates,
    coalesce(sum(conflict_count), 0)::bigint as id_conflicts
from marts.fct_pipeline_ledger
