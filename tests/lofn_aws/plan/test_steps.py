"""Arguments, names and keys of steps."""

import pytest

from lofn_aws.errors import UsageError
from lofn_aws.model.step_name import NAME_LIMIT, title_of
from lofn_aws.plan.engine_step import engine_arguments
from lofn_aws.plan.step_logs import log_object, read_command
from lofn_aws.plan.steps import (
    ARGUMENT_LIMIT,
    SparkScript,
    check_size,
    conf_pairs,
    script_key,
    spark_submit,
    step_spec,
)


def test_spark_submit_runs_the_driver_in_the_step_itself() -> None:
    words = spark_submit(
        SparkScript(
            "s3://b/steps/1/job.py",
            args=("--n", "two words"),
            py_files=("s3://b/a.py", "s3://b/c.zip"),
            files=("s3://b/d.txt",),
            conf={"spark.executor.memory": "2g"},
        )
    )
    assert words == (
        "spark-submit", "--deploy-mode", "client", "--conf", "spark.executor.memory=2g",
        "--py-files", "s3://b/a.py,s3://b/c.zip", "--files", "s3://b/d.txt",
        "s3://b/steps/1/job.py", "--n", "two words",
    )  # fmt: skip


def test_the_name_carries_the_run_id_and_fits() -> None:
    spec = step_spec("map tools", "0a1b2c3d", ("x",))
    assert spec.name == "map tools [run 0a1b2c3d]"
    assert title_of(spec.name) == "map tools"
    assert title_of("somebody else's step") == "somebody else's step"
    long = step_spec("n" * 500, "0a1b2c3d", ())
    assert len(long.name) == NAME_LIMIT and long.name.endswith("[run 0a1b2c3d]")
    assert spec.jar == "command-runner.jar" and spec.action_on_failure == "CONTINUE"


def test_arguments_up_to_emrs_limit_are_taken() -> None:
    check_size(("a" * (ARGUMENT_LIMIT - 3), "bbb"))


def test_longer_arguments_are_refused_with_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"10,241 characters.*10,240.*file") as caught:
        check_size(("a" * (ARGUMENT_LIMIT - 3), "bbbb"))
    assert caught.value.next_command == "lofn-aws cp FILE hdfs:///FILE"


def test_script_key_follows_the_content() -> None:
    one, two = script_key("/x/job.py", b"1"), script_key("job.py", b"2")
    assert one.startswith("steps/") and one.endswith("/job.py")
    assert one != two and len(one.split("/")[1]) == 16


def test_conf_pairs() -> None:
    assert conf_pairs(["spark.a=1", "spark.b=x=y"]) == {"spark.a": "1", "spark.b": "x=y"}
    for wrong in ("spark.a", "executor.memory=2g", "=1"):
        with pytest.raises(UsageError, match=r"spark\.NAME=VALUE"):
            conf_pairs([wrong])


def test_engine_arguments_keep_every_value_apart() -> None:
    options = {
        "image": "i", "input": "a", "output": "b", "volume": ("hdfs:///r:/r", "/x:/y"),
        "partitions": 4, "delimiter": "-x", "binary": True, "reuse": False, "network": None,
        "docker_option": (),
    }  # fmt: skip
    assert engine_arguments("map", options, "tr a b < /shared/input.txt", ()) == (
        "map", "--image=i", "--input=a", "--output=b", "--volume=hdfs:///r:/r", "--volume=/x:/y",
        "--partitions=4", "--delimiter=-x", "--binary", "--command=tr a b < /shared/input.txt",
    )  # fmt: skip


def test_engine_arguments_with_an_exact_command() -> None:
    given = engine_arguments("reduce", {"input": "a", "output": "b"}, None, ("sort", "--x", "-"))
    assert given == ("reduce", "--input=a", "--output=b", "--", "sort", "--x", "-")


@pytest.mark.parametrize(
    ("options", "command", "exact", "said"),
    [
        ({}, None, (), "lacks --input, --output, --command"),
        ({"input": "a"}, "x", (), "lacks --output$"),
        ({"input": "a", "output": "b"}, "x", ("y",), "given twice"),
    ],
)
def test_engine_arguments_refused(
    options: dict[str, object], command: str | None, exact: tuple[str, ...], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        engine_arguments("map", options, command, exact)


def test_where_logs_are() -> None:
    place = log_object("s3n://bucket/logs/", "j-1", "s-2", "stderr")
    assert str(place) == "s3://bucket/logs/j-1/steps/s-2/stderr.gz"
    assert log_object("", "j-1", "s-2", "stderr") is None
    assert "/mnt/var/log/hadoop/steps/s-2/stdout" in read_command("s-2", "stdout")
