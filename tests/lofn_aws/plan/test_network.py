"""The swarm's address pool, and who may reach SSH."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofn_aws.errors import UsageError
from lofn_aws.plan.network import overlay_pool, wanted_ingress


def overlaps(one: str, other: str) -> bool:
    return ipaddress.ip_network(one).overlaps(ipaddress.ip_network(other, strict=False))


@pytest.mark.parametrize("vpc", ["10.0.0.0/16", "10.200.0.0/16", "172.31.0.0/16", "10.0.0.0/8"])
def test_the_pool_leaves_the_vpc_and_dockers_bridge_alone(vpc: str) -> None:
    pool = overlay_pool([vpc], [])
    assert not overlaps(pool, vpc)
    assert not overlaps(pool, "172.17.0.0/16")
    assert ipaddress.ip_network(pool).is_private


@given(st.lists(st.ip_addresses(v=4, network="10.0.0.0/8"), max_size=30))
def test_the_pool_never_holds_a_node(addresses: list[ipaddress.IPv4Address]) -> None:
    ips = [str(a) for a in addresses]
    pool = ipaddress.ip_network(overlay_pool([], ips))
    assert not any(address in pool for address in addresses)


def test_a_vpc_of_all_private_addresses_leaves_nothing() -> None:
    with pytest.raises(UsageError, match="no private /16"):
        overlay_pool(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"], [])


@pytest.mark.parametrize(("setting", "address", "cidr"), [
    ("none", "203.0.113.7", None),
    ("auto", "203.0.113.7", "203.0.113.7/32"),
    ("auto", None, None),
    ("198.51.100.0/24", None, "198.51.100.0/24"),
])
def test_ingress(setting: str, address: str | None, cidr: str | None) -> None:
    assert wanted_ingress(setting, address) == cidr
