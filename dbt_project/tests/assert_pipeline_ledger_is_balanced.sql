-- Conservation: every landed event of a touched day is a unique event, a duplicate, a conflict or late, and the
-- conflicts are among the rejects. It reads both marts and so keeps neither from being built.
select ledger.*
from {{ ref('int_touched_received_days') }} as touched
inner join {{ ref('fct_pipeline_ledger') }} as ledger
    on touched.site_id = ledger.site_id and touched.received_date = ledger.received_date
left join {{ ref('fct_pipeline_rejects') }} as conflicts
    on ledger.site_id = conflicts.site_id
        and ledger.received_date = conflicts.received_date
        and conflicts.reason = 'id_conflict'
where not ledger.is_balanced or ledger.conflict_count <> coalesce(conflicts.reject_count, 0)
