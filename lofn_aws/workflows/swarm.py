"""`swarm status` and `swarm sync`: the nodes' place in the swarm, and bringing all into it."""

from dataclasses import dataclass

from lofn_aws.model.node import NodeFacts, SwarmMember
from lofn_aws.model.plan import Item, Probe
from lofn_aws.plan.up import plan_nodes
from lofn_aws.workflows.apply_nodes import NodeWork, apply_nodes
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.locate import connect, find_cluster, hosts_by_ip
from lofn_aws.workflows.nodes import open_ssh
from lofn_aws.workflows.observe import observe_nodes


@dataclass(frozen=True)
class SwarmStatus:
    """Every node's facts, and what the swarm's manager lists."""

    nodes: tuple[NodeFacts, ...]
    members: tuple[SwarmMember, ...]


def swarm_status(ctx: Context) -> SwarmStatus:
    """Ask all nodes. Raises NotFoundError without a cluster."""
    cluster = find_cluster(ctx)
    instances = ctx.emr.instances(cluster.id)
    with connect(ctx, cluster, instances) as gateway:
        open_ssh(ctx, gateway)
        seen = observe_nodes(ctx, cluster, gateway, instances)
    return SwarmStatus(seen.nodes, seen.members)


def swarm_sync(ctx: Context) -> tuple[Item, ...]:
    """Bring every running node into the swarm, with Docker's group and the registry.

    Returns what was planned, and applied unless this is a dry run; the proof is `up`'s.
    """
    cluster = find_cluster(ctx)
    instances = ctx.emr.instances(cluster.id)
    with connect(ctx, cluster, instances) as gateway:
        with ctx.reporter.phase("ask the nodes what they are"):
            open_ssh(ctx, gateway)
            seen = observe_nodes(ctx, cluster, gateway, instances)
        planned = plan_nodes(cluster.run_id, ctx.bucket, ctx.settings.registry_image, seen)
        items = tuple(i for i in planned if not isinstance(i, Probe))
        if not ctx.dry_run:
            work = NodeWork(ctx, cluster, gateway, hosts_by_ip(gateway, instances),
                            seen.primary_ip)
            apply_nodes(work, items)
    return items
