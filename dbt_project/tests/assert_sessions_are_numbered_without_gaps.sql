{{ config(tags=['daily']) }}

-- Each visitor's sessions are numbered 1, 2, 3, … in order of their starts; none begins before the one before ended.
with ordered as (
    select
        site_id,
        visitor_id,
        session_number,
        session_start_at,
        row_number() over visitor as place,
        lag(session_end_at) over visitor as previous_end_at
    from {{ ref('fct_sessions') }}
    window visitor as (partition by site_id, visitor_id order by session_number)
)

select * from ordered
where session_number <> place or session_start_at < previous_end_at
