"""Adding, listing, describing and cancelling steps."""

from __future__ import annotations

from typing import Any

from lofn_aws.sandbox import validation, views
from lofn_aws.sandbox.faults import invalid
from lofn_aws.sandbox.faults import validation as refused
from lofn_aws.sandbox.operations.context import Context
from lofn_aws.sandbox.operations.paging import page
from lofn_aws.sandbox.state import Cluster, Status, Step, new_id

MAX_STEP_IDS = 10


class StepOperations:
    """AddJobFlowSteps, ListSteps, DescribeStep, CancelSteps."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def AddJobFlowSteps(
        self, JobFlowId: str, Steps: list[dict[str, Any]], ExecutionRoleArn: str | None = None
    ) -> dict[str, Any]:
        """Put steps at the end of the queue and answer their ids."""
        cluster = self._context.job_flow(JobFlowId)
        if ExecutionRoleArn:
            raise refused("Runtime roles are not supported on this cluster.")
        with self._context.store.changing():
            self._context.modifiable(cluster)
            active = len(cluster.active_steps())
            validation.check_steps(Steps, active=active, concurrency=cluster.concurrency)
            added = [new_step(config) for config in Steps]
            cluster.steps += added
        return {"StepIds": [step.id for step in added]}

    def ListSteps(
        self,
        ClusterId: str,
        StepStates: list[str] | None = None,
        StepIds: list[str] | None = None,
        Marker: str | None = None,
    ) -> dict[str, Any]:
        """List steps, newest first, or in the order of the ids asked for."""
        cluster = self._context.described(ClusterId)
        if StepIds and len(StepIds) > MAX_STEP_IDS:
            raise invalid(f"At most {MAX_STEP_IDS} StepIds can be given.")
        with self._context.store.locked():
            if StepIds:
                steps = [self._step(cluster, step_id) for step_id in StepIds]
            else:
                steps = cluster.steps[::-1]
            found = [s for s in steps if not StepStates or s.status.state in StepStates]
            chosen, marker = page(found, Marker)
            return {"Steps": [views.step(step) for step in chosen], "Marker": marker}

    def DescribeStep(self, ClusterId: str, StepId: str) -> dict[str, Any]:
        """Describe one step."""
        cluster = self._context.described(ClusterId)
        with self._context.store.locked():
            return {"Step": views.step(self._step(cluster, StepId))}

    def CancelSteps(
        self,
        ClusterId: str,
        StepIds: list[str],
        StepCancellationOption: str = "SEND_INTERRUPT",
    ) -> dict[str, Any]:
        """Cancel pending steps and ask running ones to end; the answer tells of each step."""
        cluster = self._context.described(ClusterId)
        if len(StepIds) > validation.MAX_ACTIVE_STEPS:
            raise invalid(f"At most {validation.MAX_ACTIVE_STEPS} steps can be cancelled at once.")
        with self._context.store.changing():
            answers = [self._cancel(cluster, s, StepCancellationOption) for s in StepIds]
        return {"CancelStepsInfoList": answers}

    def _cancel(self, cluster: Cluster, step_id: str, option: str) -> dict[str, Any]:
        step = next((s for s in cluster.steps if s.id == step_id), None)
        if step is None:
            reason = "The step does not exist in this cluster."
        elif step not in cluster.active_steps():
            reason = f"The step is {step.status.state} and cannot be cancelled."
        else:
            self._context.steps.cancel(cluster, step, option)
            return {"StepId": step_id, "Status": "SUBMITTED"}
        return {"StepId": step_id, "Status": "FAILED", "Reason": reason}

    @staticmethod
    def _step(cluster: Cluster, step_id: str) -> Step:
        found = next((s for s in cluster.steps if s.id == step_id), None)
        if found is None:
            raise invalid(f"Step id '{step_id}' is not valid.")
        return found


def new_step(config: dict[str, Any]) -> Step:
    """Return the record of a StepConfig; EMR's default for ActionOnFailure is CONTINUE."""
    jar_step = config["HadoopJarStep"]
    return Step(
        id=new_id("s-"),
        name=config["Name"],
        jar=jar_step["Jar"],
        main_class=jar_step.get("MainClass"),
        args=list(jar_step.get("Args", [])),
        properties={p["Key"]: p.get("Value", "") for p in jar_step.get("Properties", [])},
        action_on_failure=config.get("ActionOnFailure", "CONTINUE"),
        status=Status("PENDING"),
    )
