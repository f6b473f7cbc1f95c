"""What a step executes, and what its stderr says of a failure."""

from __future__ import annotations

import pytest

from lofn_aws.sandbox.operations.steps import new_step
from lofn_aws.sandbox.step_command import BadStep, environment, execution, failure_message
from tests.lofn_aws.sandbox.emr_world import step

SCRIPT_RUNNER = "s3://eu-west-1.elasticmapreduce/libs/script-runner/script-runner.jar"


@pytest.mark.parametrize("jar", ["command-runner.jar", "/var/lib/aws/emr/command-runner.jar"])
def test_command_runner_executes_its_arguments(jar: str) -> None:
    found = execution(new_step(step("spark-submit", "a b", jar=jar)), "/work")
    assert found.argv == ("spark-submit", "a b")
    assert found.downloads == {}


def test_script_runner_fetches_a_script() -> None:
    found = execution(new_step(step("s3://b/x/go.sh", "1", jar=SCRIPT_RUNNER)), "/work")
    assert found.argv == ("/work/go.sh", "1")
    assert found.downloads == {"/work/go.sh": "s3://b/x/go.sh"}
    local = execution(new_step(step("/home/hadoop/go.sh", jar=SCRIPT_RUNNER)), "/work")
    assert (local.argv, local.downloads) == (("/home/hadoop/go.sh",), {})


def test_any_other_jar_is_hadoops() -> None:
    config = step("in", "out", jar="s3://b/x.jar")
    config["HadoopJarStep"]["MainClass"] = "org.Main"
    config["HadoopJarStep"]["Properties"] = [{"Key": "k", "Value": "v"}]
    record = new_step(config)
    found = execution(record, "/work")
    assert found.argv == ("hadoop", "jar", "/work/x.jar", "org.Main", "in", "out")
    assert found.downloads == {"/work/x.jar": "s3://b/x.jar"}
    assert environment(record, "j-1")["HADOOP_CLIENT_OPTS"] == "-Dk=v"
    assert environment(record, "j-1")["EMR_STEP_ID"] == record.id


@pytest.mark.parametrize("jar", ["command-runner.jar", SCRIPT_RUNNER])
def test_a_runner_without_arguments(jar: str) -> None:
    with pytest.raises(BadStep, match="needs"):
        execution(new_step(step(jar=jar)), "/work")


@pytest.mark.parametrize(
    ("stderr", "message"),
    [
        ("", None),
        ("INFO all is well\nno error here\n", None),
        ("Traceback (most recent call last):\n  x\nValueError: bad\nINFO bye\n", "ValueError: bad"),
        (
            'Exception in thread "main" org.apache.spark.SparkException: exited\n\tat x\n',
            'Exception in thread "main" org.apache.spark.SparkException: exited',
        ),
        (
            "a.b.C: x\nCaused by: java.io.IOException: disk\n",
            "Caused by: java.io.IOException: disk",
        ),
    ],
)
def test_the_line_that_names_an_error(stderr: str, message: str | None) -> None:
    assert failure_message(stderr) == message
