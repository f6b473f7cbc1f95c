"""Values of the model → plain tables."""

from collections.abc import Sequence
from datetime import datetime

from lofn_aws.model.cluster import Cluster, Instance, InstanceGroup
from lofn_aws.model.node import NodeFacts, SwarmMember
from lofn_aws.model.step import Step


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return rows under their heads, each column as wide as its widest value."""
    lines = [[str(value) for value in row] for row in (head, *rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(value.ljust(width) for value, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def moment(when: datetime | None) -> str:
    """Return a time as people read it, in the local time zone; a dash for none."""
    return when.astimezone().strftime("%Y-%m-%d %H:%M:%S") if when else "-"


def clusters_table(clusters: Sequence[Cluster]) -> str:
    """Return one line a cluster."""
    rows = [(c.id, c.name, c.state, c.owner, c.release_label, moment(c.created))
            for c in clusters]
    return table(("id", "name", "state", "owner", "release", "created"), rows)


def status_text(
    cluster: Cluster,
    groups: Sequence[InstanceGroup],
    instances: Sequence[Instance],
    steps: Sequence[Step],
) -> str:
    """Return the state of one cluster."""
    reason = f" ({cluster.reason})" if cluster.reason else ""
    parts = [
        f"{cluster.name} ({cluster.id}), {cluster.release_label}: {cluster.state}{reason}",
        f"created {moment(cluster.created)}, ready {moment(cluster.ready)}",
        "",
        table(("group", "type", "wanted", "running", "state"),
              [(g.role, g.instance_type, g.requested, g.running, g.state) for g in groups]),
        "",
        table(("node", "role", "private address", "address", "state"),
              [(i.ec2_id, i.role, i.private_ip, i.address or "-", i.state) for i in instances]),
    ]
    if steps:
        rows = [(s.id, s.name, s.state, moment(s.created)) for s in steps]
        parts += ["", table(("step", "name", "state", "created"), rows)]
    return "\n".join(parts)


def swarm_text(nodes: Sequence[NodeFacts], members: Sequence[SwarmMember]) -> str:
    """Return one line a node: its place in the swarm and what runs on it."""
    listed = {m.node_id: m.status for m in members}
    rows = [
        (n.ip, n.swarm.role or "-", listed.get(n.swarm.node_id, n.swarm.state),
         "answers" if n.registry else "silent", n.docker_version or "-", n.engine_version or "-")
        for n in nodes
    ]
    known = {n.swarm.node_id for n in nodes}
    rows += [(m.host, m.role, m.status, "-", "-", "-") for m in members if m.node_id not in known]
    return table(("node", "role", "swarm", "registry", "docker", "lofn"), rows)
