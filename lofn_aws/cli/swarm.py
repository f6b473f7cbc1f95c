"""`swarm status` and `swarm sync`."""

import click

from lofn_aws.cli.context import context
from lofn_aws.cli.options import common_options, dry_run_option
from lofn_aws.report.plan import plan_object, plan_text
from lofn_aws.report.tables import swarm_text


@click.group()
@common_options
def swarm() -> None:
    """Show the swarm, or bring all nodes into it."""


@swarm.command()
@common_options
def status() -> None:
    """Show every node's place in the swarm and whether its registry answers."""
    from lofn_aws.workflows.swarm import swarm_status

    ctx = context()
    seen = swarm_status(ctx)
    ctx.reporter.data(swarm_text(seen.nodes, seen.members), seen)


@swarm.command()
@dry_run_option
@common_options
def sync() -> None:
    """Bring every running node into the swarm (nodes added later do it by themselves)."""
    from lofn_aws.workflows.swarm import swarm_sync

    ctx = context()
    items = swarm_sync(ctx)
    ctx.reporter.data(plan_text(items), plan_object(items))
