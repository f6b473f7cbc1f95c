"""What EMR does by itself: a failing bootstrap action, nodes that come and go."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.harness import Project, wait_for

BUCKET = "lofn-tests-emr"


def run_job_flow(emr: Any, **changes: Any) -> str:
    """Ask for a cluster of one primary node."""
    request: dict[str, Any] = {
        "Name": "plain",
        "ReleaseLabel": "emr-7.13.0",
        "ServiceRole": "EMR_DefaultRole",
        "JobFlowRole": "EMR_EC2_DefaultRole",
        "LogUri": f"s3://{BUCKET}/logs/",
        "Applications": [{"Name": "Hadoop"}, {"Name": "Spark"}],
        "Instances": {
            "KeepJobFlowAliveWhenNoSteps": True,
            "InstanceGroups": [
                {"InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1}
            ],
        },
    }
    return str(emr.run_job_flow(**{**request, **changes})["JobFlowId"])


def test_failing_bootstrap_action_ends_the_cluster(clients: dict[str, Any]) -> None:
    """A bootstrap action that exits 3 gives BOOTSTRAP_FAILURE, and its words are in LogUri."""
    emr, s3 = clients["emr"], clients["s3"]
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="fail.sh", Body=b"#!/bin/sh\necho gone-wrong $1 >&2\nexit 3\n")
    action = {"Path": f"s3://{BUCKET}/fail.sh", "Args": ["on-purpose"]}
    cluster_id = run_job_flow(
        emr, BootstrapActions=[{"Name": "fails", "ScriptBootstrapAction": action}]
    )

    def ended() -> Any:
        status = emr.describe_cluster(ClusterId=cluster_id)["Cluster"]["Status"]
        return status if status["State"].startswith("TERMINATED") else None

    status = wait_for(ended, "the cluster to end")
    assert status["State"] == "TERMINATED_WITH_ERRORS"
    assert status["StateChangeReason"]["Code"] == "BOOTSTRAP_FAILURE"
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"logs/{cluster_id}/node/")
    keys = [
        entry["Key"]
        for entry in listed["Contents"]
        if "bootstrap-actions" in entry["Key"] and entry["Key"].endswith("stderr.gz")
    ]
    texts = [gzip.decompress(s3.get_object(Bucket=BUCKET, Key=k)["Body"].read()) for k in keys]
    assert any(b"gone-wrong on-purpose" in text for text in texts), keys


@pytest.mark.parametrize(
    "changes",
    [
        {"ReleaseLabel": "emr-99.0.0"},
        {"ServiceRole": "no-such-role"},
        {"JobFlowRole": "no-such-profile"},
        {"Instances": {"InstanceGroups": [], "KeepJobFlowAliveWhenNoSteps": True}},
        {
            "BootstrapActions": [
                {"Name": str(n), "ScriptBootstrapAction": {"Path": f"s3://{BUCKET}/x.sh"}}
                for n in range(17)
            ]
        },
    ],
)
def test_what_emr_refuses_is_refused(clients: dict[str, Any], changes: dict[str, Any]) -> None:
    """Wrong requests end with EMR's ValidationException and start nothing."""
    with pytest.raises(ClientError) as caught:
        run_job_flow(clients["emr"], **changes)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_grown_node_joins_by_itself_and_shrinks_away(
    cluster: Project, clients: dict[str, Any], tmp_path: Path
) -> None:
    """A node added by EMR runs the bootstrap and its watcher joins the swarm."""
    emr = clients["emr"]
    (found,) = [
        c for c in emr.list_clusters(ClusterStates=["WAITING"])["Clusters"] if c["Name"] == "shared"
    ]
    groups = emr.list_instance_groups(ClusterId=found["Id"])["InstanceGroups"]
    core = next(g for g in groups if g["InstanceGroupType"] == "CORE")

    def resize(count: int) -> None:
        change = {"InstanceGroupId": core["Id"], "InstanceCount": count}
        emr.modify_instance_groups(ClusterId=found["Id"], InstanceGroups=[change])

        def settled() -> bool:
            now = emr.list_instance_groups(ClusterId=found["Id"])["InstanceGroups"]
            group = next(g for g in now if g["Id"] == core["Id"])
            return bool(group["RunningInstanceCount"] == count)

        wait_for(settled, f"{count} core nodes")

    def swarm_size() -> int:
        listing = ["docker", "node", "ls", "--format", "{{.Status}}"]
        return cluster.run("exec", "-n", "primary", "--", *listing).stdout.count("Ready")

    assert swarm_size() == 3
    resize(3)
    wait_for(lambda: swarm_size() == 4, "the new node in the swarm", 120)
    resize(2)
    wait_for(lambda: swarm_size() == 3, "the removed node gone from the swarm", 120)
    cluster.run("swarm", "sync")
