"""The RunJobFlow request: the golden file, and what settings change in it."""

import json
import os
from pathlib import Path

import botocore.session
import pytest
from botocore.validate import ParamValidator

from lofn_aws.plan.job_flow import applications, run_job_flow
from tests.lofn_aws.factory import spec

GOLDEN = Path(__file__).parents[2] / "golden" / "run_job_flow.default.json"


def test_the_default_request_is_the_golden_one() -> None:
    """Set UPDATE_GOLDEN=1 to write the file anew, then read its diff."""
    text = json.dumps(run_job_flow(spec()), indent=2) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


@pytest.mark.parametrize("flags", [
    {},
    {"core_count": 0},
    {"task_count": 3, "subnet": "subnet-1", "idle_timeout": 0, "termination_protected": True},
    {"release_label": "emr-spark-8.1.0", "step_concurrency": 10},
])
def test_the_request_fits_botocores_service_model(flags: dict[str, object]) -> None:
    model = botocore.session.get_session().get_service_model("emr")
    shape = model.operation_model("RunJobFlow").input_shape
    report = ParamValidator().validate(run_job_flow(spec(**flags)), shape)
    assert not report.has_errors(), report.generate_report()


def test_groups_without_nodes_are_left_out() -> None:
    groups = run_job_flow(spec(core_count=0))["Instances"]["InstanceGroups"]
    assert [g["InstanceRole"] for g in groups] == ["MASTER"]


def test_idle_timeout_zero_means_never() -> None:
    assert "AutoTerminationPolicy" not in run_job_flow(spec(idle_timeout=0))


def test_a_subnet_is_passed_on_only_when_it_is_set() -> None:
    assert "Ec2SubnetId" not in run_job_flow(spec())["Instances"]
    assert run_job_flow(spec(subnet="subnet-1"))["Instances"]["Ec2SubnetId"] == "subnet-1"


def test_spark_only_releases_do_not_list_hadoop() -> None:
    assert applications("emr-spark-8.1.0") == ["Spark"]
    assert applications("emr-7.13.0") == ["Hadoop", "Spark"]
