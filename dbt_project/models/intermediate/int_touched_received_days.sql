{{ config(
    unlogged=true,
    indexes=[{'columns': ['site_id', 'received_date'], 'unique': true}],
    post_hook=["analyze {{ this }}"]
) }}

-- grain: one site and UTC day of receipt whose ledger this run rebuilds; key (site_id, received_date)
select distinct
    site_id,
    received_date
from {{ ref('int_received_day_changes') }}
