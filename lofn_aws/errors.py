"""The one tree of errors: each carries its exit code and the next command to type.

Exit codes (documented in the user guide): 0 done or nothing to do, 1 infrastructure failed,
2 usage or configuration, 3 not found, 4 credentials or permission, 5 quota or capacity,
10 step failed, 11 step cancelled, 12 wait timed out, 130 interrupted.
"""

from typing import ClassVar


class LofnAwsError(Exception):
    """Base of every error this toolkit raises on purpose.

    ``message`` is one sentence that names the value, the place and what is wrong;
    ``next_command`` is what the person can type next (None when nothing sensible is known).
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, next_command: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.next_command = next_command

    def __str__(self) -> str:
        return self.message


class InfrastructureError(LofnAwsError):
    """AWS, a node or the network did not do what was asked."""

    exit_code = 1


class UsageError(LofnAwsError):
    """A flag, a setting or a file of the user's is wrong."""

    exit_code = 2


class NotFoundError(LofnAwsError):
    """What was named does not exist."""

    exit_code = 3


class CredentialsError(LofnAwsError):
    """Credentials are missing, expired or not allowed to do this."""

    exit_code = 4


class CapacityError(LofnAwsError):
    """A quota or the capacity of AWS is in the way."""

    exit_code = 5


class StepFailed(LofnAwsError):
    """A step ended as FAILED."""

    exit_code = 10


class StepCancelled(LofnAwsError):
    """A step ended as CANCELLED or INTERRUPTED."""

    exit_code = 11


class WaitTimeout(LofnAwsError):
    """Something waited for did not happen before its deadline."""

    exit_code = 12


class Interrupted(LofnAwsError):
    """The person pressed Ctrl-C."""

    exit_code = 130
