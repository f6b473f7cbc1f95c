"""`ssh` and `exec`."""

import sys

import click

from lofn_aws.cli.context import context
from lofn_aws.cli.options import common_options, timeout_option

EXEC_SECONDS = 600.0


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("-n", "--node", default="primary",
              help="primary, a private address or an instance id.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@common_options
def ssh(node: str, command: tuple[str, ...]) -> int:
    """Open a shell on a node, or run COMMAND there with OpenSSH."""
    from lofn_aws.workflows.shell import shell

    return shell(context(), node, command)


@click.command("exec", context_settings={"ignore_unknown_options": True})
@click.option("-n", "--node", default="all",
              help="all, primary, core, task, a private address or an instance id.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@timeout_option
@common_options
def exec_(node: str, command: tuple[str, ...]) -> int:
    """Run COMMAND on all nodes (or those named by --node) at once.

    Exit code 0 when it was 0 on every node, else 1.
    """
    from lofn_aws.workflows.shell import execute

    ctx = context()
    outcomes = execute(ctx, node, command, ctx.deadline(EXEC_SECONDS))
    results = {ip: _plain(outcome) for ip, outcome in outcomes.items()}
    if ctx.reporter.output == "json":
        ctx.reporter.data("", results)
    for ip, result in results.items() if ctx.reporter.output == "text" else ():
        for line in str(result["stdout"]).splitlines():
            click.echo(f"{ip}: {line}")
        for line in str(result["stderr"]).splitlines():
            click.echo(f"{ip}: {line}", file=sys.stderr)
        if result["exit_code"] != 0:
            click.echo(f"{ip}: exit code {result['exit_code']}", file=sys.stderr)
    return 0 if all(r["exit_code"] == 0 for r in results.values()) else 1


def _plain(outcome: object) -> dict[str, object]:
    if isinstance(outcome, Exception):
        return {"exit_code": None, "stdout": "", "stderr": str(outcome)}
    return {name: getattr(outcome, name) for name in ("exit_code", "stdout", "stderr")}
