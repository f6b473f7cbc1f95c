"""Steps: sending one so that it is never sent twice, its end, listing, logs and cancelling."""

from __future__ import annotations

from lofn_aws.errors import (
    CapacityError,
    InfrastructureError,
    NotFoundError,
    StepCancelled,
    StepFailed,
    UsageError,
)
from lofn_aws.facts.step_output import step_failure
from lofn_aws.model.cluster import Cluster
from lofn_aws.model.step import Step, StepCancel, StepSpec
from lofn_aws.model.step_name import title_of
from lofn_aws.report.failure import failure_text
from lofn_aws.workflows.attach import ready_cluster
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.locate import find_cluster
from lofn_aws.workflows.step_logs import StepLogs, step_log
from lofn_aws.workflows.wait_step import wait_step

_ATTEMPTS = 3
_PAUSE_SECONDS = 3.0


def send(ctx: Context, cluster: Cluster, spec: StepSpec) -> str:
    """Add a step and return its id.

    AddJobFlowSteps has no client token: after an answer that was lost, the step is looked up by
    the run id in its name before it is sent again.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return ctx.emr.add_steps(cluster.id, [spec])[0]
        except (InfrastructureError, CapacityError) as error:
            ctx.reporter.detail(f"adding the step: {error}")
            arrived = [step for step in ctx.emr.list_steps(cluster.id) if step.name == spec.name]
            if arrived:
                return arrived[0].id
            if attempt == _ATTEMPTS:
                raise
            ctx.clock.sleep(_PAUSE_SECONDS * attempt)
    raise AssertionError("unreachable")


def follow(ctx: Context, cluster: Cluster, step_id: str, title: str) -> str:
    """Wait for a step and return what it printed.

    Raises StepFailed with the reason and the traceback, StepCancelled, WaitTimeout.
    """
    with (
        StepLogs(ctx, cluster, step_id) as logs,
        ctx.reporter.phase(f"step {step_id} ({title})") as phase,
    ):
        step = wait_step(ctx, cluster, step_id, phase, logs.last_line)
        stdout = logs.read("stdout")
        if not step.succeeded:
            raise outcome_error(step, stdout, logs.read("stderr"))
    if stdout is None:
        ctx.reporter.warn("the step's stdout is not to be had yet")
    return stdout or ""


def outcome_error(step: Step, stdout: str | None, stderr: str | None) -> StepFailed | StepCancelled:
    """Return the error for a step that ended otherwise than well, with all that is known of it."""
    named = f"the step {step.id} ({title_of(step.name)})"
    if step.state != "FAILED":
        why = step.reason or "no reason given"
        return StepCancelled(f"{named} ended as {step.state}: {why}", "lofn-aws step list")
    if not stdout and not stderr:
        why = step.failure_message or step.failure_reason or step.reason or "its logs are not there"
        return StepFailed(f"{named} failed: {why}", f"lofn-aws step logs {step.id}")
    failure = step_failure(stdout or "", stderr or "")
    story = failure_text(failure)
    return StepFailed(
        f"{named} failed: {failure.reason}" + (f"\n{story}" if story else ""),
        f"lofn-aws step logs {step.id} --stream stderr",
    )


def all_steps(ctx: Context) -> list[Step]:
    """Return the steps of the cluster, newest first."""
    return ctx.emr.list_steps(find_cluster(ctx).id)


def wait(ctx: Context, step_id: str) -> str:
    """Wait for a step that was sent before, and return what it printed (see ``follow``)."""
    cluster = find_cluster(ctx)
    return follow(ctx, cluster, step_id, title_of(known_step(ctx, cluster, step_id).name))


def logs(ctx: Context, step_id: str, stream: str) -> str:
    """Return the end of one of a step's logs. Raises NotFoundError."""
    cluster = find_cluster(ctx)
    known_step(ctx, cluster, step_id)
    return step_log(ctx, cluster, step_id, stream)


def cancel(ctx: Context, step_ids: tuple[str, ...]) -> list[StepCancel]:
    """Ask EMR to cancel steps. Raises InfrastructureError that names those it refused."""
    cluster = ready_cluster(ctx)
    for step_id in step_ids:
        known_step(ctx, cluster, step_id)
    answers = ctx.emr.cancel_steps(cluster.id, step_ids)
    refused = [answer for answer in answers if answer.status == "FAILED"]
    if refused:
        told = "; ".join(f"{answer.id}: {answer.reason}" for answer in refused)
        raise InfrastructureError(f"not cancelled: {told}", "lofn-aws step list")
    return answers


def known_step(ctx: Context, cluster: Cluster, step_id: str) -> Step:
    """Return the step. Raises NotFoundError that names the cluster's latest steps."""
    try:
        return ctx.emr.describe_step(cluster.id, step_id)
    except (NotFoundError, UsageError):
        latest = ", ".join(step.id for step in ctx.emr.list_steps(cluster.id)[:3]) or "none yet"
        raise NotFoundError(
            f"the cluster {cluster.name} ({cluster.id}) has no step {step_id}; its latest are "
            f"{latest}",
            "lofn-aws step list",
        ) from None
