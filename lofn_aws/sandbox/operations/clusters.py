"""Making, describing, listing and ending clusters."""

from __future__ import annotations

import copy
from datetime import datetime
from typing import Any

from lofn_aws.sandbox import validation, views
from lofn_aws.sandbox.account import requested_subnets
from lofn_aws.sandbox.boot_report import Ending
from lofn_aws.sandbox.faults import Fault, internal
from lofn_aws.sandbox.operations.context import Context
from lofn_aws.sandbox.operations.paging import page
from lofn_aws.sandbox.operations.steps import new_step
from lofn_aws.sandbox.state import ENDED_STATES, Cluster, Group, Status, new_id


class ClusterOperations:
    """RunJobFlow, DescribeCluster, ListClusters, ListBootstrapActions, TerminateJobFlows."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def RunJobFlow(self, **request: Any) -> dict[str, Any]:
        """Start a cluster and answer its id; its nodes come up in the background."""
        request = copy.deepcopy(request)
        request["Instances"]["InstanceGroups"] = instance_groups(request["Instances"])
        account = self._context.account
        validation.check_cluster_request(request, account.surroundings(request))
        cluster = self._cluster(request)
        store = self._context.store
        with store.changing():
            store.clusters[cluster.id] = cluster
            try:
                self._context.lifecycle.launch(cluster)
            except Fault:
                # The caller is told that there is no cluster, so there must be none.
                del store.clusters[cluster.id]
                raise
        return {"JobFlowId": cluster.id, "ClusterArn": cluster.arn}

    def _cluster(self, request: dict[str, Any]) -> Cluster:
        instances = request["Instances"]
        policy = request.get("AutoTerminationPolicy", {})
        return Cluster(
            id=new_id("j-"),
            name=request["Name"],
            request=request,
            status=Status("STARTING", message="Configuring cluster software"),
            attributes=self._attributes(request),
            tags={tag["Key"]: tag.get("Value", "") for tag in request.get("Tags", [])},
            keep_alive=instances.get("KeepJobFlowAliveWhenNoSteps", False),
            protected=instances.get("TerminationProtected", False),
            visible=request.get("VisibleToAllUsers", True),
            concurrency=request.get("StepConcurrencyLevel", 1),
            idle_timeout=policy.get("IdleTimeout"),
            groups=[new_group(config) for config in instances["InstanceGroups"]],
            steps=[new_step(config) for config in request.get("Steps", [])],
        )

    def _attributes(self, request: dict[str, Any]) -> dict[str, Any]:
        instances = request["Instances"]
        named = requested_subnets(instances)
        account = self._context.account
        subnet = account.subnet(named[0] if named else None)
        if subnet is None:
            raise internal("The account has no subnet for the nodes.")
        primary_group, worker_group = account.managed_groups(subnet["VpcId"])
        primary_group = instances.get("EmrManagedMasterSecurityGroup") or primary_group
        worker_group = instances.get("EmrManagedSlaveSecurityGroup") or worker_group
        return {
            "Ec2KeyName": instances.get("Ec2KeyName"),
            "Ec2SubnetId": subnet["SubnetId"],
            "RequestedEc2SubnetIds": named,
            "Ec2AvailabilityZone": subnet["AvailabilityZone"],
            "RequestedEc2AvailabilityZones": [],
            "IamInstanceProfile": request["JobFlowRole"],
            "EmrManagedMasterSecurityGroup": primary_group,
            "EmrManagedSlaveSecurityGroup": worker_group,
            "AdditionalMasterSecurityGroups": instances.get("AdditionalMasterSecurityGroups", []),
            "AdditionalSlaveSecurityGroups": instances.get("AdditionalSlaveSecurityGroups", []),
        }

    def DescribeCluster(self, ClusterId: str) -> dict[str, Any]:
        """Describe one cluster."""
        cluster = self._context.described(ClusterId)
        with self._context.store.locked():
            return {"Cluster": views.cluster_detail(cluster)}

    def ListClusters(
        self,
        CreatedAfter: datetime | None = None,
        CreatedBefore: datetime | None = None,
        ClusterStates: list[str] | None = None,
        Marker: str | None = None,
    ) -> dict[str, Any]:
        """List clusters, newest first."""

        def wanted(cluster: Cluster) -> bool:
            created = cluster.status.created
            return (
                (not ClusterStates or cluster.status.state in ClusterStates)
                and (CreatedAfter is None or created >= CreatedAfter)
                and (CreatedBefore is None or created <= CreatedBefore)
            )

        with self._context.store.locked():
            found = [c for c in reversed(self._context.store.clusters.values()) if wanted(c)]
            chosen, marker = page(found, Marker)
            return {"Clusters": [views.cluster_summary(c) for c in chosen], "Marker": marker}

    def ListBootstrapActions(self, ClusterId: str, Marker: str | None = None) -> dict[str, Any]:
        """List a cluster's bootstrap actions in their order."""
        cluster = self._context.described(ClusterId)
        actions = [
            {
                "Name": action["Name"],
                "ScriptPath": action["ScriptBootstrapAction"]["Path"],
                "Args": action["ScriptBootstrapAction"].get("Args", []),
            }
            for action in cluster.request.get("BootstrapActions", [])
        ]
        chosen, marker = page(actions, Marker)
        return {"BootstrapActions": chosen, "Marker": marker}

    def TerminateJobFlows(self, JobFlowIds: list[str]) -> dict[str, Any]:
        """End clusters; those that have ended already are left as they are."""
        clusters = [self._context.job_flow(job_flow_id) for job_flow_id in JobFlowIds]
        protected = [c.id for c in clusters if c.protected and c.status.state not in ENDED_STATES]
        validation.check_termination(JobFlowIds, protected)
        for cluster in clusters:
            ending = Ending("USER_REQUEST", "Terminated by user request")
            self._context.lifecycle.end(cluster, "TERMINATED", ending)
        return {}


def instance_groups(instances: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the instance groups of a request, also where it gives only types and a count."""
    if instances.get("InstanceGroups") or not instances.get("MasterInstanceType"):
        return list(instances.get("InstanceGroups", []))
    primary_type = instances["MasterInstanceType"]
    workers = instances.get("InstanceCount", 1) - 1
    groups = [{"InstanceRole": "MASTER", "InstanceType": primary_type, "InstanceCount": 1}]
    if workers > 0:
        worker_type = instances.get("SlaveInstanceType") or primary_type
        groups.append(
            {"InstanceRole": "CORE", "InstanceType": worker_type, "InstanceCount": workers}
        )
    return groups


def new_group(config: dict[str, Any]) -> Group:
    """Return the record of an InstanceGroupConfig."""
    return Group(
        id=new_id("ig-"),
        name=config.get("Name", config["InstanceRole"]),
        role=config["InstanceRole"],
        instance_type=config["InstanceType"],
        market=config.get("Market", "ON_DEMAND"),
        requested=config["InstanceCount"],
        configurations=config.get("Configurations", []),
        bid_price=config.get("BidPrice"),
        status=Status("PROVISIONING"),
    )
