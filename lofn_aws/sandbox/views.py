"""Records of the service's memory in the shapes that EMR answers with."""

from __future__ import annotations

from typing import Any

from lofn_aws.sandbox.releases import RELEASES
from lofn_aws.sandbox.state import Cluster, Group, Instance, Status, Step


def _status(status: Status) -> dict[str, Any]:
    return {
        "State": status.state,
        "StateChangeReason": {
            "Code": status.code or None,
            "Message": status.message or None,
        },
        "Timeline": {
            "CreationDateTime": status.created,
            "ReadyDateTime": status.ready,
            "EndDateTime": status.ended,
        },
    }


def cluster_status(cluster: Cluster) -> dict[str, Any]:
    """Return ClusterStatus."""
    return {**_status(cluster.status), "ErrorDetails": cluster.error_details or None}


def cluster_summary(cluster: Cluster) -> dict[str, Any]:
    """Return ClusterSummary; nothing is billed, so NormalizedInstanceHours is 0."""
    return {
        "Id": cluster.id,
        "Name": cluster.name,
        "Status": cluster_status(cluster),
        "NormalizedInstanceHours": 0,
        "ClusterArn": cluster.arn,
    }


def cluster_detail(cluster: Cluster) -> dict[str, Any]:
    """Return Cluster, as DescribeCluster gives it."""
    request = cluster.request
    return {
        **cluster_summary(cluster),
        "Ec2InstanceAttributes": cluster.attributes,
        "InstanceCollectionType": "INSTANCE_GROUP",
        "LogUri": cluster.log_uri + "/" if cluster.log_uri else None,
        "ReleaseLabel": request["ReleaseLabel"],
        "OSReleaseLabel": request.get("OSReleaseLabel")
        or RELEASES[request["ReleaseLabel"]].os_release,
        "AutoTerminate": not cluster.keep_alive,
        "TerminationProtected": cluster.protected,
        "UnhealthyNodeReplacement": True,
        "VisibleToAllUsers": cluster.visible,
        "Applications": _applications(request),
        "Tags": [{"Key": key, "Value": value} for key, value in cluster.tags.items()],
        "ServiceRole": request["ServiceRole"],
        "MasterPublicDnsName": cluster.primary_address,
        "Configurations": request.get("Configurations", []),
        "AutoScalingRole": request.get("AutoScalingRole"),
        "ScaleDownBehavior": request.get("ScaleDownBehavior", "TERMINATE_AT_TASK_COMPLETION"),
        "EbsRootVolumeSize": request.get("EbsRootVolumeSize"),
        "StepConcurrencyLevel": cluster.concurrency,
    }


def _applications(request: dict[str, Any]) -> list[dict[str, Any]]:
    release = RELEASES[request["ReleaseLabel"]]
    by_lower_name = {name.lower(): (name, v) for name, v in release.applications.items()}
    named = [by_lower_name[a["Name"].lower()] for a in request.get("Applications", [])]
    return [{"Name": name, "Version": version} for name, version in named]


def instance(node: Instance) -> dict[str, Any]:
    """Return Instance. The host reaches a node by its own address, so public equals private."""
    return {
        "Id": node.id,
        "Ec2InstanceId": node.ec2_id,
        "PublicDnsName": node.ip,
        "PublicIpAddress": node.ip,
        "PrivateDnsName": node.hostname,
        "PrivateIpAddress": node.ip,
        "Status": _status(node.status),
        "InstanceGroupId": node.group_id,
        "Market": node.market,
        "InstanceType": node.instance_type,
        "EbsVolumes": [],
    }


def group(record: Group, running: int) -> dict[str, Any]:
    """Return InstanceGroup; ``running`` is the number of its nodes that are RUNNING."""
    return {
        "Id": record.id,
        "Name": record.name,
        "Market": record.market,
        "InstanceGroupType": record.role,
        "BidPrice": record.bid_price,
        "InstanceType": record.instance_type,
        "RequestedInstanceCount": record.requested,
        "RunningInstanceCount": running,
        "Status": _status(record.status),
        "Configurations": record.configurations,
        "EbsBlockDevices": [],
        "ShrinkPolicy": {},
    }


def step_status(step: Step) -> dict[str, Any]:
    """Return StepStatus; its timeline has a start where others have a ready time."""
    status = step.status
    return {
        "State": status.state,
        "StateChangeReason": {"Code": status.code or None, "Message": status.message or None},
        "FailureDetails": step.failure,
        "Timeline": {
            "CreationDateTime": status.created,
            "StartDateTime": status.ready,
            "EndDateTime": status.ended,
        },
    }


def step(record: Step) -> dict[str, Any]:
    """Return Step, which has the members of StepSummary and no other."""
    return {
        "Id": record.id,
        "Name": record.name,
        "Config": {
            "Jar": record.jar,
            "Properties": record.properties,
            "MainClass": record.main_class,
            "Args": record.args,
        },
        "ActionOnFailure": record.action_on_failure,
        "Status": step_status(record),
    }
