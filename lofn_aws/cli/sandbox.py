"""`sandbox start`, `status` and `stop`: the EMR on this machine."""

import click

from lofn_aws.cli.context import load, reporter
from lofn_aws.cli.options import Invocation, common_options
from lofn_aws.errors import NotFoundError
from lofn_aws.report.progress import Reporter
from lofn_aws.workflows.endpoint import control, start_sandbox


@click.group()
@common_options
def sandbox() -> None:
    """Start, show and stop the EMR on this machine."""


def _name_and_reporter() -> tuple[str, Reporter]:
    invocation = click.get_current_context().ensure_object(Invocation)
    return load(invocation).sandbox_name, reporter(invocation)


@sandbox.command()
@common_options
def start() -> None:
    """Start the sandbox; nothing happens when it runs already."""
    name, say = _name_and_reporter()
    endpoint = start_sandbox(name, say)
    say.data(f"{endpoint.name} at {endpoint.url}", endpoint)


@sandbox.command()
@common_options
def status() -> None:
    """Show where the sandbox answers. Exit code 3 when it does not run."""
    name, say = _name_and_reporter()
    endpoint = control().status(name)
    if endpoint is None:
        raise NotFoundError(f"the sandbox {name} does not run", "lofn-aws sandbox start")
    say.data(f"{endpoint.name} at {endpoint.url}", endpoint)


@sandbox.command()
@common_options
def stop() -> None:
    """Stop the sandbox and remove its nodes, networks and volumes."""
    name, say = _name_and_reporter()
    with say.phase(f"stopping the sandbox {name}") as phase:
        removed = control().stop(name, phase.update)
    say.data("\n".join(removed) or "nothing was left", {"removed": removed})
