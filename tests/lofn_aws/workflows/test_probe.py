"""The probe's step: sent once, waited for behind others, and found again by its name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace

import pytest

from lofn_aws.errors import InfrastructureError, WaitTimeout
from lofn_aws.model.cluster import TAG_CLUSTER, TAG_RUN_ID, Cluster
from lofn_aws.model.node import ProbeRecord
from lofn_aws.model.spec import probe_key
from lofn_aws.model.step import Step, StepSpec
from lofn_aws.model.step_name import name_of
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.probe import PROBE_SECONDS, STEP_NAME, prove
from tests.lofn_aws.workflows.conftest import Heard
from tests.lofn_aws.workflows.fakes import FakeGateway

IP = "10.0.0.5"
CLUSTER = Cluster("j-1", "lofn", "WAITING", tags={TAG_CLUSTER: "lofn", TAG_RUN_ID: "r1"})
LONG = Step("s-long", name_of("a day of work", "r9"), "RUNNING")


class Emr:
    """One step that goes through states as time passes, behind others; answers may be lost."""

    def __init__(self, ctx: Context, states: Sequence[tuple[float, str]], lost: int = 0) -> None:
        self._ctx, self._states, self.lost = ctx, states, lost
        self.steps: list[Step] = []
        self.sent: list[StepSpec] = []

    def add_steps(self, _: str, specs: Sequence[StepSpec]) -> list[str]:
        self.sent += specs
        self.steps.insert(0, Step(f"s-{len(self.sent)}", specs[0].name, "PENDING"))
        if self.lost:
            self.lost -= 1
            raise InfrastructureError("the connection was closed")
        return [self.steps[0].id]

    def list_steps(self, _: str, states: Sequence[str] = ()) -> list[Step]:
        return [s for s in [*self.steps, LONG] if not states or s.state in states]

    def describe_step(self, _: str, step_id: str) -> Step:
        now = self._ctx.clock.monotonic()
        state = [name for since, name in self._states if since <= now][-1]
        return replace(next(s for s in self.steps if s.id == step_id), state=state)


@pytest.fixture
def ready(ctx: Context) -> Context:
    ctx.s3.ensure_bucket(ctx.bucket, "us-east-1")
    record = ProbeRecord(IP, "h", "yarn", "20.10", "0.1.0", True, "")
    report = json.dumps({"ok": True, "nodes": [asdict(record)], "missing": []})
    ctx.s3.put_bytes(ctx.bucket, probe_key("r1"), report.encode())
    return ctx


def run(ctx: Context, emr: Emr) -> None:
    vars(ctx)["emr"] = emr
    prove(ctx, CLUSTER, FakeGateway(), (IP,))  # type: ignore[arg-type]


def test_a_probe_may_wait_for_longer_than_it_may_run(ready: Context) -> None:
    emr = Emr(ready, [(0, "PENDING"), (3 * PROBE_SECONDS, "RUNNING"),
                      (3 * PROBE_SECONDS + 60, "COMPLETED")])
    run(ready, emr)
    assert len(emr.sent) == 1
    assert isinstance(ready.reporter, Heard)
    assert ready.reporter.words.count("behind the running step s-long (a day of work)") == 1


def test_a_probe_that_runs_for_too_long_is_given_up(ready: Context) -> None:
    with pytest.raises(WaitTimeout, match=r"end of the probe.*within 600 s \(it is RUNNING"):
        run(ready, Emr(ready, [(0, "PENDING"), (1000, "RUNNING")]))


@pytest.mark.parametrize("states", [[(0, "PENDING")], [(0, "PENDING"), (50, "RUNNING")]])
def test_the_timeout_bounds_waiting_and_running_together(
    ready: Context, states: list[tuple[float, str]]
) -> None:
    ready.timeout = 90
    with pytest.raises(WaitTimeout):
        run(ready, Emr(ready, states))
    assert 90 <= ready.clock.monotonic() < 93


def test_the_step_that_is_in_the_way_is_named(ready: Context) -> None:
    with pytest.raises(WaitTimeout, match=r"behind the running step s-long \(a day of work\)"):
        run(ready, Emr(ready, [(0, "PENDING")]))


def test_a_lost_answer_does_not_send_the_probe_twice(ready: Context) -> None:
    emr = Emr(ready, [(0, "RUNNING"), (60, "COMPLETED")], lost=1)
    run(ready, emr)
    assert len(emr.sent) == 1


def test_a_probe_that_ended_is_not_taken_for_the_one_that_was_lost(ready: Context) -> None:
    emr = Emr(ready, [(0, "RUNNING"), (60, "COMPLETED")])
    run(ready, emr)
    emr.lost = 1
    emr.steps[0] = replace(emr.steps[0], state="COMPLETED")
    run(ready, emr)
    assert len({spec.name for spec in emr.sent}) == 2


def test_a_probe_that_runs_already_is_waited_for(ready: Context) -> None:
    emr = Emr(ready, [(0, "COMPLETED")])
    emr.steps.append(Step("s-0", name_of(STEP_NAME, "r7"), "RUNNING"))
    run(ready, emr)
    assert emr.sent == []
