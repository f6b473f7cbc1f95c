"""What EMR refuses, as pure functions: each takes values and raises a Fault or returns nothing.

Where no other source is named, a rule is from EMR's API reference (the texts that botocore's
model carries); messages follow what the service is known to answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lofn_aws.sandbox.faults import Fault, invalid, validation
from lofn_aws.sandbox.releases import RELEASES

MAX_BOOTSTRAP_ACTIONS = 16
MAX_STEP_CHARACTERS = 10_240
MAX_ACTIVE_STEPS = 256
MAX_CONCURRENT_STEPS = 256
MAX_TERMINATE_IDS = 10
MAX_TAGS = 50
IDLE_TIMEOUT_SECONDS = (60, 604_800)


@dataclass(frozen=True)
class Surroundings:
    """What the account has, of what a RunJobFlow request names.

    Attributes:
        service_role: the role exists in IAM.
        instance_profile: the instance profile exists in IAM.
        missing_subnets, missing_groups, missing_instance_types: names that EC2 does not know.
        key_pair: the key pair exists in EC2 (True when none is named).
    """

    service_role: bool = True
    instance_profile: bool = True
    key_pair: bool = True
    missing_subnets: tuple[str, ...] = ()
    missing_groups: tuple[str, ...] = ()
    missing_instance_types: tuple[str, ...] = ()


def check_cluster_request(request: Mapping[str, Any], around: Surroundings) -> None:
    """Refuse a RunJobFlow request that EMR would refuse, or that the sandbox cannot honour."""
    instances = request["Instances"]
    check_release(request.get("ReleaseLabel"))
    check_unsupported(request)
    check_applications(request["ReleaseLabel"], request.get("Applications", []))
    check_roles(request, around)
    check_network(instances, around)
    check_bootstrap_actions(request.get("BootstrapActions", []))
    check_groups(instances.get("InstanceGroups", []))
    check_instance_types(around.missing_instance_types)
    check_log_uri(request.get("LogUri"))
    check_tags(request.get("Tags", []))
    concurrency = request.get("StepConcurrencyLevel", 1)
    check_concurrency(concurrency)
    check_steps(request.get("Steps", []), active=0, concurrency=concurrency)
    if "AutoTerminationPolicy" in request:
        check_idle_timeout(request["AutoTerminationPolicy"])


def check_release(label: str | None) -> None:
    """Refuse a release label that the sandbox has no software of."""
    if not label:
        raise validation("Missing required parameter: ReleaseLabel is required.")
    if label not in RELEASES:
        raise validation(
            f"The supplied release label is invalid: {label}. "
            f"The sandbox has {', '.join(RELEASES)}."
        )


def check_unsupported(request: Mapping[str, Any]) -> None:
    """Refuse what the sandbox would otherwise ignore in silence."""
    refused = {
        "SecurityConfiguration": "security configurations",
        "KerberosAttributes": "Kerberos",
        "ManagedScalingPolicy": "managed scaling",
        "CustomAmiId": "custom AMIs",
        "AmiVersion": "AMI versions (name a release label)",
    }
    for member, what in refused.items():
        if request.get(member):
            raise invalid(f"The sandbox has no {what}: leave out {member}.")
    if request["Instances"].get("InstanceFleets"):
        raise invalid("The sandbox runs instance groups, not instance fleets.")


def check_applications(label: str, applications: Sequence[Mapping[str, Any]]) -> None:
    """Refuse an application that the release, as the sandbox has it, does not include."""
    known = RELEASES[label].applications
    by_lower_name = {name.lower() for name in known}
    for application in applications:
        name = application.get("Name", "")
        if name.lower() not in by_lower_name:
            raise validation(
                f"Specified application: {name} is invalid or not supported with release label "
                f"{label}. The sandbox has {', '.join(known)}."
            )


def check_roles(request: Mapping[str, Any], around: Surroundings) -> None:
    """Refuse a missing or unknown service role or instance profile."""
    if not request.get("JobFlowRole"):
        raise validation("InstanceProfile is required for creating cluster.")
    if not request.get("ServiceRole"):
        raise validation("ServiceRole is required for creating cluster.")
    if not around.instance_profile:
        raise validation(f"Invalid InstanceProfile: {request['JobFlowRole']}.")
    if not around.service_role:
        raise validation(f"EMR service role {request['ServiceRole']} is invalid.")


def check_network(instances: Mapping[str, Any], around: Surroundings) -> None:
    """Refuse unknown subnets, security groups and key pairs."""
    if around.missing_subnets:
        raise validation(f"The subnet ID '{around.missing_subnets[0]}' does not exist.")
    if around.missing_groups:
        raise validation(f"The security group '{around.missing_groups[0]}' does not exist.")
    if not around.key_pair:
        raise validation(
            f"The given SSH key name was invalid: '{instances['Ec2KeyName']}' does not exist."
        )


def check_instance_types(missing: Sequence[str]) -> None:
    """Refuse instance types that EC2 does not know."""
    if missing:
        raise validation(f"Instance type '{missing[0]}' is not supported.")


def check_bootstrap_actions(actions: Sequence[Mapping[str, Any]]) -> None:
    """Refuse more than 16 bootstrap actions, or one that is not a script in S3 or on the node."""
    if len(actions) > MAX_BOOTSTRAP_ACTIONS:
        raise validation(
            f"A cluster can have at most {MAX_BOOTSTRAP_ACTIONS} bootstrap actions, "
            f"but {len(actions)} were given."
        )
    for action in actions:
        path = action["ScriptBootstrapAction"]["Path"]
        if not re.match(r"^(s3[an]?://[^/]+/.+|file:/.+|/.+)$", path):
            raise validation(f"The bootstrap action path '{path}' is not a valid location.")


def check_groups(groups: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a missing or doubled primary or doubled core group, and impossible counts."""
    roles = [group["InstanceRole"] for group in groups]
    primaries = roles.count("MASTER")
    if primaries != 1:
        raise validation(
            f"A cluster needs exactly one MASTER instance group, but {primaries} were given."
        )
    if roles.count("CORE") > 1:
        raise validation("A cluster can have at most one CORE instance group.")
    if "TASK" in roles and "CORE" not in roles:
        raise validation("TASK instance groups need a CORE instance group.")
    for group in groups:
        check_group_count(group["InstanceRole"], group["InstanceCount"])
    if next(g["InstanceCount"] for g in groups if g["InstanceRole"] == "MASTER") != 1:
        raise invalid("The sandbox runs one primary node: MASTER InstanceCount must be 1.")


def check_group_count(role: str, count: int) -> None:
    """Refuse an instance count that a group of this role cannot have."""
    least = 0 if role == "TASK" else 1
    if count < least:
        raise validation(
            f"Instance count {count} of a {role} instance group must be at least {least}."
        )


def check_new_groups(groups: Sequence[Mapping[str, Any]], has_core: bool) -> None:
    """Refuse AddInstanceGroups for roles that a running cluster cannot get more of."""
    for group in groups:
        role = group["InstanceRole"]
        if role == "MASTER" or (role == "CORE" and has_core):
            raise validation(f"A {role} instance group cannot be added to a running cluster.")
        check_group_count(role, group["InstanceCount"])


def check_log_uri(log_uri: str | None) -> None:
    """Refuse a LogUri that is not in S3."""
    if log_uri and not re.match(r"^s3[an]?://[^/]+", log_uri):
        raise validation(f"The log URI '{log_uri}' is not a valid S3 location.")


def check_tags(tags: Sequence[Mapping[str, Any]]) -> None:
    """Refuse too many, empty or over-long tags (EC2's limits, which EMR applies)."""
    if len(tags) > MAX_TAGS:
        raise validation(f"A cluster can have at most {MAX_TAGS} tags, but {len(tags)} were given.")
    for tag in tags:
        key, value = tag.get("Key", ""), tag.get("Value", "")
        if not 1 <= len(key) <= 128:
            raise validation(f"The tag key '{key[:20]}' must have 1 to 128 characters.")
        if len(value) > 256:
            raise validation(f"The value of the tag '{key}' must have at most 256 characters.")


def check_concurrency(level: int) -> None:
    """Refuse a StepConcurrencyLevel outside 1 to 256."""
    if not 1 <= level <= MAX_CONCURRENT_STEPS:
        raise validation(
            f"StepConcurrencyLevel {level} must be between 1 and {MAX_CONCURRENT_STEPS}."
        )


def check_steps(steps: Sequence[Mapping[str, Any]], *, active: int, concurrency: int) -> None:
    """Refuse steps that are too many, too long or, where steps run in parallel, not CONTINUE."""
    if active + len(steps) > MAX_ACTIVE_STEPS:
        raise validation(
            "Maximum number of active steps(State = 'Running', 'Pending' or 'Cancel_Pending') "
            f"for cluster exceeded: {active} are active, {len(steps)} were added, "
            f"{MAX_ACTIVE_STEPS} are allowed."
        )
    for step in steps:
        length = step_characters(step["HadoopJarStep"])
        if length > MAX_STEP_CHARACTERS:
            raise validation(
                f"The string values of the step '{step['Name']}' have {length} characters in all, "
                f"more than the {MAX_STEP_CHARACTERS} allowed."
            )
        check_action_on_failure(step.get("ActionOnFailure", "CONTINUE"), concurrency)


def step_characters(jar_step: Mapping[str, Any]) -> int:
    """Return the total length of a HadoopJarStep's strings."""
    pairs = jar_step.get("Properties", [])
    words = [jar_step["Jar"], jar_step.get("MainClass", ""), *jar_step.get("Args", [])]
    words += [pair.get(side, "") for pair in pairs for side in ("Key", "Value")]
    return sum(map(len, words))


def check_action_on_failure(action: str, concurrency: int) -> None:
    """Refuse any action but CONTINUE where more than one step may run at once."""
    if concurrency > 1 and action != "CONTINUE":
        raise validation(
            f"ActionOnFailure {action} is not valid with StepConcurrencyLevel {concurrency}: "
            "only CONTINUE is."
        )


def check_idle_timeout(policy: Mapping[str, Any]) -> None:
    """Refuse an idle timeout outside 60 seconds to 7 days."""
    least, most = IDLE_TIMEOUT_SECONDS
    seconds = policy.get("IdleTimeout")
    if seconds is None or not least <= seconds <= most:
        raise validation(f"IdleTimeout {seconds} must be between {least} and {most} seconds.")


def check_termination(ids: Sequence[str], protected: Sequence[str]) -> None:
    """Refuse to terminate more than ten clusters at once, or any that is protected."""
    if len(ids) > MAX_TERMINATE_IDS:
        raise validation(f"At most {MAX_TERMINATE_IDS} clusters can be terminated in one request.")
    if protected:
        raise validation(
            "Could not shut down one or more job flows since they are termination protected: "
            + ", ".join(protected)
        )


def unknown_cluster(cluster_id: str) -> Fault:
    """Return what DescribeCluster and its generation answer for a cluster that is not there."""
    return invalid(f"Cluster id '{cluster_id}' is not valid.")


def unknown_job_flow() -> Fault:
    """Return what TerminateJobFlows and its generation answer for a cluster that is not there."""
    return validation("Specified job flow ID does not exist.")


def finished_job_flow() -> Fault:
    """Return the refusal to change a cluster that is ending or has ended."""
    return validation(
        "A job flow that is shutting down, terminated, or finished may not be modified."
    )
