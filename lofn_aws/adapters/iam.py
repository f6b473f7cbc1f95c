"""Who the caller is."""

from functools import cached_property

from lofn_aws.adapters.aws_errors import translate
from lofn_aws.adapters.session import Aws


class IamAdapter:
    """The caller's identity."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    @cached_property
    def account(self) -> str:
        """The account's twelve digits; the first call also proves that the credentials work."""
        with translate("asking AWS who you are"):
            return str(self._aws.sts.get_caller_identity()["Account"])
