"""The EC2 and IAM adapters against moto's server, which is what answers both in the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import paramiko
import pytest
from moto.server import ThreadedMotoServer

from lofn_aws.adapters.ec2 import Ec2Adapter
from lofn_aws.adapters.iam import IamAdapter
from lofn_aws.errors import NotFoundError


@pytest.fixture(scope="module")
def aws() -> Iterator[Any]:
    """The clients that the adapters take, at a moto server of the tests' own."""
    moto = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    session = boto3.Session("test", "test", region_name="us-east-1")
    clients = {
        name: session.client(name, endpoint_url=f"http://{host}:{port}") for name in ("ec2", "sts")
    }
    yield SimpleNamespace(**clients)
    moto.stop()


@pytest.fixture
def ec2(aws: Any) -> Ec2Adapter:
    return Ec2Adapter(aws)


@pytest.fixture(scope="module")
def group(aws: Any) -> str:
    """A security group in the account's default VPC."""
    vpc = aws.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    made = aws.ec2.create_security_group(GroupName="ours", Description="test", VpcId=vpc)
    return str(made["GroupId"])


def test_a_key_pair_is_imported_once_and_deleted_once(ec2: Ec2Adapter) -> None:
    public = f"ssh-rsa {paramiko.RSAKey.generate(2048).get_base64()} test"
    assert not ec2.has_key_pair("lofn-aws-0123456789ab")
    ec2.import_key_pair("lofn-aws-0123456789ab", public)
    ec2.import_key_pair("lofn-aws-0123456789ab", public)
    assert ec2.has_key_pair("lofn-aws-0123456789ab")
    ec2.delete_key_pair("lofn-aws-0123456789ab")
    ec2.delete_key_pair("lofn-aws-0123456789ab")
    assert not ec2.has_key_pair("lofn-aws-0123456789ab")


def test_port_22_is_opened_once_and_closed_once(ec2: Ec2Adapter, group: str) -> None:
    assert ec2.tcp_rules(group) == []
    ec2.open_ssh(group, "192.0.2.7/32", "lofn-aws me")
    ec2.open_ssh(group, "192.0.2.7/32", "lofn-aws me")
    (rule,) = ec2.tcp_rules(group)
    assert (rule.cidr, rule.description, rule.opens_ssh) == ("192.0.2.7/32", "lofn-aws me", True)
    ec2.close_ssh(group, rule)
    ec2.close_ssh(group, rule)
    assert ec2.tcp_rules(group) == []


def test_a_group_that_is_not_there_is_said(ec2: Ec2Adapter) -> None:
    with pytest.raises(NotFoundError, match="sg-00000000000000000"):
        ec2.tcp_rules("sg-00000000000000000")


def test_the_addresses_of_a_subnets_vpc(ec2: Ec2Adapter, aws: Any) -> None:
    subnet = aws.ec2.describe_subnets()["Subnets"][0]
    (vpc,) = aws.ec2.describe_vpcs(VpcIds=[subnet["VpcId"]])["Vpcs"]
    assert ec2.vpc_cidrs(subnet["SubnetId"]) == (vpc["CidrBlock"],)
    with pytest.raises(NotFoundError, match="subnet-00000000"):
        ec2.vpc_cidrs("subnet-00000000")


def test_the_account_is_twelve_digits(aws: Any) -> None:
    account = IamAdapter(aws).account
    assert len(account) == 12 and account.isdigit()
