"""What Dagster makes: the raw tables, the dbt models, and the operations that follow once a day."""
