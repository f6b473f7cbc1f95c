"""What `up` does: wanted cluster and what was seen, in; the items that are missing, out."""

from lofn_aws.errors import UsageError
from lofn_aws.model.node import NodeFacts
from lofn_aws.model.observed import CloudState, NodesState
from lofn_aws.model.plan import (
    CleanSwarm,
    GiveDockerGroup,
    ImportKey,
    InitSwarm,
    Item,
    JoinSwarm,
    LoadRegistryImage,
    MakeBucket,
    OpenSsh,
    Probe,
    StartCluster,
    StartRegistry,
    Upload,
    WaitForCluster,
    WriteSwarmDocument,
)
from lofn_aws.model.spec import ClusterSpec, swarm_key
from lofn_aws.plan.network import overlay_pool

SWARM_PORT = 2377


def plan_cloud(spec: ClusterSpec, seen: CloudState) -> tuple[Item, ...]:
    """Plan what is missing in AWS; nothing is planned for a cluster that is ready.

    Raises UsageError for a key pair that the person named and the account does not have.
    """
    items: list[Item] = []
    if seen.cluster is None:
        items += _before_start(spec, seen)
        items.append(StartCluster(spec.name, spec.settings.release_label, nodes_in_words(spec)))
    if seen.cluster is None or not seen.cluster.is_ready:
        items.append(WaitForCluster(spec.name))
    if seen.ingress and not seen.ingress_open:
        group = seen.cluster.primary_security_group if seen.cluster else ""
        items.append(OpenSsh(seen.ingress, group))
    return tuple(items)


def _before_start(spec: ClusterSpec, seen: CloudState) -> list[Item]:
    items: list[Item] = []
    if not seen.bucket_exists:
        items.append(MakeBucket(spec.bucket))
    items += [Upload(spec.bucket, a) for a in spec.assets if a.key not in seen.present_keys]
    if not seen.key_in_account:
        if not spec.key_pair.public_key:
            raise UsageError(
                f"the key pair {spec.key_pair.name} (setting key_name) is not in {spec.region}",
                "aws ec2 describe-key-pairs",
            )
        items.append(ImportKey(spec.key_pair))
    return items


def nodes_in_words(spec: ClusterSpec) -> str:
    """Say how many nodes of what type there will be."""
    s = spec.settings
    parts = [f"1 primary {s.primary_type}"]
    if s.core_count:
        parts.append(f"{s.core_count} core {s.core_type}")
    if s.task_count:
        parts.append(f"{s.task_count} task {s.task_type}")
    return ", ".join(parts)


def expected_on_nodes(spec: ClusterSpec) -> tuple[Item, ...]:
    """Return what will be left to do on the nodes of a cluster that is not there yet."""
    count, image = spec.node_count, spec.settings.registry_image
    items: list[Item] = [
        GiveDockerGroup(count),
        InitSwarm(),
        LoadRegistryImage(count, image=image),
    ]
    if count > 1:
        items.append(JoinSwarm(count - 1))
    items += [
        WriteSwarmDocument(f"s3://{spec.bucket}/clusters/<run id>/swarm.json"),
        StartRegistry(count, image=image),
        Probe(max(1, count - 1)),
    ]
    return tuple(items)


def plan_nodes(run_id: str, bucket: str, registry_image: str, seen: NodesState) -> tuple[Item, ...]:
    """Plan what is missing on the nodes: Docker's group, swarm, registry and the proof."""
    items: list[Item] = []
    without_group = [n for n in seen.nodes if n.lacks_docker_group or n.yarn_sees_docker is False]
    if without_group:
        items.append(GiveDockerGroup(len(without_group), _ips(without_group)))
    items += _swarm_items(run_id, bucket, registry_image, seen)
    silent = [n for n in seen.nodes if not n.registry]
    if silent:
        items.append(StartRegistry(len(silent), _ips(silent), registry_image))
    workers = worker_ips(seen)
    proven = seen.probe.proven if seen.probe else frozenset()
    if not set(workers) <= proven:
        items.append(Probe(len(workers), workers))
    return tuple(items)


def _swarm_items(
    run_id: str, bucket: str, registry_image: str, seen: NodesState
) -> list[Item]:
    items: list[Item] = []
    primary = next((n for n in seen.nodes if n.ip == seen.primary_ip), None)
    has_swarm = primary is not None and primary.swarm.is_active and primary.swarm.role == "manager"
    if not has_swarm:
        pool = overlay_pool(seen.vpc_cidrs, [n.ip for n in seen.nodes])
        items.append(InitSwarm(seen.primary_ip, pool))
    silent = [n for n in seen.nodes if not n.registry]
    if silent:
        items.append(LoadRegistryImage(len(silent), _ips(silent), registry_image))
    manager = f"{seen.primary_ip}:{SWARM_PORT}"
    outside = [
        n for n in seen.nodes
        if n.ip != seen.primary_ip
        and not (has_swarm and n.swarm.is_active and n.swarm.manager == manager)
    ]
    if outside:
        items.append(JoinSwarm(len(outside), _ips(outside)))
    items += _swarm_upkeep(run_id, bucket, manager, has_swarm, seen)
    return items


def _swarm_upkeep(
    run_id: str, bucket: str, manager: str, has_swarm: bool, seen: NodesState
) -> list[Item]:
    items: list[Item] = []
    down = tuple(m.host for m in seen.members if m.status == "Down")
    if down:
        items.append(CleanSwarm(len(down), down))
    if not has_swarm or seen.document is None or seen.document.manager != manager:
        items.append(WriteSwarmDocument(f"s3://{bucket}/{swarm_key(run_id)}"))
    return items


def engine_difference(spec: ClusterSpec, seen: NodesState) -> str:
    """Say which nodes have another engine than the one installed here; empty when none has.

    Nodes install it once, as they start, so this is nothing that `up` could mend.
    """
    others = [n for n in seen.nodes if n.engine_version != spec.engine_version]
    if not others:
        return ""
    named = ", ".join(f"{n.ip} ({n.engine_version or 'none'})" for n in others)
    return (
        f"the engine installed here is lofn {spec.engine_version}, and that of {named} is another: "
        "nodes keep the one that they started with; for this one end the cluster and start a new "
        "one: lofn-aws down, then lofn-aws up"
    )


def worker_ips(seen: NodesState) -> tuple[str, ...]:
    """Return the addresses of the nodes that run YARN containers."""
    return tuple(sorted(n.ip for n in seen.nodes if n.yarn_sees_docker is not None))


def _ips(nodes: list[NodeFacts]) -> tuple[str, ...]:
    return tuple(n.ip for n in nodes)
