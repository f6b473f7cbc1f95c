"""EC2 on moto: key pairs, the VPC's blocks, and the one rule that opens SSH."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from lofn_aws.adapters.ec2 import Ec2Adapter
from lofn_aws.adapters.key_file import key_name, make_key, public_key
from lofn_aws.adapters.session import Aws
from lofn_aws.errors import NotFoundError, UsageError
from tests.lofn_aws.factory import settings


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with mock_aws():
        yield Aws(settings().changed(access_key="test", secret_key="test"))


def test_a_made_key_is_its_owners_alone_and_imports_once(aws: Aws, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "key.pem"
    make_key(path)
    public = public_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["key.pem"]
    make_key(path)
    assert public_key(path) == public, "a key that is there is kept"
    ec2, name = Ec2Adapter(aws), key_name(public)
    assert not ec2.has_key_pair(name)
    ec2.import_key_pair(name, public)
    ec2.import_key_pair(name, public)
    assert ec2.has_key_pair(name)


def test_a_file_that_is_no_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text("not a key")
    with pytest.raises(UsageError, match=r"key\.pem is not a private RSA key"):
        public_key(path)


def test_the_vpcs_blocks(aws: Aws) -> None:
    subnet = aws.ec2.describe_subnets()["Subnets"][0]
    assert Ec2Adapter(aws).vpc_cidrs(subnet["SubnetId"]) == ("172.31.0.0/16",)
    with pytest.raises(NotFoundError, match="subnet-0123456789abcdef0"):
        Ec2Adapter(aws).vpc_cidrs("subnet-0123456789abcdef0")


def test_ssh_is_opened_once_and_closed_again(aws: Aws) -> None:
    vpc = aws.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = aws.ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    ec2 = Ec2Adapter(aws)
    ec2.open_ssh(group, "203.0.113.7/32", "lofn-aws ada")
    ec2.open_ssh(group, "203.0.113.7/32", "lofn-aws ada")
    (rule,) = ec2.tcp_rules(group)
    assert (rule.cidr, rule.description, rule.opens_ssh) == ("203.0.113.7/32", "lofn-aws ada", True)
    ec2.close_ssh(group, rule)
    ec2.close_ssh(group, rule)
    assert ec2.tcp_rules(group) == []
