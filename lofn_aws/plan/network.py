"""Which addresses the swarm's overlay networks take, and who may reach SSH."""

import ipaddress
from collections.abc import Iterable, Iterator

from lofn_aws.errors import UsageError

# Docker's own bridge, and what Docker hands to user-made bridges first.
DOCKER_BRIDGES = ("172.17.0.0/16",)
SSH_PORT = 22


def _candidates() -> Iterator[ipaddress.IPv4Network]:
    """The /16 networks of RFC 1918, those that people use least first."""
    tens = list(ipaddress.IPv4Network("10.0.0.0/8").subnets(new_prefix=16))
    yield from tens[200:]
    yield from tens[:200]
    yield from ipaddress.IPv4Network("172.16.0.0/12").subnets(new_prefix=16)
    yield ipaddress.IPv4Network("192.168.0.0/16")


def overlay_pool(vpc_cidrs: Iterable[str], node_ips: Iterable[str]) -> str:
    """Return a private /16 that overlaps neither the VPC nor the network of any node.

    Docker's default pool is 10.0.0.0/8 and overlaps most VPCs. ``vpc_cidrs`` are the VPC's
    blocks, ``node_ips`` the nodes' private addresses (a node's /16 is taken as in use).
    Raises UsageError when nothing private is left.
    """
    used = [ipaddress.IPv4Network(c, strict=False) for c in (*vpc_cidrs, *DOCKER_BRIDGES)]
    used += [ipaddress.IPv4Network(f"{ip}/16", strict=False) for ip in node_ips]
    for candidate in _candidates():
        if not any(candidate.overlaps(network) for network in used):
            return str(candidate)
    raise UsageError("the VPC leaves no private /16 for the swarm's networks",
                     "lofn-aws config  (set subnet to one of a smaller VPC)")


def wanted_ingress(setting: str, public_address: str | None) -> str | None:
    """Return the CIDR to open port 22 of the primary to, None for nothing to open.

    ``setting`` is the setting ssh_ingress: "none", a CIDR, or "auto" (this machine's public
    address alone, where it could be learnt).
    """
    if setting == "none":
        return None
    if setting != "auto":
        return setting
    return f"{public_address}/32" if public_address else None
