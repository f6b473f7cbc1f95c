"""Recorded outputs of real Spark 3.5.6 steps that failed, and why."""

from pathlib import Path

import pytest

from lofn_aws.facts.step_output import container_failure, step_failure, telling_lines
from lofn_aws.facts.tracebacks import tracebacks
from lofn_aws.model.failure import StepFailure

GOLDEN = Path(__file__).parents[2] / "golden" / "spark"


def recorded(name: str) -> StepFailure:
    stdout, stderr = ((GOLDEN / f"{name}.{kind}.txt").read_text() for kind in ("out", "err"))
    return step_failure(stdout, stderr)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (
            "driver",
            "FileNotFoundError: [Errno 2] No such file or directory: '/no/such/settings.ini' "
            "(fail_driver.py, line 6, in settings)",
        ),
        (
            "executor",
            "ValueError: cannot halve 7: it is odd (fail_executor.py, line 6, in half)",
        ),
        (
            "container",
            "the command ended with exit code 3 (image localhost:5000/tools/gsnap:1, "
            "node ip-10-0-0-5.ec2.internal)",
        ),
        ("syntax", "SyntaxError: '(' was never closed (fail_syntax.py, line 2)"),
        (
            "java",
            "org.apache.hadoop.fs.UnsupportedFileSystemException: No FileSystem for scheme "
            '"hdfs-like-but-not" (fail_java.py, line 4, in <module>)',
        ),
        ("exit", "no reads were given"),
    ],
)
def test_reason_is_one_sentence(name: str, reason: str) -> None:
    assert recorded(name).reason == reason


def test_driver_and_executor_are_told_apart() -> None:
    failure = recorded("executor")
    assert failure.driver is not None and failure.executor is not None
    assert str(failure.driver.place) == "fail_executor.py, line 11, in <module>"
    assert failure.driver.place and failure.driver.place.code.startswith("print(sc.parallelize")
    assert str(failure.executor.place) == "fail_executor.py, line 6, in half"
    assert failure.node == "ip-10-0-0-5.ec2.internal"


def test_a_failure_of_the_driver_names_no_executor() -> None:
    failure = recorded("driver")
    assert failure.executor is None and failure.container is None and failure.node == ""
    assert [frame.line for frame in failure.driver.frames] == [15, 12, 6]  # type: ignore[union-attr]
    assert failure.lines[0] == "counted 10"


def test_container_report() -> None:
    container = recorded("container").container
    assert container is not None
    assert (container.exit_code, container.partition, container.stage) == (3, 4, 1)
    assert container.command.startswith("gsnap -d lambda")
    assert 'index "lambda" is missing' in container.stderr


def test_quoted_tracebacks_are_no_tracebacks() -> None:
    found = tracebacks((GOLDEN / "container.out.txt").read_text())
    assert [str(each.place) for each in found] == [
        "fail_container.py, line 24, in <module>",
        "fail_container.py, line 7, in run",
        "fail_container.py, line 7, in run",  # once more as the cause
    ]


@pytest.mark.parametrize("text", ["lofn-failure:{not json", 'lofn-failure:{"reason": "x"}', ""])
def test_a_damaged_report_is_none(text: str) -> None:
    assert container_failure(text) is None


def test_sparks_usual_lines_are_left_out() -> None:
    assert telling_lines((GOLDEN / "driver.err.txt").read_text()) == ()
    assert telling_lines("a\n26/11/21 08:01:40 INFO X: y\nb\n\tat org.x\n") == ("a", "b")


def test_the_engines_own_word() -> None:
    said = "lofn: --volume 'x' must be SOURCE:BIND\n"
    assert step_failure(said, "").reason == "--volume 'x' must be SOURCE:BIND"


def test_nothing_at_all() -> None:
    assert step_failure("", "") == StepFailure("it gave no reason")


def test_java_before_python() -> None:
    stderr = 'Exception in thread "main" org.apache.spark.SparkException: no YARN\n\tat x.Y\n'
    assert step_failure("", stderr).reason == "org.apache.spark.SparkException: no YARN"
