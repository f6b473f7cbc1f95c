from __future__ import annotations

import pytest

from lofn.docker_handler import DockerFailure
from lofn.errors import ContainerFailed, Failure, ImageMissing, exit_reason, from_traceback

FAILURE = Failure(
    reason="the command ended with exit code 3",
    image="tool:1",
    digest="sha256:abc",
    command='tool\n{"x": 1}',
    node="ip-10-0-0-1",
    exit_code=3,
    stage=1,
    partition=2,
    attempt=0,
    stderr="lofn.errors.ImageMissing: not this one\n\tat java.lang.Thread(\nlast",
    listing=("input.txt (3 bytes)",),
)


def spark_text(error: Exception) -> str:
    kind = f"{type(error).__module__}.{type(error).__name__}"
    return (
        "An error occurred while calling o1.collect.\n: org.apache.spark.SparkException: Job "
        "aborted: org.apache.spark.api.python.PythonException: Traceback (most recent call last):\n"
        f'  File "worker.py", line 1, in main\n    process()\n{kind}: {error}\n\n'
        "\tat org.apache.spark.api.python.BasePythonRunner$ReaderIterator.x(PythonRunner.scala:1)\n"
    )


def test_a_container_failure_survives_sparks_text():
    got = from_traceback(spark_text(ContainerFailed(FAILURE, on_executor=True)))
    assert isinstance(got, ContainerFailed)
    assert isinstance(got, DockerFailure)
    assert got.failure == FAILURE


def test_the_story_has_every_part():
    text = str(ContainerFailed(FAILURE))
    for part in (
        "exit code 3",
        "tool:1",
        "sha256:abc",
        "ip-10-0-0-1",
        "stage 1",
        "partition 2",
        "attempt 0",
        "last",
        "input.txt",
    ):
        assert part in text
    assert "lofn-failure:" not in text


def test_other_kinds_survive_too():
    got = from_traceback(spark_text(ImageMissing("image 'x' is not here")))
    assert isinstance(got, ImageMissing)
    assert str(got) == "image 'x' is not here"


def test_other_failures_are_left_alone():
    assert from_traceback("java.lang.OutOfMemoryError: heap\n\tat x") is None


@pytest.mark.parametrize(
    ("code", "memory", "said"),
    [
        (3, False, "exit code 3"),
        (139, False, "SIGSEGV"),
        (137, True, "out of memory"),
        (127, False, "not found"),
        (255, False, "exit code 255"),
    ],
)
def test_ends_in_words(code, memory, said):
    assert said in exit_reason(code, out_of_memory=memory)
