"""From the command line to a Context: settings of all origins, the sandbox where it is asked."""

import os
from pathlib import Path

import click

from lofn_aws.cli.options import Invocation
from lofn_aws.config import SandboxValues, Settings, load_settings
from lofn_aws.errors import NotFoundError
from lofn_aws.report.progress import Reporter
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.endpoint import sandbox_values


def reporter(invocation: Invocation) -> Reporter:
    """Return the reporter that the command line asks for."""
    return Reporter(output=invocation.output, quiet=invocation.quiet, verbose=invocation.verbose)


def settings(invocation: Invocation, say: Reporter, *, start_sandbox: bool) -> Settings:
    """Return the settings of all origins, the sandbox's among them where it is asked for.

    With ``start_sandbox`` false a sandbox that does not run is an error: NotFoundError.
    """
    first = load(invocation)
    invocation.on_sandbox = first.sandbox
    if first.sandbox:
        values = sandbox_values(first.sandbox_name, say, start=start_sandbox)
        if values is None:
            raise NotFoundError(f"the sandbox {first.sandbox_name} does not run",
                                "lofn-aws --sandbox up")
        return load(invocation, sandbox=values)
    if first.region is not None:
        return first
    from lofn_aws.adapters.session import read_chain  # boto3 loads slowly

    return load(invocation, chain=read_chain(first.profile))


def load(
    invocation: Invocation,
    sandbox: SandboxValues | None = None,
    chain: dict[str, str] | None = None,
) -> Settings:
    """Return the settings of flags, environment and files, and of what else is given."""
    return load_settings(
        invocation.flags, os.environ, Path.cwd(),
        config_file=invocation.config_file, sandbox=sandbox, chain=chain,
    )


def context(*, start_sandbox: bool = False) -> Context:
    """Return the Context of the command that click is running.

    Commands that make something pass ``start_sandbox``; all others need a sandbox that runs.
    """
    running = click.get_current_context()
    invocation = running.ensure_object(Invocation)
    invocation.command_path = running.command_path
    say = reporter(invocation)
    return Context(
        settings=settings(invocation, say, start_sandbox=start_sandbox),
        reporter=say,
        dry_run=invocation.dry_run,
        yes=invocation.yes,
        timeout=invocation.timeout,
    )
