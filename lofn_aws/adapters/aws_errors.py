"""The one table that turns errors of boto3 into errors of the toolkit."""

from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import Boto3Error
from botocore import exceptions as boto
from botocore.exceptions import ClientError

from lofn_aws.errors import (
    CapacityError,
    CredentialsError,
    EndpointUnreachable,
    InfrastructureError,
    LofnAwsError,
    NotFoundError,
    UsageError,
)

_LOGIN = "aws configure  (or: aws sso login)"
_AGAIN = "lofn-aws status  (AWS's side; look again in a minute)"
_SLOWER = "lofn-aws status  (in a minute: AWS limits how often it is asked)"

CREDENTIAL_CODES = {
    "ExpiredToken", "ExpiredTokenException", "RequestExpired", "UnrecognizedClientException",
    "InvalidClientTokenId", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AuthFailure",
    "InvalidSignatureException", "MissingAuthenticationToken",
}
DENIED_CODES = {
    "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedException",
    "AllAccessDisabled", "403",
}
THROTTLED_CODES = {
    "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException",
    "SlowDown",
}
QUOTA_CODES = {
    "ServiceQuotaExceededException", "LimitExceededException", "InstanceLimitExceeded",
    "VcpuLimitExceeded", "TooManyBuckets", "RulesPerSecurityGroupLimitExceeded",
}
MISSING_CODES = {
    "NoSuchBucket", "NoSuchKey", "404", "NotFound", "NoSuchEntity", "InvalidKeyPair.NotFound",
    "InvalidSubnetID.NotFound", "InvalidGroup.NotFound",
}
USAGE_CODES = {
    "ValidationException", "InvalidRequestException", "ValidationError", "InvalidParameterValue",
    "InvalidBucketName", "MalformedXML", "InvalidKey.Format",
}
_CODES: tuple[tuple[set[str], type[LofnAwsError], str | None], ...] = (
    (CREDENTIAL_CODES, CredentialsError, _LOGIN),
    (DENIED_CODES, CredentialsError, "aws sts get-caller-identity"),
    (THROTTLED_CODES, CapacityError, _SLOWER),
    (QUOTA_CODES, CapacityError, None),
    ({"InsufficientInstanceCapacity"}, CapacityError,
     "lofn-aws config  (set another subnet or instance type)"),
    (MISSING_CODES, NotFoundError, "lofn-aws list"),
    (USAGE_CODES, UsageError, "lofn-aws config"),
)
_CHAIN: tuple[tuple[type[Exception], type[LofnAwsError], str | None], ...] = (
    (boto.ProfileNotFound, CredentialsError, "aws configure list-profiles"),
    (boto.NoCredentialsError, CredentialsError, _LOGIN),
    (boto.PartialCredentialsError, CredentialsError, _LOGIN),
    (boto.CredentialRetrievalError, CredentialsError, _LOGIN),
    (boto.SSOError, CredentialsError, "aws sso login"),
    (boto.TokenRetrievalError, CredentialsError, "aws sso login"),
    (boto.NoRegionError, UsageError, "lofn-aws --region REGION …"),
    (boto.ParamValidationError, UsageError, "lofn-aws config"),
    (boto.ConnectionError, EndpointUnreachable, None),
    (boto.HTTPClientError, EndpointUnreachable, None),
    (boto.BotoCoreError, InfrastructureError, _AGAIN),
)


def error_code(error: ClientError) -> str:
    """Return the code of an answer's error, such as ``ValidationException``."""
    return str(error.response.get("Error", {}).get("Code", ""))


def from_client_error(error: ClientError, doing: str) -> LofnAwsError:
    """Return our error for a refusal by AWS, met while ``doing`` something."""
    code = error_code(error)
    said = str(error.response.get("Error", {}).get("Message") or code)
    sentence = f"{doing} failed: {said.rstrip('.')} ({code})"
    if "is not valid" in said and "luster id" in said:
        return NotFoundError(sentence, "lofn-aws list")
    for codes, ours, next_command in _CODES:
        if code in codes:
            return ours(sentence, next_command)
    return InfrastructureError(sentence, _AGAIN)


def as_ours(error: Exception, doing: str) -> LofnAwsError | None:
    """Return our error for one of boto3's, met while ``doing`` something; None for others."""
    if isinstance(error, ClientError):
        return from_client_error(error, doing)
    if isinstance(error, Boto3Error):  # a transfer's own errors hide the answer in their text
        cause = error.__context__
        if isinstance(cause, ClientError):
            return from_client_error(cause, doing)
        return InfrastructureError(f"{doing} failed: {' '.join(str(error).split())}", _AGAIN)
    for kind, ours, next_command in _CHAIN:
        if isinstance(error, kind):
            said = " ".join(str(error).split()).rstrip(".")
            return ours(f"{doing} failed: {said}", next_command)
    return None


@contextmanager
def translate(doing: str) -> Iterator[None]:
    """Turn what boto3 raises inside into our errors; ``doing`` says what was being done.

    Write ``doing`` as a gerund: ``translate("uploading a.txt")``.
    """
    try:
        yield
    except (ClientError, Boto3Error, boto.BotoCoreError) as error:
        raise (as_ours(error, doing) or error) from error
