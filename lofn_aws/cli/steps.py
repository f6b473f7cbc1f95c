"""`step`: map and reduce without writing Python, and what became of steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from lofn_aws.cli.context import context
from lofn_aws.cli.options import common_options, timeout_option
from lofn_aws.cli.submit import show
from lofn_aws.plan.engine_step import engine_arguments
from lofn_aws.plan.step_logs import STREAMS
from lofn_aws.report.steps import cancels_text, steps_text
from lofn_aws.workflows import steps as workflow
from lofn_aws.workflows.submit import submit_engine

F = TypeVar("F", bound=Callable[..., Any])

_ENGINE: tuple[Callable[[Any], Any], ...] = (
    click.argument("exact", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]"),
    click.option("--image", required=True, help="Docker image, as `lofn-aws push` printed it."),
    click.option("--command", help="The command, as one text for a shell."),
    click.option("--input", help="File, folder or pattern: hdfs:/// or s3://."),
    click.option("--output", help="Where the result goes; must not exist yet."),
    click.option(
        "--volume",
        multiple=True,
        metavar="SOURCE:BIND",
        help="Folder to mount in each container: hdfs:///ref:/ref. Repeatable.",
    ),
    click.option("--partitions", type=click.IntRange(min=1), help="Parts to cut the input into."),
    click.option("--delimiter", help=r"What ends each record (default: \n)."),
    click.option("--output-delimiter", help="The same for the result."),
    click.option(
        "--binary",
        is_flag=True,
        help="map: results are files as they are; reduce: so are the inputs.",
    ),
    click.option("--network", help="Network of the containers: none, host, bridge or a name."),
    click.option("--reuse", is_flag=True, help="Keep a container for many partitions."),
    click.option("--container-timeout", metavar="SECONDS", help="For one container's run."),
    click.option("--docker-option", multiple=True, help="One of docker run's options. Repeatable."),
    click.option(
        "--conf", multiple=True, metavar="spark.NAME=VALUE", help="Spark property. Repeatable."
    ),
    click.option("--wait/--no-wait", default=True, help="Wait for the end (the default), or not."),
    timeout_option,
    common_options,
)


def engine_options(function: F) -> F:
    """Add the options that map and reduce share."""
    for option in reversed(_ENGINE):
        function = option(function)
    return function


@click.group()
@common_options
def step() -> None:
    """Run a map or a reduce from the command line, and follow steps."""


@step.command(name="map")
@click.option(
    "--on-error",
    type=click.Choice(["fail", "quarantine"]),
    help="quarantine: go on and set failed partitions aside.",
)
@click.option("--quarantine", metavar="FOLDER", help="Where those go.")
@engine_options
def map_(**given: Any) -> None:
    """Run each partition of the input through a command in a container.

    The command reads /shared/input.txt and writes /shared/output.txt (with --binary
    /shared/output.bin); the output is a folder with a file for each partition.
    """
    _run("map", given)


@step.command()
@click.option("--fan-in", type=click.IntRange(min=2), help="Inputs one command takes at most.")
@engine_options
def reduce(**given: Any) -> None:
    """Bring all partitions to one result by a command in a container."""
    _run("reduce", given)


def _run(verb: str, given: dict[str, Any]) -> None:
    """Sort out what the engine is told and what is for the step, and send it."""
    exact, command = given.pop("exact"), given.pop("command")
    conf, wait = given.pop("conf"), given.pop("wait")
    given["timeout"] = given.pop("container_timeout")
    args = engine_arguments(verb, given, command, exact)
    ctx = context()
    show(ctx, submit_engine(ctx, given["image"], args, conf, wait=wait))


@step.command(name="list")
@common_options
def list_() -> None:
    """List the cluster's steps, newest first."""
    ctx = context()
    found = workflow.all_steps(ctx)
    ctx.reporter.data(steps_text(found), found)


@step.command()
@click.argument("step_id")
@timeout_option
@common_options
def wait(step_id: str) -> None:
    """Wait for a step that was sent before; ends as `submit` does."""
    ctx = context()
    printed = workflow.wait(ctx, step_id)
    ctx.reporter.data(printed.rstrip("\n"), {"step_id": step_id, "stdout": printed})


@step.command()
@click.argument("step_id")
@click.option(
    "--stream", type=click.Choice(STREAMS), default="stdout", show_default=True, help="Which log."
)
@common_options
def logs(step_id: str, stream: str) -> None:
    """Print one of a step's logs.

    stdout has what the script printed, its traceback too; stderr has Spark's own log.
    """
    ctx = context()
    text = workflow.logs(ctx, step_id, stream)
    ctx.reporter.data(text.rstrip("\n"), {"step_id": step_id, stream: text})


@step.command()
@click.argument("step_ids", nargs=-1, required=True)
@common_options
def cancel(step_ids: tuple[str, ...]) -> None:
    """Cancel steps: pending ones at once, a running one by ending its process."""
    ctx = context()
    answers = workflow.cancel(ctx, step_ids)
    ctx.reporter.data(cancels_text(answers), answers)
