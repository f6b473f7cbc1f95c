"""The files by which an EMR node knows what it is, and what its applications are set up from.

Paths and the members that scripts read are those of EMR's own instance controller.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lofn_aws.sandbox.state import Cluster, Instance

INSTANCE_JSON = "/mnt/var/lib/info/instance.json"
JOB_FLOW_JSON = "/mnt/var/lib/info/job-flow.json"
JOB_FLOW_STATE = "/emr/instance-controller/lib/info/job-flow-state.txt"
PROVISION_JSON = "/usr/libexec/emr/provision.json"
HDFS_EXCLUDE = "/emr/instance-controller/lib/dfs.nodes.exclude"
YARN_EXCLUDE = "/emr/instance-controller/lib/yarn.nodes.exclude"
NODE_ROLES = {"MASTER": "primary", "CORE": "core", "TASK": "task"}

# Where the daemons of the primary look up which nodes are to leave; resizing needs it.
EXCLUDE_CONFIGURATIONS = [
    {
        "Classification": "hdfs-site",
        "Properties": {
            "dfs.hosts.exclude": HDFS_EXCLUDE,
            # Seconds between two looks at how far a leaving DataNode's blocks have been copied.
            "dfs.namenode.decommission.interval": "3s",
        },
    },
    {
        "Classification": "yarn-site",
        "Properties": {"yarn.resourcemanager.nodes.exclude-path": YARN_EXCLUDE},
    },
]


def node_roles(cluster: Cluster, node: Instance) -> list[str]:
    """Return what a node does; the primary of a cluster without core nodes does a core's work too.

    So it is on EMR, where such a cluster is called a single-node cluster.
    """
    roles = [NODE_ROLES[node.role]]
    alone = node.role == "MASTER" and not any(group.role == "CORE" for group in cluster.groups)
    return [*roles, "core"] if alone else roles


def instance_json(cluster: Cluster, node: Instance) -> bytes:
    """Return the content of instance.json, by which a script tells the primary from the others."""
    primary = node.role == "MASTER"
    roles = node_roles(cluster, node)
    return _json(
        {
            "clusterId": cluster.id,
            "instanceGroupId": node.group_id,
            "instanceRole": node.role.lower(),
            "isMaster": primary,
            "isRunningNameNode": primary,
            "isRunningResourceManager": primary,
            "isRunningDataNode": "core" in roles,
            "isRunningNodeManager": "core" in roles or "task" in roles,
        }
    )


def job_flow_json(cluster: Cluster) -> bytes:
    """Return the content of job-flow.json: the cluster's id, primary and instance groups."""
    primary = cluster.primary
    return _json(
        {
            "jobFlowId": cluster.id,
            "jobFlowCreationInstant": int(cluster.status.created.timestamp() * 1000),
            "instanceCount": sum(group.requested for group in cluster.groups),
            "masterInstanceId": primary.ec2_id if primary else None,
            "masterPrivateDnsName": primary.hostname if primary else None,
            "instanceGroups": [
                {
                    "instanceGroupId": group.id,
                    "instanceGroupName": group.name,
                    "instanceRole": group.role.capitalize(),
                    "marketType": group.market,
                    "instanceType": group.instance_type,
                    "requestedInstanceCount": group.requested,
                }
                for group in cluster.groups
            ],
        }
    )


def job_flow_state(cluster: Cluster, node: Instance) -> bytes:
    """Return the content of job-flow-state.txt of a node whose applications have been set up."""
    return (
        f'jobFlowId: "{cluster.id}"\n'
        "localInstance {\n"
        f'  ec2InstanceId: "{node.ec2_id}"\n'
        "  nodeProvisionCheckinRecord {\n"
        "    status: SUCCESSFUL\n"
        "  }\n"
        "}\n"
    ).encode()


def provision_json(
    cluster: Cluster, node: Instance, role: str, account: Mapping[str, str]
) -> bytes:
    """Return what the node's install-applications reads.

    Args:
        cluster: the cluster, with its primary created.
        node: the node that the file is for.
        role: which of its ``node_roles`` is to be installed.
        account: region, s3_endpoint, access_key and secret_key.
    """
    primary = cluster.primary
    group = cluster.group(node.group_id)
    if primary is None or group is None:
        raise ValueError(f"{node.ec2_id} has no primary or no instance group")
    configurations: Sequence[dict[str, Any]] = [
        *EXCLUDE_CONFIGURATIONS,
        *cluster.request.get("Configurations", []),
        *group.configurations,
    ]
    return _json(
        {
            **account,
            "role": role,
            "primary_host": primary.hostname,
            "primary_ip": primary.ip,
            "hosts": [instance.hostname for instance in cluster.live()],
            "cluster_id": cluster.id,
            "configurations": configurations,
            "applications": [a["Name"] for a in cluster.request.get("Applications", [])],
        }
    )


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=2).encode()
