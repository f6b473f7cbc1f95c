"""Removal of whatever carries a sandbox's label, however its process ended."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import docker
import docker.errors
from docker.models.containers import Container

from lofn_aws.sandbox.labels import SANDBOX_LABEL

AT_ONCE = 4


def sweep(client: docker.DockerClient, sandbox_name: str) -> list[str]:
    """Remove the sandbox's containers, then networks, then volumes; names of what was there."""
    chosen = {"label": f"{SANDBOX_LABEL}={sandbox_name}"}
    containers = client.containers.list(all=True, filters=chosen, ignore_removed=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(remove_container, containers))
    networks = client.networks.list(filters=chosen)
    volumes = client.volumes.list(filters=chosen)
    for thing in [*networks, *volumes]:
        _remove(thing)
    return [
        *(f"container {container.name}" for container in containers),
        *(f"network {network.name}" for network in networks),
        *(f"volume {volume.name[:12]}" for volume in volumes),
    ]


def remove_container(container: Container) -> None:
    """Kill and remove a container with its anonymous volumes; gone already is well, too."""
    try:
        container.remove(force=True, v=True)
    except docker.errors.NotFound:
        return
    except docker.errors.APIError as error:
        if error.status_code != 409:  # 409: somebody else's removal of it is under way
            raise
        container.wait(condition="removed")


def _remove(thing: docker.models.networks.Network | docker.models.volumes.Volume) -> None:
    try:
        thing.remove()
    except docker.errors.NotFound:
        return
