"""What EMR refuses is refused, and what it takes is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lofn_aws.sandbox import validation
from lofn_aws.sandbox.faults import Fault
from lofn_aws.sandbox.validation import Surroundings
from tests.lofn_aws.sandbox.emr_world import bootstrap, request, step

Change = Callable[[dict[str, Any]], Any]


def _check(**changes: Any) -> None:
    around = changes.pop("around", Surroundings())
    validation.check_cluster_request(request(**changes), around)


def _groups(*roles: str, count: int = 1) -> dict[str, Any]:
    groups = [
        {"InstanceRole": role, "InstanceType": "m5.xlarge", "InstanceCount": count}
        for role in roles
    ]
    return {"InstanceGroups": groups}


def test_an_ordinary_request_is_taken() -> None:
    _check(
        BootstrapActions=[bootstrap("s3://b/k")] * 16,
        Steps=[step("true")] * 256,
        AutoTerminationPolicy={"IdleTimeout": 60},
        instances=_groups("MASTER", "CORE", "TASK", "TASK"),
    )


@pytest.mark.parametrize(
    ("changes", "code", "part"),
    [
        ({"ReleaseLabel": "emr-9.9.9"}, "ValidationException", "emr-9.9.9"),
        ({"ReleaseLabel": None}, "ValidationException", "ReleaseLabel"),
        ({"ServiceRole": None}, "ValidationException", "ServiceRole is required"),
        ({"JobFlowRole": None}, "ValidationException", "InstanceProfile is required"),
        ({"around": Surroundings(service_role=False)}, "ValidationException", "EMR_DefaultRole"),
        (
            {"around": Surroundings(instance_profile=False)},
            "ValidationException",
            "Invalid InstanceProfile: EMR_EC2_DefaultRole",
        ),
        (
            {"around": Surroundings(missing_subnets=("subnet-1",))},
            "ValidationException",
            "subnet-1",
        ),
        ({"around": Surroundings(missing_groups=("sg-1",))}, "ValidationException", "sg-1"),
        (
            {"around": Surroundings(key_pair=False), "instances": {"Ec2KeyName": "mine"}},
            "ValidationException",
            "mine",
        ),
        (
            {"around": Surroundings(missing_instance_types=("m5.huge",))},
            "ValidationException",
            "m5.huge",
        ),
        ({"BootstrapActions": [bootstrap("s3://b/k")] * 17}, "ValidationException", "at most 16"),
        ({"BootstrapActions": [bootstrap("script.sh")]}, "ValidationException", "script.sh"),
        ({"instances": _groups("CORE")}, "ValidationException", "exactly one MASTER"),
        ({"instances": _groups("MASTER", "MASTER")}, "ValidationException", "2 were given"),
        ({"instances": _groups("MASTER", "CORE", "CORE")}, "ValidationException", "one CORE"),
        ({"instances": _groups("MASTER", "TASK")}, "ValidationException", "need a CORE"),
        ({"instances": _groups("MASTER", count=0)}, "ValidationException", "at least 1"),
        ({"instances": _groups("MASTER", count=3)}, "InvalidRequestException", "one primary"),
        ({"instances": {"InstanceFleets": [{}]}}, "InvalidRequestException", "fleets"),
        ({"SecurityConfiguration": "x"}, "InvalidRequestException", "SecurityConfiguration"),
        ({"Applications": [{"Name": "Hive"}]}, "ValidationException", "Hive"),
        ({"LogUri": "/tmp/logs"}, "ValidationException", "/tmp/logs"),
        ({"Tags": [{"Key": ""}]}, "ValidationException", "1 to 128"),
        ({"Tags": [{"Key": "k", "Value": "v" * 257}]}, "ValidationException", "at most 256"),
        ({"StepConcurrencyLevel": 257}, "ValidationException", "257"),
        ({"StepConcurrencyLevel": 0}, "ValidationException", "between 1 and 256"),
        (
            {"StepConcurrencyLevel": 2, "Steps": [step("true", action="CANCEL_AND_WAIT")]},
            "ValidationException",
            "CANCEL_AND_WAIT",
        ),
        ({"Steps": [step("true")] * 257}, "ValidationException", "Maximum number of active steps"),
        ({"AutoTerminationPolicy": {"IdleTimeout": 59}}, "ValidationException", "59"),
        ({"AutoTerminationPolicy": {"IdleTimeout": 604_801}}, "ValidationException", "604801"),
    ],
)
def test_refusals(changes: dict[str, Any], code: str, part: str) -> None:
    with pytest.raises(Fault) as caught:
        _check(**changes)
    assert caught.value.code == code
    assert part in caught.value.message


def test_the_strings_of_a_step_may_have_10240_characters_in_all() -> None:
    jar_step = step("x" * 10_000)
    room = 10_240 - validation.step_characters(jar_step["HadoopJarStep"])
    jar_step["HadoopJarStep"]["Properties"] = [{"Key": "k", "Value": "v" * (room - 1)}]
    validation.check_steps([jar_step], active=0, concurrency=1)
    jar_step["HadoopJarStep"]["MainClass"] = "M"
    with pytest.raises(Fault, match="10241 characters"):
        validation.check_steps([jar_step], active=0, concurrency=1)


def test_the_257th_active_step() -> None:
    validation.check_steps([step("true")], active=255, concurrency=1)
    with pytest.raises(Fault, match="256 are active"):
        validation.check_steps([step("true")], active=256, concurrency=1)


def test_groups_that_cannot_be_added() -> None:
    (task,) = _groups("TASK")["InstanceGroups"]
    (core,) = _groups("CORE")["InstanceGroups"]
    validation.check_new_groups([task, task], has_core=True)
    validation.check_new_groups([core], has_core=False)
    for groups, has_core in (([core], True), (_groups("MASTER")["InstanceGroups"], False)):
        with pytest.raises(Fault, match="cannot be added"):
            validation.check_new_groups(groups, has_core=has_core)


def test_ending_protected_or_too_many_clusters() -> None:
    validation.check_termination(["j-1"] * 10, [])
    with pytest.raises(Fault, match="At most 10"):
        validation.check_termination(["j-1"] * 11, [])
    with pytest.raises(Fault, match="termination protected: j-2"):
        validation.check_termination(["j-1", "j-2"], ["j-2"])
