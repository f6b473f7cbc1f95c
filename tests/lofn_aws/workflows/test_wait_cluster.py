"""Waiting for a cluster: states with their times, and the reason when it ends."""

import gzip
from collections.abc import Callable

import pytest

from lofn_aws.errors import InfrastructureError, UsageError, WaitTimeout
from lofn_aws.model.cluster import Cluster, ErrorDetail
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.wait_cluster import wait_until_gone, wait_until_ready
from tests.lofn_aws.workflows.conftest import Heard

LOG = "s3://logs-bucket/logs/"
Show = Callable[[list[Cluster]], None]


def seen(state: str, **changes: object) -> Cluster:
    return Cluster("j-1", "lofn", state, log_uri=LOG, **changes)  # type: ignore[arg-type]


@pytest.fixture
def show(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> Show:
    """Make EMR answer with one cluster after the other, the last again and again."""

    def set_up(answers: list[Cluster]) -> None:
        left = list(answers)
        monkeypatch.setattr(ctx.emr, "cluster",
                            lambda _: left.pop(0) if len(left) > 1 else left[0])

    return set_up


def heard(ctx: Context) -> str:
    assert isinstance(ctx.reporter, Heard)
    return ctx.reporter.words


def test_states_are_said_once_with_their_time(ctx: Context, show: Show) -> None:
    show([seen("STARTING"), seen("STARTING"), seen("BOOTSTRAPPING"), seen("WAITING")])
    assert wait_until_ready(ctx, seen("STARTING")).state == "WAITING"
    words = heard(ctx)
    assert words.count("is ready: STARTING") == 1
    assert "  STARTING: " in words
    assert "  BOOTSTRAPPING: " in words


def test_the_deadline_says_the_state_and_how_to_go_on(ctx: Context, show: Show) -> None:
    show([seen("STARTING", reason="Provisioning Amazon EC2 capacity")])
    ctx.timeout = 60
    with pytest.raises(WaitTimeout, match="STARTING Provisioning Amazon EC2 capacity") as caught:
        wait_until_ready(ctx, seen("STARTING"))
    assert "lofn-aws up" in (caught.value.next_command or "")


def test_a_failed_bootstrap_action_is_quoted(ctx: Context, show: Show) -> None:
    ctx.s3.ensure_bucket("logs-bucket", "us-east-1")
    for instance, text in (("i-aaa", b"fine\n"), ("i-bbb", b"pulling\n\nno space left\n")):
        key = f"logs/j-1/node/{instance}/bootstrap-actions/1/stderr.gz"
        ctx.s3.put_bytes("logs-bucket", key, gzip.compress(text))
    detail = ErrorDetail("BOOTSTRAP_FAILURE_FILE", "The action failed.", {"instance-id": "i-bbb"})
    show([seen("BOOTSTRAPPING"),
          seen("TERMINATING", reason_code="BOOTSTRAP_FAILURE", errors=(detail,),
               reason="On the master instance, bootstrap action 1 returned 1")])
    with pytest.raises(InfrastructureError) as caught:
        wait_until_ready(ctx, seen("STARTING"))
    assert "BOOTSTRAP_FAILURE: On the master instance" in caught.value.message
    assert "The action failed" in caught.value.message
    assert caught.value.message.endswith("its last words: no space left")
    assert "    pulling\n    no space left" in heard(ctx)


def test_a_log_that_never_comes_is_said_so(ctx: Context, show: Show) -> None:
    ctx.s3.ensure_bucket("logs-bucket", "us-east-1")
    show([seen("TERMINATED_WITH_ERRORS", reason_code="BOOTSTRAP_FAILURE", reason="it failed")])
    with pytest.raises(InfrastructureError, match="it failed"):
        wait_until_ready(ctx, seen("STARTING"))
    assert "has not written the bootstrap action's log" in heard(ctx)


def test_other_failures_look_for_no_log(ctx: Context, show: Show) -> None:
    show([seen("TERMINATED_WITH_ERRORS", reason_code="VALIDATION_ERROR", reason="an odd subnet")])
    with pytest.raises(UsageError, match="VALIDATION_ERROR: an odd subnet"):
        wait_until_ready(ctx, seen("STARTING"))
    assert "bootstrap" not in heard(ctx)


@pytest.mark.parametrize("state", ["TERMINATED", "TERMINATED_WITH_ERRORS"])
def test_both_ends_are_an_end(ctx: Context, show: Show, state: str) -> None:
    show([seen("TERMINATING"), seen(state)])
    wait_until_gone(ctx, seen("WAITING"))
    assert "✓ wait until lofn (j-1) has ended" in heard(ctx)
