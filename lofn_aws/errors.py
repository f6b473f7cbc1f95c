"""The one tree of errors: each carries its exit code and the next command to type.

Exit codes (documented in the user guide): 0 done or nothing to do, 1 infrastructure failed,
2 usage or configuration, 3 not found, 4 credentials or permission, 5 quota or capacity,
10 step failed, 11 step cancelled, 12 wait timed out, 130 interrupted.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar


class LofnAwsError(Exception):
    """Base of every error this toolkit raises on purpose.

    ``message`` is one sentence that names the value, the place and what is wrong;
    ``next_command`` is what the person can type next: that of the error itself, else that of
    its class, ``default_next``.
    """

    exit_code: ClassVar[int] = 1
    default_next: ClassVar[str] = "lofn-aws status"

    def __init__(self, message: str, next_command: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.own_next = next_command

    @property
    def next_command(self) -> str:
        """What the person can type next."""
        return self.own_next or self.default_next

    def __str__(self) -> str:
        return self.message


@contextmanager
def suggesting(next_command: str) -> Iterator[None]:
    """Give this next command to errors raised inside that have none but their class's."""
    try:
        yield
    except LofnAwsError as error:
        error.own_next = error.own_next or next_command
        raise


class InfrastructureError(LofnAwsError):
    """AWS, a node or the network did not do what was asked."""

    exit_code = 1


class EndpointUnreachable(InfrastructureError):
    """The address that AWS, or what stands in for it, should answer at does not."""

    default_next = "lofn-aws config"


class UsageError(LofnAwsError):
    """A flag, a setting or a file of the user's is wrong."""

    exit_code = 2
    default_next = "lofn-aws --help"


class NotFoundError(LofnAwsError):
    """What was named does not exist."""

    exit_code = 3
    default_next = "lofn-aws list"


class CredentialsError(LofnAwsError):
    """Credentials are missing, expired or not allowed to do this."""

    exit_code = 4
    default_next = "aws sts get-caller-identity"


class CapacityError(LofnAwsError):
    """A quota or the capacity of AWS is in the way."""

    exit_code = 5
    default_next = "aws service-quotas list-service-quotas --service-code ec2"


class StepFailed(LofnAwsError):
    """A step ended as FAILED."""

    exit_code = 10
    default_next = "lofn-aws step list"


class StepCancelled(LofnAwsError):
    """A step ended as CANCELLED or INTERRUPTED."""

    exit_code = 11
    default_next = "lofn-aws step list"


class WaitTimeout(LofnAwsError):
    """Something waited for did not happen before its deadline."""

    exit_code = 12


class Interrupted(LofnAwsError):
    """The person pressed Ctrl-C."""

    exit_code = 130
