{{ config(materialized='view') }}

-- grain: one event that this run adds or replaces; key (site_id, event_id)
select * from {{ ref('int_deliveries') }}
where is_arrival
