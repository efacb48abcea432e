"""Schema `apps`: declared tables made and changed as the sites file says, and the rows of apps put into them."""

from orchestration.app_tables.filing import AppTables as AppTables
from orchestration.app_tables.filing import file_rows as file_rows
from orchestration.app_tables.opening import open_app_tables as open_app_tables
from orchestration.app_tables.opening import plan_tables as plan_tables
