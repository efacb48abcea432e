-- Conservation: every landed event of a touched day is a unique event, a duplicate, a conflict or late.
select ledger.*
from {{ ref('int_touched_received_days') }} as touched
inner join {{ ref('fct_pipeline_ledger') }} as ledger
    on touched.site_id = ledger.site_id and touched.received_date = ledger.received_date
where not ledger.is_balanced
