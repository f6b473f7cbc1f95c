"""The errors of the EMR service, each with the code that botocore maps to an exception class."""

from __future__ import annotations


class Fault(Exception):
    """An error that the caller of an operation is answered with.

    Attributes:
        code: EMR's error code, such as ``ValidationException``.
        message: one sentence for a person.
        status: HTTP status; 400 for the caller's mistakes, 500 for the service's own.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def validation(message: str) -> Fault:
    """Return EMR's ``ValidationException`` (RunJobFlow and its generation of operations)."""
    return Fault("ValidationException", message)


def invalid(message: str) -> Fault:
    """Return EMR's ``InvalidRequestException`` (DescribeCluster and its generation)."""
    return Fault("InvalidRequestException", message)


def internal(message: str) -> Fault:
    """Return EMR's ``InternalServerException`` with status 500."""
    return Fault("InternalServerException", message, status=500)
