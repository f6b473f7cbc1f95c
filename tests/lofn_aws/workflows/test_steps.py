"""Steps: sent once, waited for through outages, and ended with the right error."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from lofn_aws.errors import (
    CapacityError,
    InfrastructureError,
    LofnAwsError,
    NotFoundError,
    StepCancelled,
    StepFailed,
    UsageError,
    WaitTimeout,
)
from lofn_aws.model.cluster import Cluster
from lofn_aws.model.step import Step, StepSpec
from lofn_aws.workflows import steps as workflow
from lofn_aws.workflows import submit as submit_workflow
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.submit import Submission

GOLDEN = Path(__file__).parents[2] / "golden" / "spark"
# Not ready: its logs are read from S3 alone.
CLUSTER = Cluster("j-1", "lofn", "TERMINATING", log_uri="s3://kept-logs/emr/")
SPEC = StepSpec("job.py [run 00000001]", ("spark-submit",))


class FakeEmr:
    """EMR with a script of answers: each look at a step takes the next one."""

    def __init__(self, looks: Sequence[Step | Exception] = ()) -> None:
        self.looks = list(looks)
        self.sent: list[StepSpec] = []
        self.send_errors: list[Exception] = []
        self.arrives_anyway = False
        self.cluster_state = "RUNNING"

    def add_steps(self, cluster_id: str, steps: Sequence[StepSpec]) -> list[str]:
        error = self.send_errors.pop(0) if self.send_errors else None
        if error is None or self.arrives_anyway:
            self.sent += steps
        if error is not None:
            raise error
        return [f"s-{len(self.sent)}"]

    def list_steps(self, cluster_id: str) -> list[Step]:
        return [Step(f"s-{n}", spec.name, "PENDING") for n, spec in enumerate(self.sent, 1)]

    def describe_step(self, cluster_id: str, step_id: str) -> Step:
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(look, Exception):
            raise look
        return look

    def cluster(self, cluster_id: str) -> Cluster:
        return Cluster(cluster_id, "lofn", self.cluster_state)


@pytest.fixture
def with_emr(ctx: Context) -> Callable[..., FakeEmr]:
    def make(*looks: Step | Exception) -> FakeEmr:
        fake = FakeEmr(looks)
        ctx.__dict__["emr"] = fake
        return fake

    return make


def step(state: str, **more: str) -> Step:
    return Step("s-1", SPEC.name, state, **more)  # type: ignore[arg-type]


def store(ctx: Context, stream: str, text: str) -> None:
    ctx.s3.ensure_bucket("kept-logs", "us-east-1")
    ctx.s3.put_bytes("kept-logs", f"emr/j-1/steps/s-1/{stream}.gz", gzip.compress(text.encode()))


def test_a_lost_answer_does_not_send_the_step_twice(
    ctx: Context, with_emr: Callable[..., FakeEmr]
) -> None:
    emr = with_emr()
    emr.send_errors, emr.arrives_anyway = [InfrastructureError("no answer")], True
    assert workflow.send(ctx, CLUSTER, SPEC) == "s-1"
    assert emr.sent == [SPEC]


@pytest.mark.parametrize("error", [InfrastructureError("no answer"), CapacityError("Throttling")])
def test_a_request_that_did_not_arrive_is_sent_again(
    ctx: Context, with_emr: Callable[..., FakeEmr], error: LofnAwsError
) -> None:
    emr = with_emr()
    emr.send_errors = [error]
    assert workflow.send(ctx, CLUSTER, SPEC) == "s-1"
    assert emr.sent == [SPEC]


def test_sending_gives_up_in_the_end(ctx: Context, with_emr: Callable[..., FakeEmr]) -> None:
    emr = with_emr()
    emr.send_errors = [CapacityError("Throttling")] * 9
    with pytest.raises(CapacityError):
        workflow.send(ctx, CLUSTER, SPEC)
    assert len(emr.send_errors) == 6


def test_a_refusal_is_not_sent_again(ctx: Context, with_emr: Callable[..., FakeEmr]) -> None:
    emr = with_emr()
    emr.send_errors = [UsageError("ValidationException")] * 2
    with pytest.raises(UsageError):
        workflow.send(ctx, CLUSTER, SPEC)
    assert len(emr.send_errors) == 1


def test_stdout_is_what_comes_back(ctx: Context, with_emr: Callable[..., FakeEmr]) -> None:
    with_emr(step("PENDING"), step("RUNNING"), step("COMPLETED"))
    store(ctx, "stdout", "TOTAL 7\n")
    assert workflow.follow(ctx, CLUSTER, "s-1", "job.py") == "TOTAL 7\n"


def test_failure_has_reason_place_and_traceback(
    ctx: Context, with_emr: Callable[..., FakeEmr]
) -> None:
    with_emr(step("FAILED"))
    for stream, kind in (("stdout", "out"), ("stderr", "err")):
        store(ctx, stream, (GOLDEN / f"container.{kind}.txt").read_text())
    with pytest.raises(StepFailed) as caught:
        workflow.follow(ctx, CLUSTER, "s-1", "job.py")
    told = caught.value.message
    for part in (
        "the step s-1 (job.py) failed: the command ended with exit code 3",
        "image:   localhost:5000/tools/gsnap:1 (sha256:0adf",
        "node ip-10-0-0-5.ec2.internal, stage 1, partition 4, attempt 0, exit code 3",
        'index "lambda" is missing',
        "fail_container.py, line 24, in <module>",
    ):
        assert part in told
    assert caught.value.exit_code == 10


def test_failure_without_logs_has_emrs_words(
    ctx: Context, with_emr: Callable[..., FakeEmr]
) -> None:
    with_emr(step("FAILED", failure_message="Exit code 137"))
    ctx.s3.ensure_bucket("kept-logs", "us-east-1")
    with pytest.raises(StepFailed, match="Exit code 137"):
        workflow.follow(ctx, CLUSTER, "s-1", "job.py")


@pytest.mark.parametrize("state", ["CANCELLED", "INTERRUPTED"])
def test_cancelled_has_its_own_exit_code(
    ctx: Context, with_emr: Callable[..., FakeEmr], state: str
) -> None:
    with_emr(step(state, reason="Cancelled by user"))
    with pytest.raises(StepCancelled, match=f"{state}: Cancelled by user") as caught:
        workflow.follow(ctx, CLUSTER, "s-1", "job.py")
    assert caught.value.exit_code == 11


def test_deadline(ctx: Context, with_emr: Callable[..., FakeEmr]) -> None:
    with_emr(step("RUNNING"))
    ctx.timeout = 30
    with pytest.raises(WaitTimeout, match="is RUNNING after 30 s") as caught:
        workflow.follow(ctx, CLUSTER, "s-1", "job.py")
    assert ctx.clock.monotonic() == pytest.approx(30, abs=1)
    assert caught.value.next_command == "lofn-aws step wait s-1"


def test_a_short_outage_is_waited_through(ctx: Context, with_emr: Callable[..., FakeEmr]) -> None:
    gone = InfrastructureError("no route")
    with_emr(step("RUNNING"), *[gone] * 8, step("RUNNING"), *[gone] * 8, step("COMPLETED"))
    store(ctx, "stdout", "done")
    assert workflow.follow(ctx, CLUSTER, "s-1", "job.py") == "done"


def test_a_long_outage_is_told(ctx: Context, with_emr: Callable[..., FakeEmr]) -> None:
    with_emr(step("RUNNING"), InfrastructureError("no route"))
    with pytest.raises(InfrastructureError, match="no route"):
        workflow.follow(ctx, CLUSTER, "s-1", "job.py")
    assert 120 < ctx.clock.monotonic() < 180


def test_a_cluster_that_ended_ends_the_wait(ctx: Context, with_emr: Callable[..., FakeEmr]) -> None:
    with_emr(step("RUNNING")).cluster_state = "TERMINATED"
    with pytest.raises(InfrastructureError, match="cluster j-1 ended while the step s-1 was RUNN"):
        workflow.follow(ctx, CLUSTER, "s-1", "job.py")


# --- submit ---


@pytest.fixture
def ready(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.setattr(submit_workflow, "ready_cluster", lambda _: CLUSTER)
    ctx.s3.ensure_bucket(ctx.bucket, "us-east-1")
    return ctx


def test_submit_sends_files_once_and_names_them(
    ready: Context, with_emr: Callable[..., FakeEmr], tmp_path: Path
) -> None:
    emr = with_emr()
    (tmp_path / "job.py").write_text("print(1)")
    (tmp_path / "helper.py").write_text("x = 1")
    asked = Submission(
        str(tmp_path / "job.py"), ("--n", "3"), py_files=(str(tmp_path / "helper.py"),)
    )
    for _ in range(2):
        submit_workflow.submit(ready, asked, wait=False)
    keys = [item.key for item in ready.s3.list(ready.bucket, "steps/")]
    assert sorted(key.split("/")[2] for key in keys) == ["helper.py", "job.py"]
    first, second = emr.sent
    assert first.args == second.args and first.args[-2:] == ("--n", "3")
    assert first.args[3:5] == (
        "--py-files",
        f"s3://{ready.bucket}/{next(k for k in keys if 'helper' in k)}",
    )
    assert first.name != second.name and first.name.startswith("job.py [run ")


def test_generic_step_runs_the_engines_script(
    ready: Context, with_emr: Callable[..., FakeEmr]
) -> None:
    emr = with_emr()
    sent = submit_workflow.submit_engine(
        ready, "tools:1", ("map", "--image=tools:1"), ("spark.executor.memory=1g",), wait=False
    )
    assert sent == submit_workflow.Submitted("s-1", "map tools:1")
    words = emr.sent[0].args
    assert words[:5] == (
        "spark-submit",
        "--deploy-mode",
        "client",
        "--conf",
        "spark.executor.memory=1g",
    )
    assert words[5].endswith("/lofn_step.py") and words[6:] == ("map", "--image=tools:1")


@pytest.mark.parametrize(
    ("script", "args", "kind", "said"),
    [
        ("jib.py", (), NotFoundError, r"no file .*/jib\.py; there is job\.py"),
        ("job.sh", (), UsageError, "is not a Python script"),
        ("job.py", ("x" * 10_241,), UsageError, "10,240"),
    ],
)
def test_what_is_refused_is_refused_before_anything_is_sent(
    ready: Context, with_emr: Callable[..., FakeEmr], tmp_path: Path,
    script: str, args: tuple[str, ...], kind: type[LofnAwsError], said: str,
) -> None:  # fmt: skip
    emr = with_emr()
    (tmp_path / "job.py").write_text("")
    with pytest.raises(kind, match=said):
        submit_workflow.submit(ready, Submission(str(tmp_path / script), args), wait=True)
    assert emr.sent == [] and not list(ready.s3.list(ready.bucket))
