"""Which of our errors it is that a cluster ended before it was ready (pure)."""

import re

from lofn_aws.errors import (
    CapacityError,
    CredentialsError,
    InfrastructureError,
    LofnAwsError,
    UsageError,
)
from lofn_aws.model.cluster import Cluster

CAPACITY_CODES = frozenset({
    "INTERNAL_ERROR_EC2_INSUFFICIENT_CAPACITY_AZ",
    "INTERNAL_ERROR_SPOT_NO_CAPACITY_PRIMARY",
    "INTERNAL_ERROR_SPOT_PRICE_INCREASE_PRIMARY",
})
# Only these families are EMR's own judgement of the request: what a bootstrap action or a step
# said may have the same words in it and mean something else.
JUDGED = re.compile(r"(VALIDATION_ERROR|INTERNAL_ERROR|INSTANCE_FAILURE|INSTANCE_FLEET_TIMEOUT)")
QUOTA = re.compile(r"quota|\bvCPU|limit (was |is |has been )?exceeded|exceed\w* .*\blimit\b", re.I)
CAPACITY = re.compile(
    r"insufficient\w*\s+(\w+\s+)?capacity|(no|enough|sufficient|out of)\s+(\S+\s+){0,3}capacity",
    re.I,
)
DENIED = re.compile(r"not authori[sz]ed|unauthori[sz]ed|permission|access ?denied", re.I)

OTHER_NODES = "lofn-aws config  (set another subnet or instance type)"
ROLES = "lofn-aws config  (see service_role and instance_profile)"


def failure_error(cluster: Cluster, sentence: str) -> LofnAwsError:
    """Return the error, with its exit code and next command, for ``sentence``.

    Source of the codes: EMR Management Guide, "Error codes with ErrorDetail information"; the
    code of a cluster's StateChangeReason is the family that such a code begins with. The words
    of quotas and permissions are those of the guide's pages on these resource errors.
    """
    codes = [code for code in (*(e.code for e in cluster.errors), cluster.reason_code) if code]
    said = " ".join([cluster.reason, *(e.message for e in cluster.errors)])
    if CAPACITY_CODES.intersection(codes):
        return CapacityError(sentence, OTHER_NODES)
    if any(JUDGED.match(code) for code in codes):
        if QUOTA.search(said):
            return CapacityError(sentence)
        if CAPACITY.search(said):
            return CapacityError(sentence, OTHER_NODES)
        if DENIED.search(said):
            return CredentialsError(sentence, ROLES)
    if any(code.startswith("VALIDATION_ERROR") for code in codes):
        return UsageError(sentence, "lofn-aws config")
    return InfrastructureError(sentence, "lofn-aws up  (starts a new cluster)")
