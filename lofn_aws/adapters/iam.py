"""Who the caller is, and whether EMR's roles are there."""

from functools import cached_property

from botocore.exceptions import ClientError

from lofn_aws.adapters.aws_errors import error_code, translate
from lofn_aws.adapters.session import Aws


class IamAdapter:
    """STS and IAM, as far as a cluster needs them."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    @cached_property
    def account(self) -> str:
        """The account's twelve digits; the first call also proves that the credentials work."""
        with translate("asking AWS who you are"):
            return str(self._aws.sts.get_caller_identity()["Account"])

    def has_role(self, name: str) -> bool:
        """Say whether a role exists (``name`` may be an ARN)."""
        with translate(f"looking up the role {name}"):
            try:
                self._aws.iam.get_role(RoleName=name.rpartition("/")[2])
            except ClientError as error:
                if error_code(error) == "NoSuchEntity":
                    return False
                raise
        return True

    def has_instance_profile(self, name: str) -> bool:
        """Say whether an instance profile exists."""
        with translate(f"looking up the instance profile {name}"):
            try:
                self._aws.iam.get_instance_profile(InstanceProfileName=name.rpartition("/")[2])
            except ClientError as error:
                if error_code(error) == "NoSuchEntity":
                    return False
                raise
        return True
