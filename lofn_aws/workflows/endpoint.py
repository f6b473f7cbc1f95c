"""The sandbox as an origin of settings: where it answers, started when it is needed.

Nothing else in the toolkit knows that there is a sandbox.
"""

import importlib
from typing import Any

from lofn_aws.config import SandboxValues
from lofn_aws.errors import UsageError
from lofn_aws.report.progress import Reporter


def control() -> Any:
    """Return the module that starts and stops sandboxes; UsageError when it is not installed."""
    try:
        return importlib.import_module("lofn_aws.sandbox.control")
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the sandbox is not installed: there is no module {error.name}",
            "pip install 'lofn-aws[sandbox]'",
        ) from None


def start_sandbox(name: str, say: Reporter) -> Any:
    """Return the endpoint of the sandbox ``name``, started unless it runs."""
    sandbox = control()
    with say.phase(f"starting the sandbox {name}") as phase:
        # Before images are built, which takes minutes: a wrong engine is known at once.
        importlib.import_module("lofn_aws.sandbox.host_check").require_engine_here()
        return sandbox.start(name, phase.update)


def sandbox_values(name: str, say: Reporter, *, start: bool) -> SandboxValues | None:
    """Return what the sandbox ``name`` tells, starting it if asked; None when it is down."""
    endpoint = control().status(name)
    if endpoint is None and start:
        endpoint = start_sandbox(name, say)
    if endpoint is None:
        return None
    return SandboxValues(
        endpoint_url=endpoint.url,
        access_key=endpoint.access_key,
        secret_key=endpoint.secret_key,
        region=endpoint.region,
        registry_image=endpoint.registry_image,
    )
