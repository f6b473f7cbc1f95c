"""A cluster that is ready, with an open SSH connection: where most commands begin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from lofn_aws.adapters.ssh import Gateway
from lofn_aws.errors import InfrastructureError
from lofn_aws.model.cluster import Cluster, Instance
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.locate import connect, find_cluster, hosts_by_ip


@dataclass(frozen=True)
class Attached:
    """The cluster, its nodes, and how each is reached: ``hosts`` maps private address to name."""

    cluster: Cluster
    instances: tuple[Instance, ...]
    gateway: Gateway
    hosts: Mapping[str, str]


def ready_cluster(ctx: Context) -> Cluster:
    """Return the cluster that takes steps. Raises NotFoundError, InfrastructureError."""
    cluster = find_cluster(ctx)
    if not cluster.is_ready:
        raise InfrastructureError(
            f"the cluster {cluster.name} ({cluster.id}) is {cluster.state} and takes nothing yet",
            "lofn-aws up",
        )
    return cluster


@contextmanager
def attached(ctx: Context, cluster: Cluster | None = None) -> Iterator[Attached]:
    """Find the cluster (unless it is given) and connect; the connection closes with the block."""
    found = cluster or ready_cluster(ctx)
    instances = tuple(ctx.emr.instances(found.id))
    with connect(ctx, found, instances) as gateway:
        gateway.open()
        yield Attached(found, instances, gateway, hosts_by_ip(gateway, instances))
