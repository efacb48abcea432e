-- grain: one declared table that differs from its declaration, or whose rows wait in raw.app_rows, with the reason
with waiting as (
    select
        table_name,
        sum(landed_rows)::bigint as waiting_rows,
        (array_agg(problem order by batch_id desc))[1] as problem
    from ops.app_loads
    where problem is not null
    group by table_name
)

select
    table_name,
    coalesce(waiting.waiting_rows, 0) as waiting_rows,
    coalesce(app_table_problems.problem, waiting.problem) as problem
from waiting
full join ops.app_table_problems using (table_name)
order by table_name
