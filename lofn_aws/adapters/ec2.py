"""EC2: key pairs, the VPC's addresses, and the one rule that opens SSH."""

import urllib.error
import urllib.request

from botocore.exceptions import ClientError

from lofn_aws.adapters.aws_errors import error_code, translate
from lofn_aws.adapters.session import Aws
from lofn_aws.model.network import SSH_PORT, IngressRule

# AWS's own service that answers with the caller's public address.
WHO_AM_I = "https://checkip.amazonaws.com"
WHO_AM_I_SECONDS = 3.0


def public_address() -> str | None:
    """Return the public IPv4 address that this machine is seen by, None if it cannot be learnt."""
    try:
        with urllib.request.urlopen(WHO_AM_I, timeout=WHO_AM_I_SECONDS) as answer:
            return str(answer.read(64).decode("ascii").strip()) or None
    except (OSError, ValueError, urllib.error.URLError):
        return None


class Ec2Adapter:
    """The EC2 calls that the toolkit makes."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def has_key_pair(self, name: str) -> bool:
        """Say whether the account has a key pair of this name in the region."""
        with translate(f"looking up the key pair {name}"):
            try:
                self._aws.ec2.describe_key_pairs(KeyNames=[name])
            except ClientError as error:
                if error_code(error) == "InvalidKeyPair.NotFound":
                    return False
                raise
        return True

    def import_key_pair(self, name: str, public_key: str) -> None:
        """Import a public key; one of this name that is there already is left alone."""
        with translate(f"importing the key pair {name}"):
            try:
                self._aws.ec2.import_key_pair(KeyName=name, PublicKeyMaterial=public_key.encode())
            except ClientError as error:
                if error_code(error) != "InvalidKeyPair.Duplicate":
                    raise

    def delete_key_pair(self, name: str) -> None:
        """Delete a key pair from the account; one that is gone already is no error."""
        with translate(f"deleting the key pair {name}"):
            try:
                self._aws.ec2.delete_key_pair(KeyName=name)
            except ClientError as error:
                if error_code(error) != "InvalidKeyPair.NotFound":
                    raise

    def vpc_cidrs(self, subnet: str) -> tuple[str, ...]:
        """Return the address blocks of the VPC that a subnet is in."""
        with translate(f"looking up the subnet {subnet}"):
            found = self._aws.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]
            vpc = self._aws.ec2.describe_vpcs(VpcIds=[found["VpcId"]])["Vpcs"][0]
        blocks = [b["CidrBlock"] for b in vpc.get("CidrBlockAssociationSet", ())]
        return tuple(dict.fromkeys([vpc["CidrBlock"], *blocks]))

    def tcp_rules(self, group: str) -> list[IngressRule]:
        """List a security group's TCP rules by address (not those by other groups)."""
        with translate(f"reading the security group {group}"):
            answer = self._aws.ec2.describe_security_groups(GroupIds=[group])
        rules = []
        for permission in answer["SecurityGroups"][0]["IpPermissions"]:
            everything = permission["IpProtocol"] == "-1"
            if not everything and permission["IpProtocol"] != "tcp":
                continue
            first, last = (0, 65535) if everything else (
                permission["FromPort"], permission["ToPort"])
            rules += [
                IngressRule(r["CidrIp"], first, last, r.get("Description", ""))
                for r in permission.get("IpRanges", ())
            ]
        return rules

    def open_ssh(self, group: str, cidr: str, description: str) -> None:
        """Let ``cidr`` reach port 22; a rule that is there already is left alone."""
        with translate(f"opening port 22 of {group} to {cidr}"):
            try:
                self._aws.ec2.authorize_security_group_ingress(
                    GroupId=group, IpPermissions=[_ssh_permission(cidr, description)]
                )
            except ClientError as error:
                if error_code(error) != "InvalidPermission.Duplicate":
                    raise

    def close_ssh(self, group: str, rule: IngressRule) -> None:
        """Remove a rule made by ``open_ssh``; one that is gone already is no error."""
        with translate(f"closing port 22 of {group} to {rule.cidr}"):
            try:
                self._aws.ec2.revoke_security_group_ingress(
                    GroupId=group, IpPermissions=[_ssh_permission(rule.cidr, rule.description)]
                )
            except ClientError as error:
                if error_code(error) != "InvalidPermission.NotFound":
                    raise


def _ssh_permission(cidr: str, description: str) -> dict[str, object]:
    return {
        "IpProtocol": "tcp",
        "FromPort": SSH_PORT,
        "ToPort": SSH_PORT,
        "IpRanges": [{"CidrIp": cidr, "Description": description}],
    }
