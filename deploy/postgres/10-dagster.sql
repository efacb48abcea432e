-- Dagster keeps its runs and events apart from the warehouse, so that either can be dropped or restored alone.
create database dagster;
