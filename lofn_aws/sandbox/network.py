"""Which subnet a sandbox's network takes and which addresses its nodes get (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

# First inside the default VPC of AWS accounts (172.31.0.0/16), so that addresses look as on EC2;
# then elsewhere, for hosts that have that range in use.
CANDIDATES = tuple(
    subnet
    for block in ("172.31.0.0/18", "10.213.0.0/18", "192.168.192.0/18")
    for subnet in IPv4Network(block).subnets(new_prefix=24)
)


@dataclass(frozen=True)
class Network:
    """A sandbox's Docker network; ``taken`` are the addresses its containers have now."""

    name: str
    subnet: IPv4Network
    gateway: str
    taken: frozenset[str] = frozenset()

    @property
    def addresses(self) -> Iterator[str]:
        """Addresses free for nodes, from .10 on, in order; each read starts from the first."""
        for host in list(self.subnet.hosts())[9:]:
            if str(host) not in self.taken:
                yield str(host)


def free_subnet(used: Iterable[IPv4Network]) -> IPv4Network | None:
    """The first candidate that overlaps nothing in use; None when all are taken."""
    taken = list(used)
    for candidate in CANDIDATES:
        if not any(candidate.overlaps(network) for network in taken):
            return candidate
    return None


def routed_networks(proc_net_route: str) -> list[IPv4Network]:
    """The networks of /proc/net/route, without the default route."""
    networks = []
    for line in proc_net_route.splitlines()[1:]:
        fields = line.split()
        destination, mask = int(fields[1], 16), int(fields[7], 16)
        if mask:
            address = IPv4Address(destination.to_bytes(4, "little"))
            prefix = bin(mask).count("1")
            networks.append(IPv4Network((address, prefix), strict=False))
    return networks


def private_host_name(ip: str) -> str:
    """EC2's name for an address in us-east-1: 172.31.0.10 → ip-172-31-0-10.ec2.internal."""
    return f"ip-{ip.replace('.', '-')}.ec2.internal"
