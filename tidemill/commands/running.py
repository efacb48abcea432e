"""`tidemill up`, `collector`, `demo`: what keeps running until it is told to stop."""

from typing import Annotated

import typer

UiPort = Annotated[
    int, typer.Option("--ui-port", min=1, max=65_535, help="Port of the Dagster UI; a free one if taken.")
]


def up(
    *,
    no_ui: Annotated[bool, typer.Option("--no-ui", help="Leave the Dagster web server out.")] = False,
    ui_port: UiPort = 3000,
) -> None:
    """Run everything on this machine until Ctrl-C: database, collector, Dagster's UI and schedules."""
    from tidemill.console import say
    from tidemill.environment import prepared_environment
    from tidemill.stack import Stack, only_stack_of, prepare
    from tidemill.supervisor import Supervisor, stop_on_signals

    supervisor = Supervisor(say=say)
    with stop_on_signals(supervisor), only_stack_of() as settings, prepared_environment() as environment:
        try:
            prepare(environment, settings.home / "logs" / "prepare.log")
            stack = Stack(supervisor, settings, environment)
            addresses = {"collector": stack.start_collector()}
            if not no_ui:
                addresses["dagster"] = stack.start_ui(ui_port)
            stack.start_daemon()
            stack.await_answers()
            for name, address in addresses.items():
                say(f"{name:<10} {address}")
            say("Ctrl-C stops everything")
            supervisor.watch()
            say("stopping")
        finally:
            supervisor.stop()


def collector() -> None:
    """Run the collector in the foreground, as production does."""
    from collector.log import configure_logs
    from collector.serve import serve
    from collector.settings import CollectorSettings
    from tidemill.settings import read_settings

    configure_logs()
    serve(read_settings(CollectorSettings))


def demo(
    *,
    leave: Annotated[bool, typer.Option("--exit", help="Leave after the report instead of staying up.")] = False,
    events: Annotated[int, typer.Option(min=1, hidden=True, help="Events to send.")] = 20_000,
    ui_port: UiPort = 3000,
) -> None:
    """Start everything, send three weeks of made-up events through the collector, grind them, print a report."""
    from tidemill.demo.run import run_demo

    run_demo(event_count=events, ui_port=ui_port, leave=leave)
