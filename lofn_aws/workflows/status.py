"""`status` and `list`: what there is, without changing anything."""

from dataclasses import dataclass

from lofn_aws.model.cluster import (
    ENDED_STATES,
    LIVING_STATES,
    Cluster,
    Instance,
    InstanceGroup,
)
from lofn_aws.model.step import ACTIVE_STEP_STATES, Step
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.locate import find_cluster

RECENT = 50


@dataclass(frozen=True)
class Status:
    """A cluster with its groups, nodes and the steps that are not over."""

    cluster: Cluster
    groups: tuple[InstanceGroup, ...]
    instances: tuple[Instance, ...]
    steps: tuple[Step, ...]


def status(ctx: Context) -> Status:
    """Return the state of the set cluster. Raises NotFoundError."""
    cluster = find_cluster(ctx)
    return Status(
        cluster,
        tuple(ctx.emr.groups(cluster.id)),
        tuple(ctx.emr.instances(cluster.id)),
        tuple(ctx.emr.list_steps(cluster.id, ACTIVE_STEP_STATES)),
    )


def list_clusters(ctx: Context, *, ended: bool) -> list[Cluster]:
    """Return the clusters that this toolkit made, of every owner; some that ended, if asked."""
    found = ctx.emr.clusters(LIVING_STATES)
    if ended:
        found += ctx.emr.clusters(ENDED_STATES)[:RECENT]
    return [c for c in (ctx.emr.cluster(s.id) for s in found) if c.is_ours]
