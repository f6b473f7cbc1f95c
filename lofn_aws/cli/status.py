"""`status` and `list`."""

import click

from lofn_aws.cli.context import context
from lofn_aws.cli.options import common_options
from lofn_aws.report.tables import clusters_table, status_text


@click.command()
@common_options
def status() -> None:
    """Show the cluster, its nodes and the steps that are not over."""
    from lofn_aws.workflows.status import status as look

    ctx = context()
    seen = look(ctx)
    ctx.reporter.data(status_text(seen.cluster, seen.groups, seen.instances, seen.steps), seen)


@click.command("list")
@click.option("--all", "ended", is_flag=True, help="Also the newest clusters that have ended.")
@common_options
def list_clusters(ended: bool) -> None:
    """List the clusters that this toolkit made, of every owner."""
    from lofn_aws.workflows.status import list_clusters as look

    ctx = context()
    found = look(ctx, ended=ended)
    ctx.reporter.data(clusters_table(found) if found else "no clusters", found)
