from ipaddress import IPv4Network

from lofn_aws.sandbox.network import (
    CANDIDATES,
    Network,
    free_subnet,
    private_host_name,
    routed_networks,
)

# /proc/net/route of a machine with a default route, a LAN and Docker's bridge.
ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0002A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
"""


def test_routes_are_read_without_the_default_one():
    assert routed_networks(ROUTES) == [
        IPv4Network("192.168.2.0/24"),
        IPv4Network("172.17.0.0/16"),
    ]


def test_the_first_subnet_lies_in_the_default_vpc():
    assert free_subnet([]) == IPv4Network("172.31.0.0/24")


def test_a_subnet_in_use_is_passed_over_also_when_only_part_of_it_is():
    used = [IPv4Network("172.31.0.128/25"), IPv4Network("172.31.1.0/24")]
    assert free_subnet(used) == IPv4Network("172.31.2.0/24")


def test_a_machine_inside_172_31_gets_another_range():
    assert free_subnet([IPv4Network("172.31.0.0/16")]) == IPv4Network("10.213.0.0/24")


def test_no_subnet_is_free_when_all_are_taken():
    assert free_subnet(CANDIDATES) is None


def test_addresses_pass_over_those_taken_and_leave_the_gateway_alone():
    subnet = IPv4Network("172.31.3.0/24")
    network = Network("lofn-x", subnet, "172.31.3.1", frozenset({"172.31.3.11"}))
    found = list(network.addresses)
    assert found[:3] == ["172.31.3.10", "172.31.3.12", "172.31.3.13"]
    assert found[-1] == "172.31.3.254"
    assert len(found) == 244


def test_private_host_names_are_ec2s():
    assert private_host_name("172.31.3.10") == "ip-172-31-3-10.ec2.internal"
