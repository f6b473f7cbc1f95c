"""Finding the cluster by name and tags, and connecting to its nodes with pinned host keys."""

from collections.abc import Sequence
from pathlib import Path

from lofn_aws.adapters.aws_errors import translate
from lofn_aws.adapters.key_file import key_name, public_key
from lofn_aws.adapters.ssh import Gateway
from lofn_aws.errors import InfrastructureError, NotFoundError, UsageError
from lofn_aws.model.cluster import (
    ACTIVE_STATES,
    TAG_CLUSTER,
    Cluster,
    Instance,
)
from lofn_aws.model.spec import hostkeys_prefix
from lofn_aws.workflows.context import Context


def clusters_of_name(
    ctx: Context, states: Sequence[str] = ACTIVE_STATES, *, limit: int | None = None
) -> list[Cluster]:
    """Return this toolkit's clusters of the set name and owner that are in these states.

    With ``limit``, no more than so many of that name are looked at, the newest first.
    """
    name = ctx.settings.cluster_name
    named = [c.id for c in ctx.emr.clusters(states) if c.name == name][:limit]
    found = [ctx.emr.cluster(cluster_id) for cluster_id in named]
    return [
        c for c in found
        if c.is_ours and c.tags[TAG_CLUSTER] == name and c.owner == ctx.settings.owner
    ]


def find_cluster_or_none(ctx: Context) -> Cluster | None:
    """Return the living cluster of the set name, or None. Raises UsageError when there are two."""
    found = clusters_of_name(ctx)
    if len(found) > 1:
        ids = ", ".join(c.id for c in found)
        raise UsageError(
            f"{len(found)} clusters are called {ctx.settings.cluster_name}: {ids}",
            f"aws emr terminate-clusters --cluster-ids {found[-1].id}  (the one you do not need)",
        )
    return found[0] if found else None


def find_cluster(ctx: Context) -> Cluster:
    """Return the living cluster of the set name. Raises NotFoundError, UsageError."""
    found = find_cluster_or_none(ctx)
    if found is None:
        raise NotFoundError(
            f"there is no cluster {ctx.settings.cluster_name} of {ctx.settings.owner} "
            f"in {ctx.region}", "lofn-aws up")
    return found


def login_key(ctx: Context, cluster: Cluster) -> Path:
    """Return the private key file that logs in to a cluster. Raises UsageError if it is not here.

    It is the setting key_file, else the key that `up` made on this machine.
    """
    if ctx.settings.key_file:
        return Path(ctx.settings.key_file).expanduser()
    own = own_key(ctx)
    if own.is_file() and key_name(public_key(own)) == cluster.key_name:
        return own
    raise UsageError(
        f"{cluster.id} logs in with the key pair {cluster.key_name}, and this machine does not "
        "know its private key file: set key_file",
        "lofn-aws config",
    )


def own_key(ctx: Context) -> Path:
    """Return where the private key is that `up` makes for this user."""
    return ctx.home / "key.pem"


def connect(
    ctx: Context, cluster: Cluster, instances: Sequence[Instance] | None = None
) -> Gateway:
    """Return a Gateway to the cluster's nodes that accepts their published host keys alone.

    The primary is ``gateway.host``; other nodes are named by their private address. Not yet
    connected. Raises InfrastructureError when the cluster has no primary.
    """
    nodes = instances if instances is not None else ctx.emr.instances(cluster.id)
    primary = next((i for i in nodes if i.role == "primary"), None)
    if primary is None:
        raise InfrastructureError(f"{cluster.id} has no primary node yet", "lofn-aws status")
    keys = host_keys(ctx, cluster)
    host = primary.address or cluster.primary_address or primary.private_ip
    if primary.private_ip in keys:
        keys[host] = keys[primary.private_ip]
    return Gateway(host, key_file=login_key(ctx, cluster), host_keys=keys)


def host_keys(ctx: Context, cluster: Cluster) -> dict[str, str]:
    """Return the public host keys that bootstrap published, by private address."""
    prefix = hostkeys_prefix(cluster.run_id)
    keys = {}
    with translate("reading the nodes' SSH host keys"):
        for found in ctx.s3.list(ctx.bucket, prefix):
            data = ctx.s3.get_bytes(ctx.bucket, found.key)
            keys[found.key.removeprefix(prefix).removesuffix(".pub")] = (data or b"").decode()
    return keys


def hosts_by_ip(gateway: Gateway, instances: Sequence[Instance]) -> dict[str, str]:
    """Map each running node's private address to the name that the Gateway knows it by."""
    return {
        i.private_ip: gateway.host if i.role == "primary" else i.private_ip
        for i in instances
        if i.is_running
    }
