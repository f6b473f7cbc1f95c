"""EMR: clusters, their nodes and their steps."""

from collections.abc import Sequence
from typing import Any

from lofn_aws.adapters.aws_errors import translate
from lofn_aws.adapters.session import Aws
from lofn_aws.facts import emr_answers as facts
from lofn_aws.model.cluster import Cluster, ClusterSummary, Instance, InstanceGroup
from lofn_aws.model.step import Step, StepCancel, StepSpec

# Source: EMR API reference; TerminateJobFlows takes 10 ids, DescribeStep one.
TERMINATE_AT_ONCE = 10


class EmrAdapter:
    """The EMR calls that the toolkit makes; every answer is a value of the model."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def clusters(self, states: Sequence[str]) -> list[ClusterSummary]:
        """List the account's clusters in these states, newest first."""
        with translate("listing clusters"):
            pages = self._aws.emr.get_paginator("list_clusters").paginate(
                ClusterStates=list(states)
            )
            return [facts.cluster_summary(c) for page in pages for c in page["Clusters"]]

    def cluster(self, cluster_id: str) -> Cluster:
        """Describe one cluster. Raises NotFoundError for an id that EMR does not know."""
        with translate(f"describing the cluster {cluster_id}"):
            return facts.cluster(self._aws.emr.describe_cluster(ClusterId=cluster_id)["Cluster"])

    def groups(self, cluster_id: str) -> list[InstanceGroup]:
        """List the instance groups of a cluster."""
        with translate(f"listing the instance groups of {cluster_id}"):
            pages = self._aws.emr.get_paginator("list_instance_groups").paginate(
                ClusterId=cluster_id
            )
            return [facts.instance_group(g) for page in pages for g in page["InstanceGroups"]]

    def instances(self, cluster_id: str) -> list[Instance]:
        """List the nodes of a cluster that are not terminated, the primary first."""
        roles = {group.id: group.role for group in self.groups(cluster_id)}
        states = ["AWAITING_FULFILLMENT", "PROVISIONING", "BOOTSTRAPPING", "RUNNING"]
        with translate(f"listing the instances of {cluster_id}"):
            pages = self._aws.emr.get_paginator("list_instances").paginate(
                ClusterId=cluster_id, InstanceStates=states
            )
            found = [facts.instance(i, roles) for page in pages for i in page["Instances"]]
        order = {"primary": 0, "core": 1, "task": 2}
        return sorted(found, key=lambda i: (order[i.role], i.private_ip))

    def run_job_flow(self, request: dict[str, Any]) -> str:
        """Ask for a cluster and return its id. Sent once: look it up before trying again."""
        with translate("asking EMR for the cluster"):
            return str(self._aws.emr_once.run_job_flow(**request)["JobFlowId"])

    def terminate(self, cluster_ids: Sequence[str]) -> None:
        """End clusters; those that have ended already are left as they are."""
        for start in range(0, len(cluster_ids), TERMINATE_AT_ONCE):
            some = list(cluster_ids[start : start + TERMINATE_AT_ONCE])
            with translate(f"ending {', '.join(some)}"):
                self._aws.emr.terminate_job_flows(JobFlowIds=some)

    def add_steps(self, cluster_id: str, steps: Sequence[StepSpec]) -> list[str]:
        """Add steps and return their ids. Sent once: look them up before trying again."""
        entries = [
            {
                "Name": step.name,
                "ActionOnFailure": step.action_on_failure,
                "HadoopJarStep": {"Jar": step.jar, "Args": list(step.args)},
            }
            for step in steps
        ]
        with translate(f"adding steps to {cluster_id}"):
            answer = self._aws.emr_once.add_job_flow_steps(JobFlowId=cluster_id, Steps=entries)
        return [str(step_id) for step_id in answer["StepIds"]]

    def describe_step(self, cluster_id: str, step_id: str) -> Step:
        """Describe one step. Raises NotFoundError or UsageError for an unknown one."""
        with translate(f"describing the step {step_id}"):
            answer = self._aws.emr.describe_step(ClusterId=cluster_id, StepId=step_id)
        return facts.step(answer["Step"])

    def list_steps(self, cluster_id: str, states: Sequence[str] = ()) -> list[Step]:
        """List the steps of a cluster (in these states, if any are given), newest first."""
        wanted = {"StepStates": list(states)} if states else {}
        with translate(f"listing the steps of {cluster_id}"):
            pages = self._aws.emr.get_paginator("list_steps").paginate(
                ClusterId=cluster_id, **wanted
            )
            return [facts.step(s) for page in pages for s in page["Steps"]]

    def cancel_steps(self, cluster_id: str, step_ids: Sequence[str]) -> list[StepCancel]:
        """Ask EMR to cancel steps: pending ones at once, a running one by ending its process."""
        with translate(f"cancelling steps of {cluster_id}"):
            answer = self._aws.emr.cancel_steps(
                ClusterId=cluster_id,
                StepIds=list(step_ids),
                StepCancellationOption="TERMINATE_PROCESS",
            )
        return [facts.step_cancel(c) for c in answer.get("CancelStepsInfoList", ())]
