"""The collector: takes events over HTTP and answers only when they are durable.

    request → limits → decode → protocol → rows → spool → answer        (front, intake, protocols, rows, spool)
    sealed segment → Parquet → landing zone                            (ship, convert)

Imports `landing`, never `orchestration`; opens no database.
"""
