"""From the command line to a Context: settings of all origins, the sandbox where it is asked."""

import importlib
import os
from pathlib import Path

import click

from lofn_aws.cli.options import Invocation
from lofn_aws.config import SandboxValues, Settings, load_settings
from lofn_aws.errors import UsageError
from lofn_aws.report.progress import Reporter
from lofn_aws.workflows.context import Context


def reporter(invocation: Invocation) -> Reporter:
    """Return the reporter that the command line asks for."""
    return Reporter(output=invocation.output, quiet=invocation.quiet, verbose=invocation.verbose)


def settings(invocation: Invocation, say: Reporter, *, start_sandbox: bool = True) -> Settings:
    """Return the settings of all origins; starts the sandbox when they ask for it.

    With ``start_sandbox`` false a sandbox that does not run is left alone. Raises UsageError.
    """
    first = _load(invocation, None, None)
    if first.sandbox:
        return _load(invocation, sandbox_values(first.sandbox_name, say, start_sandbox), None)
    if first.region is not None:
        return first
    from lofn_aws.adapters.session import read_chain

    return _load(invocation, None, read_chain(first.profile))


def _load(
    invocation: Invocation, sandbox: SandboxValues | None, chain: dict[str, str] | None
) -> Settings:
    return load_settings(
        invocation.flags, os.environ, Path.cwd(),
        config_file=invocation.config_file, sandbox=sandbox, chain=chain,
    )


def sandbox_control() -> "object":
    """Return the module that starts and stops sandboxes; UsageError when it is not installed."""
    try:
        return importlib.import_module("lofn_aws.sandbox.control")
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the sandbox is not installed (no module {error.name})",
            "pip install 'lofn-aws[sandbox]'",
        ) from None


def sandbox_values(name: str, say: Reporter, start: bool) -> SandboxValues | None:
    """Return what the sandbox ``name`` tells, starting it first if asked; None if it is down."""
    control = sandbox_control()
    endpoint = control.status(name)  # type: ignore[attr-defined]
    if endpoint is None and start:
        with say.phase(f"starting the sandbox {name}") as phase:
            endpoint = control.start(name, phase.update)  # type: ignore[attr-defined]
    if endpoint is None:
        return None
    return SandboxValues(
        endpoint_url=endpoint.url,
        access_key=endpoint.access_key,
        secret_key=endpoint.secret_key,
        region=endpoint.region,
        registry_image=endpoint.registry_image,
    )


def context(*, start_sandbox: bool = True) -> Context:
    """Return the Context of the command that click is running."""
    invocation = click.get_current_context().ensure_object(Invocation)
    say = reporter(invocation)
    return Context(
        settings=settings(invocation, say, start_sandbox=start_sandbox),
        reporter=say,
        dry_run=invocation.dry_run,
        yes=invocation.yes,
        timeout=invocation.timeout,
    )
