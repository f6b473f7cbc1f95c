"""The one table that turns errors of boto3 into errors of the toolkit."""

from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import Boto3Error
from botocore import exceptions as boto
from botocore.exceptions import ClientError

from lofn_aws.errors import (
    CapacityError,
    CredentialsError,
    InfrastructureError,
    LofnAwsError,
    NotFoundError,
    UsageError,
)

_LOGIN = "aws configure  (or: aws sso login)"

CREDENTIAL_CODES = {
    "ExpiredToken", "ExpiredTokenException", "RequestExpired", "UnrecognizedClientException",
    "InvalidClientTokenId", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AuthFailure",
    "InvalidSignatureException", "MissingAuthenticationToken",
}
DENIED_CODES = {
    "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedException",
    "AllAccessDisabled", "403",
}
CAPACITY_CODES = {
    "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException",
    "SlowDown", "ServiceQuotaExceededException", "LimitExceededException",
    "InstanceLimitExceeded", "VcpuLimitExceeded", "InsufficientInstanceCapacity",
    "TooManyBuckets", "RulesPerSecurityGroupLimitExceeded",
}
MISSING_CODES = {
    "NoSuchBucket", "NoSuchKey", "404", "NotFound", "NoSuchEntity", "InvalidKeyPair.NotFound",
    "InvalidSubnetID.NotFound", "InvalidGroup.NotFound",
}
USAGE_CODES = {
    "ValidationException", "InvalidRequestException", "ValidationError", "InvalidParameterValue",
    "InvalidBucketName", "MalformedXML", "InvalidKey.Format",
}
_CHAIN: tuple[tuple[type[Exception], type[LofnAwsError], str | None], ...] = (
    (boto.ProfileNotFound, CredentialsError, "aws configure list-profiles"),
    (boto.NoCredentialsError, CredentialsError, _LOGIN),
    (boto.PartialCredentialsError, CredentialsError, _LOGIN),
    (boto.CredentialRetrievalError, CredentialsError, _LOGIN),
    (boto.SSOError, CredentialsError, "aws sso login"),
    (boto.TokenRetrievalError, CredentialsError, "aws sso login"),
    (boto.NoRegionError, UsageError, "lofn-aws --region REGION …"),
    (boto.ParamValidationError, UsageError, "lofn-aws config"),
    (boto.EndpointConnectionError, InfrastructureError, "lofn-aws config"),
    (boto.HTTPClientError, InfrastructureError, "lofn-aws config"),
    (boto.BotoCoreError, InfrastructureError, None),
)


def error_code(error: ClientError) -> str:
    """Return the code of an answer's error, such as ``ValidationException``."""
    return str(error.response.get("Error", {}).get("Code", ""))


def from_client_error(error: ClientError, doing: str) -> LofnAwsError:
    """Return our error for a refusal by AWS, met while ``doing`` something."""
    code = error_code(error)
    said = str(error.response.get("Error", {}).get("Message") or code)
    sentence = f"{doing} failed: {said.rstrip('.')} ({code})"
    if code in CREDENTIAL_CODES:
        return CredentialsError(sentence, _LOGIN)
    if code in DENIED_CODES:
        return CredentialsError(sentence, "aws sts get-caller-identity")
    if code in CAPACITY_CODES:
        return CapacityError(sentence)
    if code in MISSING_CODES or ("is not valid" in said and "luster id" in said):
        return NotFoundError(sentence, "lofn-aws list")
    if code in USAGE_CODES:
        return UsageError(sentence, "lofn-aws config")
    return InfrastructureError(sentence)


def as_ours(error: Exception, doing: str) -> LofnAwsError | None:
    """Return our error for one of boto3's, met while ``doing`` something; None for others."""
    if isinstance(error, ClientError):
        return from_client_error(error, doing)
    if isinstance(error, Boto3Error):  # a transfer's own errors hide the answer in their text
        cause = error.__context__
        if isinstance(cause, ClientError):
            return from_client_error(cause, doing)
        return InfrastructureError(f"{doing} failed: {' '.join(str(error).split())}")
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
