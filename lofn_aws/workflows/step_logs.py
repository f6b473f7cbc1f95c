"""A step's logs: fresh from the primary over SSH, else from LogUri."""

from __future__ import annotations

import gzip
import zlib
from contextlib import ExitStack

from lofn_aws.adapters.ssh import Gateway
from lofn_aws.errors import LofnAwsError, NotFoundError
from lofn_aws.facts.step_output import telling_lines
from lofn_aws.model.cluster import Cluster
from lofn_aws.plan.step_logs import last_line_command, log_object, read_command
from lofn_aws.workflows.attach import attached
from lofn_aws.workflows.context import Context

LOG_SECONDS = 120.0
PEEK_SECONDS = 15.0


class StepLogs:
    """A step's logs. Keeps one connection to the primary; use as a context manager."""

    def __init__(self, ctx: Context, cluster: Cluster, step_id: str) -> None:
        self._ctx = ctx
        self._cluster = cluster
        self._id = step_id
        self._stack = ExitStack()
        self._gateway: Gateway | None = None

    def __enter__(self) -> StepLogs:
        if self._cluster.is_ready:
            try:
                there = self._stack.enter_context(attached(self._ctx, self._cluster))
                self._gateway = there.gateway
            except LofnAwsError as error:
                # A machine without the cluster's key still reads what EMR copied to S3.
                self._ctx.reporter.detail(f"no logs over SSH: {error}")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def last_line(self) -> str:
        """Return the last line that a running step printed; empty where there is none to be had."""
        if self._gateway is None:
            return ""
        try:
            printed = self._gateway.run(
                None, last_line_command(self._id), timeout=PEEK_SECONDS, check=False
            )
        except LofnAwsError:
            return ""
        return next(iter(telling_lines(printed.stdout, 1)), "").strip()

    def read(self, stream: str) -> str | None:
        """Return the end of a log; None where neither the primary nor S3 has it."""
        fresh = self._fresh(stream)
        return fresh if fresh is not None else self._stored(stream)

    def _fresh(self, stream: str) -> str | None:
        if self._gateway is None:
            return None
        command = read_command(self._id, stream)
        try:
            result = self._gateway.run(None, command, timeout=LOG_SECONDS, check=False)
        except LofnAwsError as error:
            self._ctx.reporter.detail(f"no {stream} over SSH: {error}")
            return None
        return result.stdout if result.ok else None

    def _stored(self, stream: str) -> str | None:
        place = log_object(self._cluster.log_uri, self._cluster.id, self._id, stream)
        data = self._ctx.s3.get_bytes(place.bucket, place.key) if place else None
        if data is None:
            return None
        try:
            return gzip.decompress(data).decode("utf-8", "replace")
        except (OSError, EOFError, zlib.error):
            return None


def step_log(ctx: Context, cluster: Cluster, step_id: str, stream: str) -> str:
    """Return the end of a log. Raises NotFoundError where neither place has it."""
    with StepLogs(ctx, cluster, step_id) as logs:
        found = logs.read(stream)
    if found is None:
        raise NotFoundError(
            f"the step {step_id} of {cluster.id} has no {stream} yet: EMR copies logs to "
            f"{cluster.log_uri or 'LogUri, which this cluster lacks,'} about every 5 minutes",
            "lofn-aws step list",
        )
    return found
