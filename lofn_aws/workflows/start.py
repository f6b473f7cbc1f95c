"""Applying the part of the plan that is in AWS, up to a cluster that is ready."""

from collections.abc import Callable
from typing import Any

from lofn_aws.adapters.aws_errors import translate
from lofn_aws.adapters.clock import wait_for
from lofn_aws.errors import CapacityError, InfrastructureError, UsageError
from lofn_aws.model.cluster import LIVING_STATES, Cluster
from lofn_aws.model.plan import (
    ImportKey,
    Item,
    MakeBucket,
    OpenSsh,
    StartCluster,
    Upload,
    WaitForCluster,
)
from lofn_aws.model.spec import ClusterSpec
from lofn_aws.plan.job_flow import run_job_flow, tags
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.locate import find_cluster, find_cluster_or_none
from lofn_aws.workflows.wait_cluster import wait_until_ready

START_ATTEMPTS = 3
START_PAUSE = 5.0
LISTED_SECONDS = 60.0


def apply_cloud(ctx: Context, spec: ClusterSpec, items: tuple[Item, ...]) -> None:
    """Apply the items one by one; each may be applied again without harm."""
    for item in items:
        if isinstance(item, WaitForCluster):
            wait_until_ready(ctx, _new_cluster(ctx))
            continue
        with ctx.reporter.phase(item.words):
            _APPLY[type(item)](ctx, spec, item)


def _new_cluster(ctx: Context) -> Cluster:
    """Return the cluster that was asked for; EMR's listing may be a moment behind."""
    return wait_for(ctx.clock, lambda: find_cluster_or_none(ctx), interval=2,
                    what=f"the cluster {ctx.settings.cluster_name} in EMR's listing",
                    deadline_seconds=LISTED_SECONDS, next_command="lofn-aws list")


def _make_bucket(ctx: Context, spec: ClusterSpec, item: MakeBucket) -> None:
    wanted = tags(spec)
    with translate(f"making the bucket {item.bucket}"):
        # The bucket outlives the cluster: it has its owner's tag, not the run's.
        owner = {k: v for k, v in wanted.items() if k.endswith(":owner")}
        ctx.s3.ensure_bucket(item.bucket, spec.region, owner)


def _upload(ctx: Context, _: ClusterSpec, item: Upload) -> None:
    with translate(f"uploading {item.asset.name}"):
        ctx.s3.put_bytes(item.bucket, item.asset.key, item.asset.data)


def _import_key(ctx: Context, _: ClusterSpec, item: ImportKey) -> None:
    ctx.ec2.import_key_pair(item.key_pair.name, item.key_pair.public_key)


def _open_ssh(ctx: Context, _: ClusterSpec, item: OpenSsh) -> None:
    group = item.group or find_cluster(ctx).primary_security_group
    if not group:
        ctx.reporter.warn("EMR names no security group for the primary; port 22 stays as it is")
        return
    ctx.ec2.open_ssh(group, item.cidr, f"lofn-aws {ctx.settings.owner}")


def _start_cluster(ctx: Context, spec: ClusterSpec, _: StartCluster) -> None:
    """Ask for the cluster once; after a lost answer, look for it before asking again."""
    request = run_job_flow(spec)
    for attempt in range(1, START_ATTEMPTS + 1):
        try:
            ctx.emr.run_job_flow(request)
            return
        except UsageError as error:
            raise _with_hint(spec, error) from error
        except (InfrastructureError, CapacityError) as error:
            ctx.clock.sleep(START_PAUSE)  # EMR's listing may be a moment behind
            if _cluster_of_run(ctx, spec.run_id) is not None:
                return
            if attempt == START_ATTEMPTS:
                raise
            ctx.reporter.note(f"  trying again: {error.message}")


def _cluster_of_run(ctx: Context, run_id: str) -> Cluster | None:
    for summary in ctx.emr.clusters(LIVING_STATES):
        cluster = ctx.emr.cluster(summary.id)
        if cluster.run_id == run_id:
            return cluster
    return None


def _with_hint(spec: ClusterSpec, error: UsageError) -> UsageError:
    """Say how to make EMR's default roles when it is one of these that is missing."""
    s = spec.settings
    for role in (s.service_role, s.instance_profile):
        if role in error.message and role in {"EMR_DefaultRole", "EMR_EC2_DefaultRole"}:
            return UsageError(error.message, "aws emr create-default-roles")
    return error


_APPLY: dict[type[Item], Callable[[Context, ClusterSpec, Any], None]] = {
    MakeBucket: _make_bucket,
    Upload: _upload,
    ImportKey: _import_key,
    StartCluster: _start_cluster,
    OpenSsh: _open_ssh,
}
