"""boto3's errors → ours, with the right exit code."""

import pytest
from boto3.exceptions import S3UploadFailedError
from botocore import exceptions as boto
from botocore.exceptions import ClientError

from lofn_aws.adapters.aws_errors import as_ours, translate
from lofn_aws.errors import LofnAwsError


def refusal(code: str, message: str = "No.") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


@pytest.mark.parametrize(("error", "exit_code"), [
    (refusal("ValidationException"), 2),
    (refusal("InvalidRequestException", "Cluster id 'j-1' is not valid."), 3),
    (refusal("NoSuchBucket"), 3),
    (refusal("ExpiredTokenException"), 4),
    (refusal("UnrecognizedClientException"), 4),
    (refusal("AccessDeniedException"), 4),
    (refusal("ThrottlingException"), 5),
    (refusal("InternalServerException"), 1),
    (boto.NoCredentialsError(), 4),
    (boto.ProfileNotFound(profile="x"), 4),
    (boto.TokenRetrievalError(provider="sso", error_msg="expired"), 4),
    (boto.UnauthorizedSSOTokenError(), 4),
    (boto.NoRegionError(), 2),
    (boto.EndpointConnectionError(endpoint_url="https://x"), 1),
    (boto.ReadTimeoutError(endpoint_url="https://x"), 1),
    (S3UploadFailedError("Failed"), 1),
])
def test_exit_codes(error: Exception, exit_code: int) -> None:
    with pytest.raises(LofnAwsError) as caught, translate("looking"):
        raise error
    assert caught.value.exit_code == exit_code
    assert caught.value.message.startswith("looking failed: ")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(("error", "command"), [
    (refusal("ThrottlingException"), "lofn-aws status  (in a minute"),
    (refusal("VcpuLimitExceeded"), "aws service-quotas list-service-quotas --service-code ec2"),
    (refusal("InternalServerException"), "lofn-aws status  (AWS's side"),
    (refusal("AccessDenied"), "aws sts get-caller-identity"),
    (boto.EndpointConnectionError(endpoint_url="https://x"), "lofn-aws config"),
    (boto.IncompleteReadError(actual_bytes=1, expected_bytes=2), "lofn-aws status  (AWS's side"),
    (S3UploadFailedError("Failed"), "lofn-aws status  (AWS's side"),
])
def test_next_commands(error: Exception, command: str) -> None:
    ours = as_ours(error, "looking")
    assert ours is not None
    assert ours.next_command.startswith(command)


def test_the_code_is_named_beside_the_message() -> None:
    ours = as_ours(refusal("ValidationException", "Bad."), "asking")
    assert str(ours) == "asking failed: Bad (ValidationException)"


def test_a_failed_upload_tells_what_aws_said() -> None:
    try:
        try:
            raise refusal("AccessDenied", "Not you.")
        except ClientError:
            raise S3UploadFailedError("Failed to upload")  # noqa: B904 - as boto3 does
    except S3UploadFailedError as error:
        ours = as_ours(error, "uploading")
    assert ours is not None
    assert (ours.exit_code, "Not you" in ours.message) == (4, True)


def test_other_errors_are_left_alone() -> None:
    assert as_ours(ValueError("x"), "asking") is None
    with pytest.raises(ValueError, match="x"), translate("asking"):
        raise ValueError("x")
