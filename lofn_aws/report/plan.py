"""A plan and its outcome → words and plain objects."""

from collections.abc import Sequence
from typing import Any

from lofn_aws.model.cluster import Cluster, Instance
from lofn_aws.model.plan import Item


def plan_text(items: Sequence[Item]) -> str:
    """Return the plan, one line an item."""
    if not items:
        return "nothing to do"
    return "\n".join(f"- {item.words}" for item in items)


def plan_object(items: Sequence[Item]) -> list[dict[str, str]]:
    """Return the plan as JSON says it."""
    return [{"item": type(item).__name__, "words": item.words} for item in items]


def summary_text(cluster: Cluster, instances: Sequence[Instance]) -> str:
    """Return what a person needs after `up`."""
    count = {role: sum(1 for i in instances if i.role == role) for role in
             ("primary", "core", "task")}
    primary = next((i for i in instances if i.role == "primary"), None)
    address = primary.address or primary.private_ip if primary else ""
    return "\n".join([
        f"cluster   {cluster.name} ({cluster.id}), {cluster.release_label}, {cluster.state}",
        f"primary   {address}",
        f"nodes     {count['primary']} primary, {count['core']} core, {count['task']} task",
        "registry  localhost:5000 on every node",
        "next      lofn-aws push IMAGE",
        "          lofn-aws step map --image IMAGE --command COMMAND --input URI --output URI",
        "          lofn-aws submit SCRIPT -- ARGS",
        "          lofn-aws down",
    ])


def summary_object(
    cluster: Cluster, instances: Sequence[Instance], items: Sequence[Item]
) -> dict[str, Any]:
    """Return the same as JSON says it."""
    return {
        "cluster": cluster,
        "instances": list(instances),
        "registry": "localhost:5000",
        "done": plan_object(items),
    }
