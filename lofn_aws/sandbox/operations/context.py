"""What every operation works with."""

from __future__ import annotations

from dataclasses import dataclass

from lofn_aws.sandbox.account import Account
from lofn_aws.sandbox.lifecycle import Lifecycle
from lofn_aws.sandbox.resize import Resizer
from lofn_aws.sandbox.state import ENDING_STATES, Cluster, Store
from lofn_aws.sandbox.steps import StepRunner
from lofn_aws.sandbox.validation import finished_job_flow, unknown_cluster, unknown_job_flow
from lofn_aws.sandbox.watch import Watch


@dataclass(frozen=True)
class Context:
    """The parts of the service that operations call."""

    store: Store
    account: Account
    lifecycle: Lifecycle
    steps: StepRunner
    resizer: Resizer
    watch: Watch

    def described(self, cluster_id: str) -> Cluster:
        """Return a cluster, or raise what the Describe and List operations answer."""
        cluster = self.store.find(cluster_id)
        if cluster is None:
            raise unknown_cluster(cluster_id)
        return cluster

    def job_flow(self, job_flow_id: str) -> Cluster:
        """Return a cluster, or raise what the older operations answer."""
        cluster = self.store.find(job_flow_id)
        if cluster is None:
            raise unknown_job_flow()
        return cluster

    @staticmethod
    def modifiable(cluster: Cluster) -> Cluster:
        """Return the cluster unless it is ending, which is refused."""
        if cluster.status.state in ENDING_STATES:
            raise finished_job_flow()
        return cluster
