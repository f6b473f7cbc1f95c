"""Words and codes for what went wrong while nodes were made ready (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lofn_aws.sandbox.boot import BootstrapActionFailed
from lofn_aws.sandbox.state import Instance


@dataclass(frozen=True)
class Ending:
    """Why a cluster or an instance ends: EMR's reason code, message and ErrorDetails."""

    code: str
    message: str
    details: list[dict[str, Any]] = field(default_factory=list)


def explain(failures: Sequence[tuple[Instance, Exception]]) -> Ending:
    """Return why a cluster with these failed nodes ends.

    The primary's failure goes first, then bootstrap actions, then anything else; the wording of
    bootstrap failures is EMR's.
    """
    actions = [(node, e) for node, e in failures if isinstance(e, BootstrapActionFailed)]
    if not actions:
        node, error = failures[0]
        return Ending("INSTANCE_FAILURE", f"The instance {node.ec2_id} could not start: {error}")
    primary = [pair for pair in actions if pair[0].role == "MASTER"]
    node, error = (primary or actions)[0]
    message = f"{_where(node, [n for n, _ in actions])}, bootstrap action {error.number} "
    details = _details(error) if primary else []
    return Ending("BOOTSTRAP_FAILURE", message + error.what, details)


def _where(first: Instance, failed: Sequence[Instance]) -> str:
    if first.role == "MASTER":
        return f"On the master instance ({first.ec2_id})"
    if len(failed) == 1:
        return f"On a slave instance ({first.ec2_id})"
    return f"On {len(failed)} slave instances (including {failed[0].ec2_id} and {failed[1].ec2_id})"


def _details(error: BootstrapActionFailed) -> list[dict[str, Any]]:
    # AWS documents error codes of bootstrap actions for the primary only.
    data = {
        "primary-instance-id": error.node.ec2_id,
        "bootstrap-action": str(error.number),
        "bootstrap-action-path": error.path,
    }
    return [
        {
            "ErrorCode": error.code,
            "ErrorMessage": f"Bootstrap action {error.number} {error.what}.",
            "ErrorData": [data],
        }
    ]


def explain_instance(error: Exception) -> Ending:
    """Return why one instance that failed is terminated."""
    if isinstance(error, BootstrapActionFailed):
        return Ending("BOOTSTRAP_FAILURE", f"Bootstrap action {error.number} {error.what}.")
    return Ending("INSTANCE_FAILURE", f"The instance could not start: {error}")
