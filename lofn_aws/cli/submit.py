"""`submit`: run a Spark script as a step."""

from __future__ import annotations

import click

from lofn_aws.cli.context import context
from lofn_aws.cli.options import common_options, timeout_option
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.submit import Submission, Submitted
from lofn_aws.workflows.submit import submit as submit_script


@click.command()
@click.argument("script")
@click.argument("args", nargs=-1, type=click.UNPROCESSED, metavar="[-- ARGS]...")
@click.option("--py-files", multiple=True, help="Module, .zip or .egg the script imports.")
@click.option("--files", multiple=True, help="File that every executor gets.")
@click.option("--conf", multiple=True, metavar="spark.NAME=VALUE", help="Spark property.")
@click.option("--wait/--no-wait", default=True, help="Wait for the end (the default), or not.")
@timeout_option
@common_options
def submit(
    *,
    script: str,
    args: tuple[str, ...],
    py_files: tuple[str, ...],
    files: tuple[str, ...],
    conf: tuple[str, ...],
    wait: bool,
) -> None:
    """Run a Spark script on the cluster: SCRIPT is a file of this machine or an s3:// address.

    What stands behind -- goes to the script. Prints what the script printed. Exit code 10, with
    the Python traceback, when the script fails. The options --py-files, --files and --conf may
    be given several times.
    """
    ctx = context()
    show(ctx, submit_script(ctx, Submission(script, args, py_files, files, conf), wait=wait))


def show(ctx: Context, submitted: Submitted) -> None:
    """Print what a step printed, or its id where it was not waited for."""
    text = submitted.step_id if submitted.stdout is None else submitted.stdout.rstrip("\n")
    ctx.reporter.data(text, submitted)
