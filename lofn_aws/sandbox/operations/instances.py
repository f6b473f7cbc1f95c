"""Instances and instance groups: listing, adding and resizing them."""

from __future__ import annotations

from typing import Any

from lofn_aws.sandbox import validation, views
from lofn_aws.sandbox.faults import invalid
from lofn_aws.sandbox.faults import validation as refused
from lofn_aws.sandbox.operations.clusters import new_group
from lofn_aws.sandbox.operations.context import Context
from lofn_aws.sandbox.operations.paging import page
from lofn_aws.sandbox.state import Cluster, Group

INSTANCE_PAGE = 2000
RESIZABLE_STATES = ("RUNNING", "WAITING")


class InstanceOperations:
    """ListInstances, ListInstanceGroups, AddInstanceGroups, ModifyInstanceGroups."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def ListInstances(
        self,
        ClusterId: str,
        *,
        InstanceGroupId: str | None = None,
        InstanceGroupTypes: list[str] | None = None,
        InstanceFleetId: str | None = None,
        InstanceFleetType: str | None = None,
        InstanceStates: list[str] | None = None,
        Marker: str | None = None,
    ) -> dict[str, Any]:
        """List nodes, those that are gone too, oldest first."""
        cluster = self._context.described(ClusterId)
        if InstanceFleetId or InstanceFleetType:
            raise invalid("Instance fleets and instance groups are mutually exclusive.")
        self._context.watch.look(cluster)
        with self._context.store.locked():
            found = [
                node
                for node in cluster.instances
                if InstanceGroupId in (None, node.group_id)
                and (not InstanceGroupTypes or node.role in InstanceGroupTypes)
                and (not InstanceStates or node.status.state in InstanceStates)
            ]
            chosen, marker = page(found, Marker, INSTANCE_PAGE)
            return {"Instances": [views.instance(node) for node in chosen], "Marker": marker}

    def ListInstanceGroups(self, ClusterId: str, Marker: str | None = None) -> dict[str, Any]:
        """List instance groups with how many of their nodes run."""
        cluster = self._context.described(ClusterId)
        with self._context.store.locked():
            chosen, marker = page(cluster.groups, Marker)
            return {
                "InstanceGroups": [views.group(g, running(cluster, g)) for g in chosen],
                "Marker": marker,
            }

    def AddInstanceGroups(
        self, InstanceGroups: list[dict[str, Any]], JobFlowId: str
    ) -> dict[str, Any]:
        """Add instance groups to a cluster that is ready, and boot their nodes."""
        cluster = self._resizable(self._context.job_flow(JobFlowId))
        unknown = [
            config["InstanceType"]
            for config in InstanceGroups
            if self._context.account.instance_type(config["InstanceType"]) is None
        ]
        validation.check_instance_types(unknown)
        with self._context.store.changing():
            has_core = any(group.role == "CORE" for group in cluster.groups)
            validation.check_new_groups(InstanceGroups, has_core)
            added = [new_group(config) for config in InstanceGroups]
            cluster.groups += added
        for group in added:
            self._context.resizer.resize(cluster, group, {})
        ids = [group.id for group in added]
        return {"JobFlowId": cluster.id, "InstanceGroupIds": ids, "ClusterArn": cluster.arn}

    def ModifyInstanceGroups(
        self,
        ClusterId: str | None = None,
        InstanceGroups: list[dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """Set the count of groups, or name instances to take out of them; all or none."""
        changes = [
            (*self._locate(ClusterId, config["InstanceGroupId"]), config)
            for config in InstanceGroups or []
        ]
        for cluster, group, config in changes:
            self._check_change(cluster, group, config)
        for cluster, group, config in changes:
            self._change(cluster, group, config)
        return {}

    def _locate(self, cluster_id: str | None, group_id: str) -> tuple[Cluster, Group]:
        if cluster_id:
            clusters = [self._context.described(cluster_id)]
        else:
            with self._context.store.locked():
                clusters = list(self._context.store.clusters.values())
        for cluster in clusters:
            group = cluster.group(group_id)
            if group is not None:
                return self._resizable(cluster), group
        raise refused(f"Instance group id '{group_id}' is not valid.")

    def _resizable(self, cluster: Cluster) -> Cluster:
        self._context.modifiable(cluster)
        if cluster.status.state not in RESIZABLE_STATES:
            raise refused(
                f"The cluster is {cluster.status.state}; its instance groups can be changed "
                f"when it is {' or '.join(RESIZABLE_STATES)}."
            )
        return cluster

    @staticmethod
    def _check_change(cluster: Cluster, group: Group, config: dict[str, Any]) -> None:
        if config.get("Configurations") or config.get("ReconfigurationType"):
            raise invalid("The sandbox does not reconfigure running instance groups.")
        if group.role == "MASTER":
            raise refused("The MASTER instance group cannot be resized.")
        validation.check_group_count(group.role, wanted_count(cluster, group, config))

    def _change(self, cluster: Cluster, group: Group, config: dict[str, Any]) -> None:
        named = config.get("EC2InstanceIdsToTerminate", [])
        shrink = config.get("ShrinkPolicy", {})
        if named:
            policy = {**shrink.get("InstanceResizePolicy", {}), "InstancesToTerminate": named}
            shrink = {**shrink, "InstanceResizePolicy": policy}
        with self._context.store.changing():
            group.requested = wanted_count(cluster, group, config)
        self._context.resizer.resize(cluster, group, shrink)


def wanted_count(cluster: Cluster, group: Group, config: dict[str, Any]) -> int:
    """Return the count that a change asks for; naming instances to end lowers it by theirs."""
    if "InstanceCount" in config:
        return int(config["InstanceCount"])
    named = set(config.get("EC2InstanceIdsToTerminate", []))
    return group.requested - sum(node.ec2_id in named for node in cluster.live(group))


def running(cluster: Cluster, group: Group) -> int:
    """Return how many nodes of a group are RUNNING."""
    return sum(node.status.state == "RUNNING" for node in cluster.live(group))
