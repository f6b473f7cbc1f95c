"""`step`, `submit` and `cp` on the command line: what reaches the workflow, and what is refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from lofn_aws.cli import steps as step_commands
from lofn_aws.cli import submit as submit_command
from lofn_aws.cli.main import run
from lofn_aws.workflows.submit import Submission, Submitted


class Reached(list[Any]):
    """What the workflow was called with."""


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> Reached:
    calls = Reached()
    reporter = SimpleNamespace(data=lambda text, obj: print(text))
    for module in (step_commands, submit_command):
        monkeypatch.setattr(module, "context", lambda: SimpleNamespace(reporter=reporter))

    def engine(ctx: Any, image: str, args: Any, conf: Any, *, wait: bool) -> Submitted:
        calls.append((image, args, conf, wait))
        return Submitted("s-1", "map", "printed\n" if wait else None)

    def script(ctx: Any, asked: Submission, *, wait: bool) -> Submitted:
        calls.append((asked, wait))
        return Submitted("s-1", "x", "printed\n")

    monkeypatch.setattr(step_commands, "submit_engine", engine)
    monkeypatch.setattr(submit_command, "submit_script", script)
    return calls


IN_OUT = ["--input", "hdfs:///in", "--output", "hdfs:///out"]


def test_map(reached: Reached, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["step", "map", "--image", "i:1", "--command", "a | b", *IN_OUT]
    argv += ["--volume", "hdfs:///r:/r", "--volume", "/x:/y", "--partitions", "4"]
    argv += ["--conf", "spark.a=1", "--container-timeout", "9"]
    assert run(argv) == 0
    assert reached == [
        (
            "i:1",
            ("map", "--image=i:1", "--input=hdfs:///in", "--output=hdfs:///out",
             "--volume=hdfs:///r:/r", "--volume=/x:/y", "--partitions=4", "--timeout=9",
             "--command=a | b"),
            ("spark.a=1",),
            True,
        )
    ]  # fmt: skip
    assert capsys.readouterr().out == "printed\n"


def test_reduce_with_exact_words(reached: Reached, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["step", "reduce", "--no-wait", "--image", "i", "--binary", "--fan-in", "8", *IN_OUT]
    assert run([*argv, "--", "sort", "-k", "2"]) == 0
    image, args, _, wait = reached[0]
    assert (image, wait) == ("i", False)
    assert args[-4:] == ("--", "sort", "-k", "2")
    assert {"--binary", "--fan-in=8"} <= set(args)
    assert capsys.readouterr().out == "s-1\n"


def test_submit(reached: Reached) -> None:
    argv = [
        "submit",
        "job.py",
        "--py-files",
        "a.py",
        "--py-files",
        "b.zip",
        "--",
        "--n",
        "two words",
    ]
    assert run(argv) == 0
    assert reached == [(Submission("job.py", ("--n", "two words"), ("a.py", "b.zip")), True)]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["step", "map", "--image", "x"], "lacks --input, --output, --command"),
        (["step", "map", *IN_OUT, "--command", "x"], "--image"),
        (["step", "map", "--image", "x", *IN_OUT, "--command", "x", "--volum", "y"], "--volum"),
        (["step", "reduce", "--image", "x", *IN_OUT, "--command", "x", "--fan-in", "1"], "fan-in"),
        (["step", "logs", "s-1", "--stream", "stdin"], "stdin"),
        (["submit"], "SCRIPT"),
        (["cp", "a", "b"], "both on this machine"),
        (["cp", "a", "gs://x/y"], "gs://"),
        (["push", "UPPER:1"], "small letters"),
    ],
)
def test_refused_with_one_sentence(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    assert run(argv) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert said in told.err and told.err.startswith("error: ") and "Traceback" not in told.err
