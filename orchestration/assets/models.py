"""The dbt models as assets, their tests as checks, and the run that builds what changed."""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib.metadata import version as installed_version
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation, DbtCliResource, DbtProject, dbt_assets
from packaging.version import Version

from orchestration.assets.raw import AT_LEAST_DAILY, OWNERS, TRANSIENT
from orchestration.database import Connection
from orchestration.dbt_child import PARENT_VARIABLE
from orchestration.dbt_files import PROJECT, dbt_environment, keep_parse, prepared_manifest, sweep_run_folders
from orchestration.exclusion import exclusive_models
from orchestration.failures import final_failures
from orchestration.partitions import days_of
from orchestration.resources import Mill
from orchestration.sites_table import sync_sites
from orchestration.transform_window import finish_transform, plan_transform

LAYERS = ("seeds", "staging", "intermediate", "marts")
"""The groups, in the order in which data pass them."""

LOCK_WAIT_S = 600.0
"""How long a transform waits for another one, a purge or a rebuild."""


class LayerTranslator(DagsterDbtTranslator):
    """Models become assets keyed by schema and table, grouped by layer."""

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """The spec of a dbt node; sources stay as dagster-dbt makes them."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = self.get_resource_props(manifest, unique_id)
        if node["resource_type"] == "source":
            return spec
        layer = layer_of(node)
        return spec.replace_attributes(
            group_name=layer,
            owners=list(spec.owners) or OWNERS,
            freshness_policy=AT_LEAST_DAILY if layer == "marts" else None,
        )


def layer_of(node: Mapping[str, Any]) -> str:
    """The layer of a dbt node: seeds apart, a model's is its first folder."""
    return "seeds" if node["resource_type"] == "seed" else str(node["fqn"][1])


class TransformConfig(dg.Config):
    """How to transform.

    Attributes:
        full_refresh: Build every model from all of `raw`, instead of what changed.
    """

    full_refresh: bool = False


def dbt_arguments(*, full_refresh: bool, with_daily_tests: bool) -> list[str]:
    """What dbt is asked to do.

    Args:
        full_refresh: Build every model from all of `raw`.
        with_daily_tests: Also run the tests tagged `daily`, which read whole tables.

    Returns:
        Arguments of dbt. Unit tests are left out: they check the SQL, not the data, and run with the test suite.
    """
    arguments = ["build", "--exclude-resource-type", "unit_test"]
    arguments += [] if with_daily_tests else ["--exclude", "tag:daily"]
    return arguments + (["--full-refresh"] if full_refresh else [])


def not_built(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of the models and seeds that did not succeed; a failing test makes dbt skip what depends on its model."""
    return [_name(each) for each in results if _is_table(each) and each["status"] not in {"success", "no-op"}]


def failed_tests(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of the tests of severity error that found something or could not run."""
    return [_name(each) for each in results if not _is_table(each) and each["status"] in {"fail", "error"}]


class QuickDbtCliResource(DbtCliResource):
    """`DbtCliResource` without two things that each run would pay for and that we do not use.

    It asks the package index whether dbt is up to date, and makes a database adapter of its own for metadata that
    we do not fetch. Together they take as long as building the models. Should these names change in a later
    version, runs become slower, not wrong.
    """

    @cached_property
    def _cli_version(self) -> Version:
        return Version(installed_version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> Any:  # noqa: ANN401, ARG002  (as inherited)
        return None


def bookkeeping_specs(manifest: Mapping[str, Any]) -> list[dg.AssetSpec]:
    """Assets for the tables of `ops` that models read: nobody materialises them, but they belong to a group, too."""
    return [
        dg.AssetSpec(
            dg.AssetKey(["ops", source["name"]]),
            group_name="operations",
            owners=OWNERS,
            kinds={"postgres"},
            description=source["description"],
        )
        for source in manifest["sources"].values()
        if source["schema"] == "ops"
    ]


_PROJECT = DbtProject(project_dir=PROJECT, profiles_dir=PROJECT)

DBT = QuickDbtCliResource(
    project_dir=str(PROJECT),
    profiles_dir=str(PROJECT),
    # dbt as a child that dies with its run: a run that is killed frees its lock, and the next must not meet its dbt.
    dbt_executable=sys.executable,
    global_config_flags=["-m", "orchestration.dbt_child"],
)


_MANIFEST = prepared_manifest()

BOOKKEEPING = bookkeeping_specs(json.loads(_MANIFEST.read_text(encoding="utf-8")))


@dbt_assets(
    manifest=_MANIFEST,
    project=_PROJECT,
    name="dbt_models",
    dagster_dbt_translator=LayerTranslator(),
    retry_policy=TRANSIENT,
)
def dbt_models(
    context: dg.AssetExecutionContext, config: TransformConfig, mill: Mill, dbt: DbtCliResource
) -> Iterator[Any]:
    """Build what changed since the last finished transform, and test it.

    The window is finished only when every model was built. Otherwise it stays open and the next run covers it again:
    models are idempotent. A failing test of severity error fails the run either way.
    """
    # One session carries the lock, the plan and its end: were it lost, the window would stay open.
    with (
        final_failures(),
        mill.connect() as connection,
        exclusive_models(connection, work="transform", wait_s=LOCK_WAIT_S),
    ):
        yield from _transform(context, config, mill, dbt, connection)


def _transform(
    context: dg.AssetExecutionContext,
    config: TransformConfig,
    mill: Mill,
    dbt: DbtCliResource,
    connection: Connection,
) -> Iterator[Any]:
    """Plan, have dbt build, and finish the plan or fail."""
    clock, days = mill.clock(context.run.tags), days_of(context.run.tags)
    sync_sites(connection, mill.settings.sites, clock=clock)
    plan = plan_transform(connection, clock=clock, full_refresh=config.full_refresh, requested_days=days)
    os.environ.update(dbt_environment(mill.database_url) | {PARENT_VARIABLE: str(os.getpid())})
    started_s = time.monotonic()
    invocation = dbt.cli(
        dbt_arguments(full_refresh=plan.is_full_refresh, with_daily_tests=bool(days)),
        context=context,
        raise_on_error=False,
    )
    yield from invocation.stream()
    results = run_results(invocation)
    unbuilt, failed = not_built(results), failed_tests(results)
    if results and not unbuilt:
        finish_transform(connection, plan, clock=clock)
    keep_parse(PROJECT, invocation.target_path)
    sweep_run_folders(PROJECT, now_s=time.time())
    context.log.info("dbt took %.1f s for %d nodes", time.monotonic() - started_s, len(results))
    if not invocation.is_successful():
        raise dg.Failure(
            failure_line(unbuilt, failed) or "dbt did not start to build; its output says why",
            metadata={"not_built": unbuilt, "failed_tests": failed, "dbt_log": str(invocation.target_path / "dbt.log")},
            allow_retries=not failed,  # what a test found will be found again
        )


def failure_line(unbuilt: Sequence[str], failed: Sequence[str]) -> str:
    """One line about what went wrong; empty when nothing did."""
    parts = []
    if failed:
        parts.append(f"tests failed: {', '.join(failed)}")
    if unbuilt:
        parts.append(f"not built: {', '.join(unbuilt)}; the window stays open for the next run")
    return "; ".join(parts)


def run_results(invocation: DbtCliInvocation) -> list[dict[str, Any]]:
    """What dbt says about each node; empty when it ended before it ran any."""
    try:
        results: list[dict[str, Any]] = invocation.get_artifact("run_results.json")["results"]
    except FileNotFoundError:
        return []
    return results


def _is_table(result: Mapping[str, Any]) -> bool:
    return str(result["unique_id"]).partition(".")[0] in {"model", "seed", "snapshot"}


def _name(result: Mapping[str, Any]) -> str:
    return str(result["unique_id"]).split(".")[2]
