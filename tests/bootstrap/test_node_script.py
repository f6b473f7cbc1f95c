"""lofn-node's answers and refusals, on a node image where neither Docker nor Hadoop runs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.bootstrap.conftest import Node

pytestmark = pytest.mark.docker

SCRIPT = "/scripts/lofn-node.sh"
STATE_FILE = "/emr/instance-controller/lib/info/job-flow-state.txt"

# The shape of EMR's file: other instances' records may stand before and after the local one.
STATE = """
jobFlowId: "j-1"
instances {{
  instanceId: "i-other"
  nodeProvisionCheckinRecord {{
    status: {other}
  }}
}}
localInstance {{
  instanceId: "i-1"
  role: CORE
  nodeProvisionCheckinRecord {{
    timestamp: 1
    status: {own}
  }}
}}
"""


def facts(node: Node) -> Any:
    done = node.run("sh", SCRIPT, "facts")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_facts_of_a_node_before_anything_runs(unchanged: Node) -> None:
    """Nothing is made up where nothing can be read."""
    found = facts(unchanged)
    assert found["docker_active"] is False
    assert found["docker_version"] is None
    assert found["groups"]["yarn"] is None
    assert found["nodemanager_sees_docker"] is None
    assert found["engine_version"] is None
    assert found["swarm"] == {"state": None, "node_id": None, "role": None, "manager": None}
    assert found["registry"] is False
    assert found["primary"] is False


@pytest.mark.parametrize(
    ("other", "own", "provisioned"),
    [
        ("IN_PROGRESS", "SUCCESSFUL", True),
        ("SUCCESSFUL", "IN_PROGRESS", False),
        ("SUCCESSFUL", "FAILED", False),
    ],
)
def test_provisioned_is_the_local_instances_record(
    node: Node, other: str, own: str, provisioned: bool
) -> None:
    node.write(STATE_FILE, STATE.format(other=other, own=own))
    assert facts(node)["provisioned"] is provisioned


def test_primary_by_emrs_instance_file(node: Node) -> None:
    node.write("/mnt/var/lib/info/instance.json", '{"isMaster": true, "isRunningNameNode": true}')
    assert facts(node)["primary"] is True


def test_docker_group_takes_the_users_that_are_there(node: Node) -> None:
    """Before EMR makes yarn, hadoop alone; afterwards both; a second time changes nothing."""
    first = node.run("sh", SCRIPT, "docker-group")
    assert first.returncode == 0, first.stderr
    assert "no user yarn" in first.stderr
    assert "docker" in facts(node)["groups"]["hadoop"]
    node.run("useradd", "yarn")
    for _ in range(2):
        assert node.run("sh", SCRIPT, "docker-group").returncode == 0
        assert facts(node)["groups"]["yarn"].count("docker") == 1


def test_docker_group_restarts_a_daemon_that_started_without_it(node: Node) -> None:
    """What decides is the running process's groups, not the user database."""
    node.run("useradd", "yarn")
    node.write("/usr/local/sbin/systemctl", _SYSTEMCTL)
    node.run("chmod", "+x", "/usr/local/sbin/systemctl")
    start = "sleep 600 & echo $! > /tmp/nodemanager.pid"
    node.run("sh", "-c", start, user="yarn")
    restarted = node.run("sh", SCRIPT, "docker-group")
    assert "restarting hadoop-yarn-nodemanager" in restarted.stderr
    assert "docker" in node.run("id", "-nG", "yarn").stdout
    assert facts(node)["nodemanager_sees_docker"] is True
    again = node.run("sh", SCRIPT, "docker-group")
    assert (again.returncode, again.stderr) == (0, "")


# systemd does not run in this container: this stands for the two requests that the script makes.
_SYSTEMCTL = """#!/bin/sh
case "$*" in
    "show -p MainPID --value hadoop-yarn-nodemanager") cat /tmp/nodemanager.pid ;;
    show*) echo 0 ;;
    "restart hadoop-yarn-nodemanager")
        kill "$(cat /tmp/nodemanager.pid)"
        su yarn -s /bin/sh -c 'sleep 600 >/dev/null 2>&1 & echo $! > /tmp/nodemanager.pid' ;;
    *) exit 1 ;;
esac
"""


def test_registry_gets_the_nodes_own_keys_in_a_file_for_root_alone(node: Node) -> None:
    """The keys are copied before the swarm is formed; with none there the file is empty."""
    path = "/opt/lofn/registry/credentials"
    node.run("sh", SCRIPT, "swarm-init", "10.0.0.5")  # fails later: no Docker Engine here
    assert node.run("stat", "-c", "%U %a %s", path).stdout == "root 600 0\n"
    node.write("/root/.aws/credentials", _KEYS)
    node.run("sh", SCRIPT, "swarm-init", "10.0.0.5")
    assert node.run("cat", path).stdout == _KEYS
    assert node.run("stat", "-c", "%U %a", path).stdout == "root 600\n"


_KEYS = "[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = example\n"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["bogus"], 2, "no such command: bogus"),
        ([], 2, "lofn-node facts"),
        (["swarm-init"], 1, "needs the address"),
        (["swarm-join", "10.0.0.5:2377"], 1, "needs the manager's address and the join token"),
        (["load-image", "-"], 1, "needs an s3:// URI"),
        (["registry-start", "registry:2", "bucket"], 1, "needs IMAGE BUCKET REGION PREFIX"),
        (["registry-start", "registry:2", "b", "us-east-1", "p"], 1, "runs on the swarm's manager"),
        (["swarm-clean"], 1, "runs on the swarm's manager"),
        (["watch", "bucket"], 1, "needs BUCKET and RUN_ID"),
    ],
)
def test_wrong_use_is_one_sentence(unchanged: Node, words: list[str], code: int, said: str) -> None:
    done = unchanged.run("sh", SCRIPT, *words)
    assert done.returncode == code
    assert said in done.stderr
    assert done.stdout == ""


def test_refuses_a_user_who_is_not_root(unchanged: Node) -> None:
    done = unchanged.run("sh", SCRIPT, "facts", user="hadoop")
    assert done.returncode == 1
    assert "run as root" in done.stderr
