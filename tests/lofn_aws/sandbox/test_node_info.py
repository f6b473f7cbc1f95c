"""The files of nodes, as scripts on them read them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from lofn_aws.sandbox import node_info
from lofn_aws.sandbox.operations.clusters import new_group
from lofn_aws.sandbox.state import Cluster, Instance, Status
from tests.lofn_aws.sandbox.emr_world import request

ACCOUNT = {"region": "r", "s3_endpoint": "e", "access_key": "k", "secret_key": "s"}


def _cluster(core: int, **changes: object) -> Cluster:
    config = request(core=core, **changes)
    groups = [new_group(group) for group in config["Instances"]["InstanceGroups"]]
    instances = [
        Instance(
            f"ci-{n}",
            f"i-{n}",
            g.id,
            g.role,
            "m5.xlarge",
            "ON_DEMAND",
            f"10.0.0.{n}",
            f"h{n}",
            Status("RUNNING"),
        )
        for n, g in enumerate(groups)
    ]
    return Cluster(
        id="j-1",
        name="x",
        request=config,
        status=Status("STARTING"),
        attributes={},
        tags={},
        keep_alive=True,
        protected=False,
        visible=True,
        concurrency=1,
        idle_timeout=None,
        groups=groups,
        instances=instances,
    )


def test_who_is_primary() -> None:
    cluster = _cluster(core=1)
    primary, core = (json.loads(node_info.instance_json(cluster, n)) for n in cluster.instances)
    assert (primary["isMaster"], primary["instanceRole"]) == (True, "master")
    assert (primary["isRunningNameNode"], primary["isRunningDataNode"]) == (True, False)
    assert (core["isMaster"], core["instanceRole"]) == (False, "core")
    assert (core["isRunningNameNode"], core["isRunningNodeManager"]) == (False, True)


def test_a_primary_alone_works_too() -> None:
    cluster = _cluster(core=0)
    (primary,) = cluster.instances
    assert node_info.node_roles(cluster, primary) == ["primary", "core"]
    assert json.loads(node_info.instance_json(cluster, primary))["isRunningNodeManager"] is True


def test_the_job_flow() -> None:
    found = json.loads(node_info.job_flow_json(_cluster(core=2)))
    assert (found["jobFlowId"], found["instanceCount"]) == ("j-1", 3)
    assert (found["masterInstanceId"], found["masterPrivateDnsName"]) == ("i-0", "h0")


def test_the_groups_own_configurations_go_last() -> None:
    of_all = {"Classification": "yarn-site", "Properties": {"a": "cluster"}}
    of_group = {"Classification": "yarn-site", "Properties": {"a": "group"}}
    cluster = _cluster(core=1, Configurations=[of_all])
    cluster.groups[1].configurations = [of_group]
    core = cluster.instances[1]
    found = json.loads(node_info.provision_json(cluster, core, "core", ACCOUNT))
    assert found["configurations"][-2:] == [of_all, of_group]
    assert (found["role"], found["primary_host"], found["hosts"]) == ("core", "h0", ["h0", "h1"])
    assert found["applications"] == ["Hadoop", "Spark"]


@pytest.mark.parametrize("text", ["ours", "  nodeProvisionCheckinRecord {\n status: SUCCESSFUL\n"])
def test_the_state_that_the_watcher_waits_for(tmp_path: Path, text: str) -> None:
    """The node script's own reading of the file: only our whole document says SUCCESSFUL."""
    cluster = _cluster(core=0)
    state = tmp_path / "job-flow-state.txt"
    if text == "ours":
        state.write_bytes(node_info.job_flow_state(cluster, cluster.instances[0]))
    else:
        state.write_text(text)
    script = Path(__file__).parents[3] / "bootstrap" / "lofn-node.sh"
    body = script.read_text()
    function = body[body.index("provisioned() {") : body.index("main_pid() {")]
    code = f"JOB_FLOW_STATE='{state}'\n{function}\nprovisioned"
    done = subprocess.run(["sh", "-c", code], timeout=20, check=False)
    assert (done.returncode == 0) is (text == "ours")
