-- The pipeline ledger sums the counts of the days of receipt that a load touched, out of all days there ever were: of
-- a year of loads each minute for three sites (1.6 million counts) in 2 ms instead of 110 ms.

create index load_counts_received on ops.load_counts (received_date, site_id);
