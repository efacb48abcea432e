"""Where the parts that are no Python modules lie."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The folder that holds `deploy/`, `dbt_project/` and the packages."""

DAGSTER_YAML = ROOT / "deploy" / "dagster.yaml"
EXAMPLE_SITES = ROOT / "sites.example.yml"
EXAMPLE_SHOP = ROOT / "examples" / "shop"
