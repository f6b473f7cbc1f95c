"""Exit codes of clusters that ended before they were ready."""

import pytest

from lofn_aws.facts.cluster_failure import failure_error
from lofn_aws.model.cluster import Cluster, ErrorDetail

VCPU = ("The request to create the EMR cluster or add EC2 instances to it failed. The number of "
        "vCPUs for instance type m5.xlarge exceeds the EC2 service quota for that type.")
LIMIT = "The requested number of instances exceeds your EC2 instance limit."
ROLE = "Service role arn:aws:iam::1:role/EMR_DefaultRole has insufficient EC2 permissions"
DENIED = "You are not authorized to perform this operation on the subnet."


@pytest.mark.parametrize(("reason_code", "reason", "detail", "exit_code"), [
    ("INTERNAL_ERROR", "", "INTERNAL_ERROR_EC2_INSUFFICIENT_CAPACITY_AZ", 5),
    ("INTERNAL_ERROR", "", "INTERNAL_ERROR_SPOT_NO_CAPACITY_PRIMARY", 5),
    ("INTERNAL_ERROR", "", "INTERNAL_ERROR_SPOT_PRICE_INCREASE_PRIMARY", 5),
    ("VALIDATION_ERROR", VCPU, "", 5),
    ("VALIDATION_ERROR", LIMIT, "", 5),
    ("INTERNAL_ERROR", "EC2 has insufficient capacity for m5.xlarge", "", 5),
    ("INSTANCE_FAILURE", "There is not enough Spot capacity in us-east-1a", "", 5),
    ("VALIDATION_ERROR", ROLE, "", 4),
    ("VALIDATION_ERROR", DENIED, "VALIDATION_ERROR_SUBNET_NOT_FROM_ONE_VPC", 4),
    ("VALIDATION_ERROR", "The key does not exist", "VALIDATION_ERROR_INVALID_SSH_KEY_NAME", 2),
    ("", "", "VALIDATION_ERROR_INSTANCE_TYPE_NOT_SUPPORTED", 2),
    ("VALIDATION_ERROR", "Subnets are of two VPCs", "VALIDATION_ERROR_SUBNET_NOT_FROM_ONE_VPC", 2),
    ("VALIDATION_ERROR", "Invalid instance profile", "", 2),
    ("INTERNAL_ERROR", "Failed to provision", "", 1),
    ("BOOTSTRAP_FAILURE", "action 1 failed", "BOOTSTRAP_FAILURE_PRIMARY_WITH_NON_ZERO_CODE", 1),
    ("BOOTSTRAP_FAILURE", "permission denied, no capacity, quota", "", 1),
    ("USER_REQUEST", "Terminated by user request", "", 1),
    ("", "", "", 1),
])
def test_exit_codes(reason_code: str, reason: str, detail: str, exit_code: int) -> None:
    errors = (ErrorDetail(detail, "It failed."),) if detail else ()
    cluster = Cluster("j-1", "lofn", "TERMINATED_WITH_ERRORS", reason_code=reason_code,
                      reason=reason, errors=errors)
    error = failure_error(cluster, "it ended")
    assert (error.exit_code, error.message) == (exit_code, "it ended")


def test_the_words_may_be_in_the_details_alone() -> None:
    cluster = Cluster("j-1", "lofn", "TERMINATED_WITH_ERRORS", reason_code="VALIDATION_ERROR",
                      errors=(ErrorDetail("VALIDATION_ERROR", VCPU),))
    error = failure_error(cluster, "it ended")
    assert error.next_command == "aws service-quotas list-service-quotas --service-code ec2"
