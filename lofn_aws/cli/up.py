"""`plan` and `up`."""

import click

from lofn_aws.cli.context import context
from lofn_aws.cli.options import (
    Invocation,
    common_options,
    dry_run_option,
    setting_option,
    timeout_option,
    with_flags,
    yes_option,
)
from lofn_aws.report.plan import plan_object, plan_text, summary_object, summary_text
from lofn_aws.workflows.context import Context

_SIZE = (
    setting_option("--core-count", setting="core_count", help="Number of core nodes."),
    setting_option("--task-count", setting="task_count", help="Number of task nodes."),
    setting_option("--core-type", setting="core_type", help="Instance type of core nodes."),
    setting_option("--release-label", setting="release_label", help="EMR release."),
    setting_option("--bucket", setting="bucket", help="S3 bucket for assets, logs and images."),
    setting_option("--idle-timeout", setting="idle_timeout",
                   help="End the cluster after this long without work; 0: never."),
)


def _size_options(function: click.Command) -> click.Command:
    for option in reversed(_SIZE):
        function = option(function)
    return function


@click.command()
@_size_options  # type: ignore[arg-type]
@common_options
def plan() -> None:
    """Show what `up` would do, and do nothing."""
    click.get_current_context().ensure_object(Invocation).dry_run = True
    _show_plan(context(start_sandbox=True))


@click.command()
@_size_options  # type: ignore[arg-type]
@dry_run_option
@yes_option
@timeout_option
@common_options
def up() -> None:
    """Bring the cluster up, or finish bringing it up.

    Can be run again at any time: it looks at what is there and does what is missing.
    """
    ctx = context(start_sandbox=True)
    if ctx.dry_run:
        _show_plan(ctx)
        return
    from lofn_aws.workflows.up import up as bring_up

    invocation = click.get_current_context().ensure_object(Invocation)
    outcome = bring_up(ctx)
    if not outcome.items:
        ctx.reporter.note("nothing to do")
    if outcome.cluster is not None:
        ctx.reporter.data(
            with_flags(summary_text(outcome.cluster, outcome.instances), invocation),
            summary_object(outcome.cluster, outcome.instances, outcome.items),
        )


def _show_plan(ctx: Context) -> None:
    from lofn_aws.workflows.up import plan as make_plan

    items = make_plan(ctx).items
    ctx.reporter.data(plan_text(items), plan_object(items))
