"""The Docker network of a sandbox: found by name, or made in a subnet nobody uses."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import docker
import docker.errors
from docker.types import IPAMConfig, IPAMPool

from lofn_aws.errors import InfrastructureError
from lofn_aws.sandbox.labels import SANDBOX_LABEL
from lofn_aws.sandbox.network import Network, free_subnet, routed_networks

ATTEMPTS = 5


def ensure_network(client: docker.DockerClient, sandbox_name: str) -> Network:
    """The network ``lofn-<sandbox>``; raises InfrastructureError when no subnet is free."""
    name = f"lofn-{sandbox_name}"
    for attempt in range(ATTEMPTS):
        found = _find(client, name)
        if found is not None:
            return found
        try:
            _create(client, name, sandbox_name)
        except docker.errors.APIError as error:
            # Another sandbox took the subnet, or the name, a moment ago: look again.
            raced = "overlap" in str(error).lower() or "already exists" in str(error)
            if not raced or attempt == ATTEMPTS - 1:
                raise
    raise InfrastructureError(
        f"network {name} could not be made in {ATTEMPTS} tries", "docker network ls"
    )


def _create(client: docker.DockerClient, name: str, sandbox_name: str) -> None:
    subnet = free_subnet(_used(client))
    if subnet is None:
        raise InfrastructureError(
            f"no /24 subnet is free for network {name}: Docker and this machine's routes use all",
            "docker network prune",
        )
    pool = IPAMPool(subnet=str(subnet), gateway=str(subnet[1]))
    client.networks.create(
        name,
        driver="bridge",
        ipam=IPAMConfig(pool_configs=[pool]),
        labels={SANDBOX_LABEL: sandbox_name},
        check_duplicate=True,
    )


def _find(client: docker.DockerClient, name: str) -> Network | None:
    try:
        attributes = client.networks.get(name).attrs
    except docker.errors.NotFound:
        return None
    pool = attributes["IPAM"]["Config"][0]
    containers = (attributes.get("Containers") or {}).values()
    taken = frozenset(entry["IPv4Address"].split("/")[0] for entry in containers)
    return Network(name, IPv4Network(pool["Subnet"]), pool["Gateway"], taken)


def _used(client: docker.DockerClient) -> list[IPv4Network]:
    """Subnets of Docker's networks and of this machine's routes."""
    pools: list[dict[str, Any]] = []
    for network in client.networks.list():
        pools += (network.attrs.get("IPAM") or {}).get("Config") or []
    subnets = [pool["Subnet"] for pool in pools if ":" not in pool.get("Subnet", ":")]
    return [IPv4Network(subnet) for subnet in subnets] + _routes()


def _routes() -> list[IPv4Network]:
    try:
        return routed_networks(Path("/proc/net/route").read_text())
    except OSError:
        return []
