"""A step's logs: fresh from the primary over SSH, else from LogUri."""

from __future__ import annotations

import gzip
import zlib

from lofn_aws.adapters.ssh import Gateway
from lofn_aws.errors import LofnAwsError, NotFoundError
from lofn_aws.model.cluster import Cluster
from lofn_aws.plan.step_logs import log_object, read_command
from lofn_aws.workflows.attach import attached
from lofn_aws.workflows.context import Context

LOG_SECONDS = 120.0


def step_log(ctx: Context, cluster: Cluster, step_id: str, stream: str) -> str:
    """Return the end of a log. Raises NotFoundError where neither place has it."""
    found = step_logs(ctx, cluster, step_id, (stream,))[stream]
    if found is None:
        raise NotFoundError(
            f"the step {step_id} of {cluster.id} has no {stream} yet: EMR copies logs to "
            f"{cluster.log_uri or 'LogUri, which this cluster lacks,'} about every 5 minutes",
            "lofn-aws step list",
        )
    return found


def step_logs(
    ctx: Context, cluster: Cluster, step_id: str, streams: tuple[str, ...]
) -> dict[str, str | None]:
    """Return the end of each log; None for one that is in neither place."""
    found: dict[str, str | None] = dict.fromkeys(streams)
    if cluster.is_ready:
        try:
            with attached(ctx, cluster) as there:
                found = {name: _fresh(there.gateway, step_id, name) for name in streams}
        except LofnAwsError as error:
            # A machine without the cluster's key still reads what EMR copied to S3.
            ctx.reporter.detail(f"no logs over SSH: {error}")
    return {
        name: text if text is not None else _stored(ctx, cluster, step_id, name)
        for name, text in found.items()
    }


def _fresh(gateway: Gateway, step_id: str, stream: str) -> str | None:
    result = gateway.run(None, read_command(step_id, stream), timeout=LOG_SECONDS, check=False)
    return result.stdout if result.ok else None


def _stored(ctx: Context, cluster: Cluster, step_id: str, stream: str) -> str | None:
    place = log_object(cluster.log_uri, cluster.id, step_id, stream)
    data = ctx.s3.get_bytes(place.bucket, place.key) if place else None
    if data is None:
        return None
    try:
        return gzip.decompress(data).decode("utf-8", "replace")
    except (OSError, EOFError, zlib.error):
        return None
