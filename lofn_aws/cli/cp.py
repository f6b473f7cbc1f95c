"""`cp`: files and folders between this machine, HDFS and S3."""

from __future__ import annotations

import click

from lofn_aws.cli.context import context
from lofn_aws.cli.options import common_options, timeout_option


@click.command()
@click.argument("source")
@click.argument("target", metavar="DESTINATION")
@click.option("-f", "--force", is_flag=True, help="Replace files that are there already.")
@timeout_option
@common_options
def cp(source: str, target: str, force: bool) -> None:
    """Copy a file or a folder between this machine, the cluster's HDFS and S3.

    Places are local paths, hdfs:///PATH and s3://BUCKET/KEY. As with cp, a folder that is there
    already, or is written with a slash at its end, gets the copy inside. Prints where it is.
    """
    from lofn_aws.workflows.cp import copy

    ctx = context()
    copied = copy(ctx, source, target, force=force)
    ctx.reporter.data(copied.target, copied)
