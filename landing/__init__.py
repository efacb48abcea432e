"""What both sides of the landing zone agree on: the event contract, the object layout, the stores, the sites file.

Imports neither `collector` nor `orchestration`; knows nothing of HTTP, Postgres or Dagster.
"""
