"""Answers of the EMR API → values of the model."""

from collections.abc import Mapping
from typing import Any

from lofn_aws.model.cluster import (
    Cluster,
    ClusterSummary,
    ErrorDetail,
    Instance,
    InstanceGroup,
    Role,
)
from lofn_aws.model.step import COMMAND_RUNNER, Step, StepCancel

# EMR's own words for the groups' roles → ours.
ROLES: dict[str, Role] = {"MASTER": "primary", "CORE": "core", "TASK": "task"}

Answer = Mapping[str, Any]


def cluster_summary(answer: Answer) -> ClusterSummary:
    """Parse one entry of ListClusters."""
    status = answer.get("Status", {})
    return ClusterSummary(
        id=answer["Id"],
        name=answer.get("Name", ""),
        state=status.get("State", ""),
        created=status.get("Timeline", {}).get("CreationDateTime"),
    )


def cluster(answer: Answer) -> Cluster:
    """Parse the ``Cluster`` of DescribeCluster."""
    status = answer.get("Status", {})
    times = status.get("Timeline", {})
    reason = status.get("StateChangeReason", {})
    ec2 = answer.get("Ec2InstanceAttributes", {})
    return Cluster(
        id=answer["Id"],
        name=answer.get("Name", ""),
        state=status.get("State", ""),
        reason_code=reason.get("Code", ""),
        reason=reason.get("Message", ""),
        errors=tuple(_error_detail(e) for e in status.get("ErrorDetails", ())),
        created=times.get("CreationDateTime"),
        ready=times.get("ReadyDateTime"),
        ended=times.get("EndDateTime"),
        release_label=answer.get("ReleaseLabel", ""),
        primary_address=answer.get("MasterPublicDnsName", ""),
        log_uri=answer.get("LogUri", ""),
        tags={t["Key"]: t.get("Value", "") for t in answer.get("Tags", ())},
        key_name=ec2.get("Ec2KeyName", ""),
        subnet=ec2.get("Ec2SubnetId", ""),
        primary_security_group=ec2.get("EmrManagedMasterSecurityGroup", ""),
        termination_protected=bool(answer.get("TerminationProtected", False)),
    )


def _error_detail(answer: Answer) -> ErrorDetail:
    data: dict[str, str] = {}
    for pairs in answer.get("ErrorData", ()):
        data.update({str(k): str(v) for k, v in pairs.items()})
    return ErrorDetail(answer.get("ErrorCode", ""), answer.get("ErrorMessage", ""), data)


def instance_group(answer: Answer) -> InstanceGroup:
    """Parse one entry of ListInstanceGroups."""
    return InstanceGroup(
        id=answer["Id"],
        role=ROLES[answer.get("InstanceGroupType", "TASK")],
        instance_type=answer.get("InstanceType", ""),
        requested=int(answer.get("RequestedInstanceCount", 0)),
        running=int(answer.get("RunningInstanceCount", 0)),
        state=answer.get("Status", {}).get("State", ""),
    )


def instance(answer: Answer, roles: Mapping[str, Role]) -> Instance:
    """Parse one entry of ListInstances; ``roles`` maps a group's id to its role."""
    status = answer.get("Status", {})
    return Instance(
        id=answer.get("Id", ""),
        ec2_id=answer.get("Ec2InstanceId", ""),
        role=roles.get(answer.get("InstanceGroupId", ""), "task"),
        state=status.get("State", ""),
        instance_type=answer.get("InstanceType", ""),
        private_ip=answer.get("PrivateIpAddress", ""),
        private_host=answer.get("PrivateDnsName", ""),
        address=answer.get("PublicDnsName") or answer.get("PublicIpAddress", ""),
        reason=status.get("StateChangeReason", {}).get("Message", ""),
    )


def step(answer: Answer) -> Step:
    """Parse one entry of ListSteps, or the ``Step`` of DescribeStep."""
    status = answer.get("Status", {})
    times = status.get("Timeline", {})
    failure = status.get("FailureDetails", {})
    config = answer.get("Config", {})
    return Step(
        id=answer["Id"],
        name=answer.get("Name", ""),
        state=status.get("State", ""),
        args=tuple(config.get("Args", ())),
        jar=config.get("Jar", COMMAND_RUNNER),
        action_on_failure=answer.get("ActionOnFailure", ""),
        created=times.get("CreationDateTime"),
        started=times.get("StartDateTime"),
        ended=times.get("EndDateTime"),
        reason=status.get("StateChangeReason", {}).get("Message", ""),
        failure_reason=failure.get("Reason", ""),
        failure_message=failure.get("Message", ""),
        failure_log=failure.get("LogFile", ""),
    )


def step_cancel(answer: Answer) -> StepCancel:
    """Parse one entry of CancelSteps."""
    return StepCancel(answer.get("StepId", ""), answer.get("Status", ""), answer.get("Reason", ""))
