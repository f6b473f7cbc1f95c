"""Settings of running clusters: protection, tags, concurrency, auto-termination."""

from __future__ import annotations

from typing import Any

from lofn_aws.sandbox import validation
from lofn_aws.sandbox.faults import invalid
from lofn_aws.sandbox.operations.context import Context
from lofn_aws.sandbox.state import Cluster


class SettingsOperations:
    """The operations that change one setting of clusters that have not ended."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def _clusters(self, ids: list[str]) -> list[Cluster]:
        return [self._context.modifiable(self._context.job_flow(job_flow)) for job_flow in ids]

    def SetTerminationProtection(
        self, JobFlowIds: list[str], TerminationProtected: bool
    ) -> dict[str, Any]:
        """Protect clusters from TerminateJobFlows and from failed steps, or do so no more."""
        with self._context.store.changing():
            for cluster in self._clusters(JobFlowIds):
                cluster.protected = TerminationProtected
        return {}

    def SetVisibleToAllUsers(
        self, JobFlowIds: list[str], VisibleToAllUsers: bool
    ) -> dict[str, Any]:
        """Record the setting; the sandbox has one user."""
        with self._context.store.changing():
            for cluster in self._clusters(JobFlowIds):
                cluster.visible = VisibleToAllUsers
        return {}

    def SetKeepJobFlowAliveWhenNoSteps(
        self, JobFlowIds: list[str], KeepJobFlowAliveWhenNoSteps: bool
    ) -> dict[str, Any]:
        """Say whether clusters end after their last step."""
        with self._context.store.changing():
            for cluster in self._clusters(JobFlowIds):
                cluster.keep_alive = KeepJobFlowAliveWhenNoSteps
        return {}

    def AddTags(self, ResourceId: str, Tags: list[dict[str, str]]) -> dict[str, Any]:
        """Add tags to a cluster, or change their values."""
        cluster = self._context.described(ResourceId)
        with self._context.store.changing():
            tags = {**cluster.tags, **{t.get("Key", ""): t.get("Value", "") for t in Tags}}
            validation.check_tags([{"Key": k, "Value": v} for k, v in tags.items()])
            cluster.tags = tags
        return {}

    def RemoveTags(self, ResourceId: str, TagKeys: list[str]) -> dict[str, Any]:
        """Remove tags from a cluster; keys that it does not have are well, too."""
        cluster = self._context.described(ResourceId)
        with self._context.store.changing():
            cluster.tags = {k: v for k, v in cluster.tags.items() if k not in TagKeys}
        return {}

    def ModifyCluster(
        self,
        ClusterId: str,
        StepConcurrencyLevel: int | None = None,
        ExtendedSupport: bool | None = None,
    ) -> dict[str, Any]:
        """Set how many steps may run at once."""
        cluster = self._context.modifiable(self._context.described(ClusterId))
        if ExtendedSupport is not None:
            raise invalid("The sandbox has no extended support: leave out ExtendedSupport.")
        if StepConcurrencyLevel is not None:
            validation.check_concurrency(StepConcurrencyLevel)
            with self._context.store.changing():
                cluster.concurrency = StepConcurrencyLevel
        return {"StepConcurrencyLevel": cluster.concurrency}

    def PutAutoTerminationPolicy(
        self, ClusterId: str, AutoTerminationPolicy: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Set after how many idle seconds the cluster ends by itself."""
        cluster = self._context.modifiable(self._context.described(ClusterId))
        validation.check_idle_timeout(AutoTerminationPolicy or {})
        with self._context.store.changing():
            cluster.idle_timeout = (AutoTerminationPolicy or {})["IdleTimeout"]
        return {}

    def GetAutoTerminationPolicy(self, ClusterId: str) -> dict[str, Any]:
        """Give the policy, if there is one."""
        cluster = self._context.described(ClusterId)
        if cluster.idle_timeout is None:
            return {}
        return {"AutoTerminationPolicy": {"IdleTimeout": cluster.idle_timeout}}

    def RemoveAutoTerminationPolicy(self, ClusterId: str) -> dict[str, Any]:
        """Keep the cluster however long it is idle."""
        cluster = self._context.modifiable(self._context.described(ClusterId))
        with self._context.store.changing():
            cluster.idle_timeout = None
        return {}
