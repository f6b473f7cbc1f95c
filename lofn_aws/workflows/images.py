"""`image list` and `image rm`: what the cluster's registry has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lofn_aws.adapters.registry import Registry
from lofn_aws.errors import NotFoundError
from lofn_aws.model.image import nearest_names, parse_image
from lofn_aws.plan import images as plan
from lofn_aws.workflows.attach import Attached, attached
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.push import check_registry

REMOVE_SECONDS = 120.0


@dataclass(frozen=True)
class StoredImage:
    """One image of the registry: the name for scripts, and its digest."""

    name: str
    digest: str


def image_list(ctx: Context) -> list[StoredImage]:
    """Return the registry's images by name. Raises NotFoundError without a cluster."""
    with _registry(ctx) as (_, registry):
        found = [(name, registry.digest(name)) for name in registry.images()]
    return [StoredImage(name.on_cluster, digest) for name, digest in found if digest]


def image_remove(ctx: Context, text: str) -> StoredImage:
    """Remove an image from the registry, under all its tags, and this name from every node.

    The layers' space in S3 stays taken until the registry's garbage is collected. Raises
    NotFoundError that names the nearest images there are.
    """
    name = parse_image(text)
    with _registry(ctx) as (cluster, registry):
        digest = registry.digest(name)
        if digest is None or not registry.delete(name, digest):
            near = nearest_names(str(name), [str(known) for known in registry.images()])
            hint = f"; there is {', '.join(near)}" if near else ""
            raise NotFoundError(
                f"the registry of {cluster.cluster.name} has no {name}{hint}", "lofn-aws image list"
            )
        command = plan.remove_command(name)
        hosts = list(cluster.hosts.values())
        for host, outcome in cluster.gateway.run_all(
            hosts, command, timeout=REMOVE_SECONDS
        ).items():
            if isinstance(outcome, Exception) or not outcome.ok:
                said = outcome if isinstance(outcome, Exception) else outcome.stderr.strip()
                ctx.reporter.warn(f"{host} keeps its copy: {said}")
    return StoredImage(name.on_cluster, digest)


@contextmanager
def _registry(ctx: Context) -> Iterator[tuple[Attached, Registry]]:
    with attached(ctx) as cluster:
        check_registry(ctx, cluster, None)
        with cluster.gateway.forward(plan.REGISTRY_PORT) as port:
            yield cluster, Registry(port)
