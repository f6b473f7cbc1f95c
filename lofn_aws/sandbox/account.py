"""The account around the clusters: what moto's IAM, EC2 and S3 hold, asked as any client asks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Network
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from lofn_aws.sandbox.validation import Surroundings

REGION = "us-east-1"
ACCESS_KEY = "lofn-aws-sandbox"
SECRET_KEY = "lofn-aws-sandbox"
SERVICE_ROLE = "EMR_DefaultRole"
INSTANCE_PROFILE = "EMR_EC2_DefaultRole"
PRIMARY_GROUP = "ElasticMapReduce-master"
WORKER_GROUP = "ElasticMapReduce-slave"
# The error codes by which IAM, EC2 and S3 say that a named thing does not exist.
ABSENT = re.compile(r"NoSuch|NotFound|^404$|^InvalidInstanceType$|Malformed$")


class Account:
    """Clients of the sandbox's own endpoint. Safe to use from several threads."""

    def __init__(self, endpoint_url: str) -> None:
        config = Config(
            retries={"total_max_attempts": 1},
            connect_timeout=5,
            read_timeout=60,
            max_pool_connections=32,
            s3={"addressing_style": "path"},
        )
        session = boto3.session.Session(
            aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=REGION
        )
        self._iam = session.client("iam", endpoint_url=endpoint_url, config=config)
        self._ec2 = session.client("ec2", endpoint_url=endpoint_url, config=config)
        self._s3 = session.client("s3", endpoint_url=endpoint_url, config=config)
        self._node_subnet_id: str | None = None

    def seed(self, node_network: IPv4Network) -> None:
        """Make what a new account has after ``aws emr create-default-roles``.

        Nodes live in the default VPC: in the subnet that holds their network, or, where their
        network lies outside of it, in a further block of the VPC.
        """
        self._seed_role(SERVICE_ROLE, "elasticmapreduce.amazonaws.com")
        self._seed_role(INSTANCE_PROFILE, "ec2.amazonaws.com")
        self._iam.create_instance_profile(InstanceProfileName=INSTANCE_PROFILE)
        self._iam.add_role_to_instance_profile(
            InstanceProfileName=INSTANCE_PROFILE, RoleName=INSTANCE_PROFILE
        )
        default = [{"Name": "is-default", "Values": ["true"]}]
        vpc_id = self._ec2.describe_vpcs(Filters=default)["Vpcs"][0]["VpcId"]
        self._node_subnet_id = self._seed_subnet(vpc_id, node_network)
        self.managed_groups(vpc_id)

    def _seed_subnet(self, vpc_id: str, node_network: IPv4Network) -> str:
        in_vpc = [{"Name": "vpc-id", "Values": [vpc_id]}]
        for subnet in self._ec2.describe_subnets(Filters=in_vpc)["Subnets"]:
            if node_network.subnet_of(IPv4Network(subnet["CidrBlock"])):
                return str(subnet["SubnetId"])
        block = str(node_network)
        self._ec2.associate_vpc_cidr_block(VpcId=vpc_id, CidrBlock=block)
        made = self._ec2.create_subnet(VpcId=vpc_id, CidrBlock=block, AvailabilityZone=REGION + "a")
        return str(made["Subnet"]["SubnetId"])

    def _seed_role(self, name: str, service: str) -> None:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sts:AssumeRole",
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)

    def managed_groups(self, vpc_id: str) -> tuple[str, str]:
        """Return the ids of EMR's managed groups of a VPC (primary's, workers'), made if absent.

        As on EMR, members of either group may send each other anything.
        """
        ids = {name: self._group_id(vpc_id, name) for name in (PRIMARY_GROUP, WORKER_GROUP)}
        missing = [name for name, group_id in ids.items() if group_id is None]
        for name in missing:
            made = self._ec2.create_security_group(
                GroupName=name, Description="EMR managed group", VpcId=vpc_id
            )
            ids[name] = made["GroupId"]
        pairs = [{"GroupId": group_id} for group_id in ids.values()]
        for name in missing:
            self._ec2.authorize_security_group_ingress(
                GroupId=ids[name],
                IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": pairs}],
            )
        return str(ids[PRIMARY_GROUP]), str(ids[WORKER_GROUP])

    def _group_id(self, vpc_id: str, name: str) -> str | None:
        filters = [
            {"Name": "vpc-id", "Values": [vpc_id]},
            {"Name": "group-name", "Values": [name]},
        ]
        found = self._ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
        return found[0]["GroupId"] if found else None

    def surroundings(self, request: Mapping[str, Any]) -> Surroundings:
        """Look up everything that a RunJobFlow request names."""
        instances = request["Instances"]
        return Surroundings(
            service_role=self._has_role(request.get("ServiceRole")),
            instance_profile=self._has_profile(request.get("JobFlowRole")),
            key_pair=not instances.get("Ec2KeyName") or bool(self.key_pair(instances)),
            missing_subnets=self._missing(requested_subnets(instances), self.subnet),
            missing_groups=self._missing(requested_groups(instances), self._security_group),
            missing_instance_types=self._missing(
                {g["InstanceType"] for g in instances.get("InstanceGroups", [])},
                self.instance_type,
            ),
        )

    @staticmethod
    def _missing(names: Any, look_up: Callable[[str], Any]) -> tuple[str, ...]:
        return tuple(sorted(name for name in names if look_up(name) is None))

    def _has_role(self, name: str | None) -> bool:
        # RunJobFlow takes a role's name or its ARN.
        return (
            bool(name)
            and self._one(lambda: self._iam.get_role(RoleName=str(name).rsplit("/", 1)[-1])["Role"])
            is not None
        )

    def _has_profile(self, name: str | None) -> bool:
        return (
            bool(name)
            and self._one(
                lambda: self._iam.get_instance_profile(
                    InstanceProfileName=str(name).rsplit("/", 1)[-1]
                )["InstanceProfile"]
            )
            is not None
        )

    def key_pair(self, instances: Mapping[str, Any]) -> str | None:
        """Return the public key of the request's Ec2KeyName, or None where there is none."""
        name = instances.get("Ec2KeyName")
        if not name:
            return None
        found = self._one(
            lambda: self._ec2.describe_key_pairs(KeyNames=[name], IncludePublicKey=True)["KeyPairs"]
        )
        return found[0]["PublicKey"].strip() if found else None

    def subnet(self, subnet_id: str | None) -> dict[str, Any] | None:
        """Return EC2's description of a subnet; None as id asks for the nodes' own."""
        wanted = subnet_id or self._node_subnet_id
        found = self._one(lambda: self._ec2.describe_subnets(SubnetIds=[wanted])["Subnets"])
        return found[0] if found else None

    def _security_group(self, group_id: str) -> dict[str, Any] | None:
        found = self._one(
            lambda: self._ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
        )
        return found[0] if found else None

    def instance_type(self, name: str) -> dict[str, Any] | None:
        """Return EC2's description of an instance type."""
        found = self.instance_types([name])
        return found[0] if found else None

    def instance_types(self, names: Sequence[str]) -> list[dict[str, Any]] | None:
        """Return EC2's descriptions of instance types, or None if it does not know one."""
        described: list[dict[str, Any]] | None = self._one(
            lambda: self._ec2.describe_instance_types(InstanceTypes=list(names))["InstanceTypes"]
        )
        return described

    def read_object(self, uri: str) -> bytes | None:
        """Return the bytes of ``s3://bucket/key``, or None where it does not exist."""
        bucket, key = split_s3_uri(uri)
        answer = self._one(lambda: self._s3.get_object(Bucket=bucket, Key=key))
        return answer["Body"].read() if answer else None

    def write_object(self, uri: str, data: bytes) -> bool:
        """Put bytes at ``s3://bucket/key``; answer whether S3 took them."""
        bucket, key = split_s3_uri(uri)
        return self._one(lambda: self._s3.put_object(Bucket=bucket, Key=key, Body=data)) is not None

    @staticmethod
    def _one(ask: Callable[[], Any]) -> Any:
        """Return an answer, or None where the service says that the thing does not exist."""
        try:
            return ask()
        except ClientError as error:
            if not ABSENT.search(error.response["Error"]["Code"]):
                raise
            return None


def requested_subnets(instances: Mapping[str, Any]) -> list[str]:
    """Return the subnets that a request names; empty means the default one."""
    one = instances.get("Ec2SubnetId")
    return [one] if one else list(instances.get("Ec2SubnetIds", []))


def requested_groups(instances: Mapping[str, Any]) -> list[str]:
    """Return every security group that a request names."""
    single = ("EmrManagedMasterSecurityGroup", "EmrManagedSlaveSecurityGroup")
    lists = ("AdditionalMasterSecurityGroups", "AdditionalSlaveSecurityGroups")
    names = [instances[member] for member in single if instances.get(member)]
    return names + [name for member in lists for name in instances.get(member, [])]


def split_s3_uri(uri: str) -> tuple[str, str]:
    """Return bucket and key of an ``s3://``, ``s3a://`` or ``s3n://`` URI."""
    bucket, _, key = uri.split("://", 1)[1].partition("/")
    return bucket, key
