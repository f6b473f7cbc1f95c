"""`down`."""

import sys

import click

from lofn_aws.cli.context import context
from lofn_aws.cli.options import common_options, dry_run_option, timeout_option, yes_option
from lofn_aws.errors import Interrupted, NotFoundError, UsageError
from lofn_aws.workflows.context import Context


@click.command()
@click.option("--delete-bucket", is_flag=True,
              help="Delete the bucket too, with all images and logs.")
@click.option("--wait/--no-wait", default=True, help="Wait until the cluster has ended.")
@dry_run_option
@yes_option
@timeout_option
@common_options
def down(delete_bucket: bool, wait: bool) -> None:
    """Take the cluster down and remove what `up` made for it.

    The bucket stays, with the images in it, unless --delete-bucket is given.
    """
    if delete_bucket and not wait:
        raise UsageError("--delete-bucket needs the cluster to have ended, so it goes without "
                         "--no-wait", "lofn-aws down --delete-bucket")
    try:
        ctx = context()
    except NotFoundError as error:  # a sandbox that does not run has nothing to take down
        click.echo(f"{error.message}: nothing to do", err=True)
        return
    from lofn_aws.workflows.down import apply_down, observe_down

    with ctx.reporter.phase("look at what is there"):
        plan = observe_down(ctx, delete_bucket=delete_bucket)
    if not plan.is_empty and not ctx.dry_run:
        confirm(ctx, plan.words)
        try:
            apply_down(ctx, plan, wait=wait)
        except KeyboardInterrupt:
            raise Interrupted("interrupted; the cluster may still be ending",
                              "lofn-aws down  (to go on)") from None
    ctx.reporter.data("\n".join(plan.words) or "nothing to do",
                      {"items": plan.words, "applied": not ctx.dry_run})


def confirm(ctx: Context, lines: list[str]) -> None:
    """Ask before doing these things, unless -y was given. Raises UsageError without a terminal."""
    if ctx.yes:
        return
    for line in lines:
        click.echo(f"  - {line}", err=True)
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask at: give -y to do this", "lofn-aws down -y")
    click.confirm("Do this?", abort=True, err=True)
