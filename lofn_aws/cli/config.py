"""`config`: every setting and where it comes from."""

import click

from lofn_aws.cli.context import load, reporter
from lofn_aws.cli.options import Invocation, common_options
from lofn_aws.report.config_file import settings_object, settings_text


@click.command()
@common_options
def config() -> None:
    """Show every setting and where it comes from."""
    invocation = click.get_current_context().ensure_object(Invocation)
    say = reporter(invocation)
    settings = load(invocation)
    if settings.sandbox:
        from lofn_aws.workflows.endpoint import sandbox_values

        settings = load(
            invocation, sandbox=sandbox_values(settings.sandbox_name, say, start=False)
        )
    elif settings.region is None:
        from lofn_aws.adapters.session import read_chain

        settings = load(invocation, chain=read_chain(settings.profile))
    say.data(settings_text(settings), settings_object(settings))
