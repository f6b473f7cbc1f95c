"""The proof: a small Spark job in which every worker node uses Docker, engine and registry."""

import uuid
from collections.abc import Callable

from lofn_aws.adapters.aws_errors import translate
from lofn_aws.adapters.clock import wait_for
from lofn_aws.adapters.ssh import Gateway
from lofn_aws.errors import InfrastructureError
from lofn_aws.facts.node_answers import probe_report
from lofn_aws.model.cluster import Cluster
from lofn_aws.model.node import ProbeReport
from lofn_aws.model.spec import probe_key
from lofn_aws.model.step import ACTIVE_STEP_STATES, Step, StepSpec
from lofn_aws.model.step_name import name_of, title_of
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.nodes import lofn_node
from lofn_aws.workflows.steps import send
from lofn_aws.workflows.wanted import node_assets

STEP_NAME = "lofn probe"
PROBE_NAME = "lofn/probe"
PROBE_IMAGE = f"localhost:5000/{PROBE_NAME}"
# From when the step runs: before that it may wait behind other steps for as long as they take.
PROBE_SECONDS = 600.0
QUEUE_SECONDS = 3600.0
SAY_SECONDS = 15.0
PUSH_SECONDS = 660.0  # longer than lofn-node's own limit


def prove(ctx: Context, cluster: Cluster, gateway: Gateway, ips: tuple[str, ...]) -> None:
    """Run the probe on the nodes with these addresses, or wait for one that runs already.

    Raises InfrastructureError that names each node that is not in order and why.
    """
    running = ctx.emr.list_steps(cluster.id, ACTIVE_STEP_STATES)
    step_id = next((s.id for s in running if title_of(s.name) == STEP_NAME), None)
    if step_id is None:
        _push_probe_image(ctx, gateway)
        step_id = send(ctx, cluster, _step(ctx, cluster, ips))
    step = _wait(ctx, cluster, step_id)
    with translate("reading the probe's report"):
        report = probe_report(ctx.s3.get_bytes(ctx.bucket, probe_key(cluster.run_id)))
    if report is None or not set(ips) <= report.proven:
        raise InfrastructureError(_sentence(step, report, ips), f"lofn-aws step logs {step_id}")
    for record in report.records:
        ctx.reporter.note(
            f"  {record.ip}: Docker {record.docker_version} as {record.user}, "
            f"lofn {record.engine_version}, pulled {PROBE_IMAGE}"
        )


def _push_probe_image(ctx: Context, gateway: Gateway) -> None:
    """Put an image that the nodes have anyway into the registry, for the probe to pull."""
    command = lofn_node("publish", ctx.settings.registry_image, PROBE_NAME)
    gateway.run(None, command, timeout=PUSH_SECONDS)


def _step(ctx: Context, cluster: Cluster, ips: tuple[str, ...]) -> StepSpec:
    script = next(a for a in node_assets() if a.kind == "probe")
    with translate("uploading the probe"):
        if not ctx.s3.exists(ctx.bucket, script.key):
            ctx.s3.put_bytes(ctx.bucket, script.key, script.data)
    # An id of its own, and not the cluster's: a probe that ran before must not be taken for it.
    return StepSpec(name_of(STEP_NAME, uuid.uuid4().hex[:12]), (
        "spark-submit", "--deploy-mode", "client", f"s3://{ctx.bucket}/{script.key}",
        "--nodes", ",".join(ips), "--image", PROBE_IMAGE,
        "--output", f"s3://{ctx.bucket}/{probe_key(cluster.run_id)}",
    ))


def _wait(ctx: Context, cluster: Cluster, step_id: str) -> Step:
    """Wait until the step runs, then until it has ended; --timeout bounds both together."""
    end = ctx.clock.monotonic() + ctx.deadline(QUEUE_SECONDS)
    seen: list[Step] = []

    def when(is_so: Callable[[Step], bool]) -> Callable[[], Step | None]:
        def look() -> Step | None:
            seen[:] = [ctx.emr.describe_step(cluster.id, step_id)]
            return seen[0] if is_so(seen[0]) else None

        return look

    wait_for(
        ctx.clock, when(_Start(ctx, cluster)), interval=2,
        what=f"the start of the probe, step {step_id},", reason=lambda: _queue(ctx, cluster),
        deadline_seconds=ctx.deadline(QUEUE_SECONDS), next_command="lofn-aws up  (goes on waiting)",
    )
    left = PROBE_SECONDS if ctx.timeout is None else max(0.0, end - ctx.clock.monotonic())
    return wait_for(
        ctx.clock, when(lambda step: step.is_ended), interval=2,
        what=f"the end of the probe, step {step_id},", reason=lambda: f"it is {seen[0].state}",
        deadline_seconds=min(PROBE_SECONDS, left), next_command="lofn-aws up  (goes on waiting)",
    )


class _Start:
    """Whether the step has begun; says once what it waits behind when it has not for a while."""

    def __init__(self, ctx: Context, cluster: Cluster) -> None:
        self._ctx, self._cluster = ctx, cluster
        self._said_at = ctx.clock.monotonic() + SAY_SECONDS

    def __call__(self, step: Step) -> bool:
        if step.state != "PENDING":
            return True
        if self._ctx.clock.monotonic() >= self._said_at:
            self._said_at = float("inf")
            self._ctx.reporter.note(
                f"  the probe, step {step.id}, waits: {_queue(self._ctx, self._cluster)}")
        return False


def _queue(ctx: Context, cluster: Cluster) -> str:
    """Say which steps the probe waits behind."""
    running = ctx.emr.list_steps(cluster.id, ["RUNNING"])
    named = ", ".join(f"{step.id} ({title_of(step.name)})" for step in running)
    return f"it is PENDING behind the running step {named}" if named else "it is PENDING"


def _sentence(step: Step, report: ProbeReport | None, ips: tuple[str, ...]) -> str:
    if report is None:
        why = step.failure_message or step.failure_reason or step.reason or "no report"
        return f"the probe, step {step.id}, ended as {step.state}: {why}"
    problems = [f"{r.ip}: {r.problem}" for r in report.records if r.problem]
    problems += [f"{ip}: no executor reported" for ip in ips if ip in report.missing]
    problems += [f"{ip}: not asked" for ip in ips
                 if ip not in report.missing and ip not in {r.ip for r in report.records}]
    return f"the probe found nodes that are not in order: {'; '.join(problems)}"
