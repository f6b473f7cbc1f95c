"""What the service needs of a node engine: the real one has containers, the tests' one folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from lofn_aws.sandbox.nodes import ExecResult, NodeSpec


class Nodes(Protocol):
    """Makes nodes, runs commands on them and removes them; used from many threads.

    Every method may raise an error whose text says why, when the node is gone.
    """

    def create_node(self, spec: NodeSpec) -> None:
        """Start a node and return before it can be used."""

    def wait_booted(self, instance_id: str, deadline_seconds: float) -> None:
        """Return when the node can be used."""

    def exec(
        self,
        instance_id: str,
        argv: Sequence[str],
        *,
        user: str = "root",
        env: Mapping[str, str] | None = None,
        timeout: float,
    ) -> ExecResult:
        """Run a command to its end, at most ``timeout`` seconds."""
        ...

    def put_file(
        self, instance_id: str, path: str, data: bytes, *, mode: int = 0o644, owner: str = "root"
    ) -> None:
        """Write a file, making the folders above it."""

    def alive(self, instance_id: str) -> bool:
        """Whether the node runs."""
        ...

    def remove_node(self, instance_id: str) -> None:
        """Remove the node, if it is there."""
