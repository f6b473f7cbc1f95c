"""When a cluster counts as idle, and which nodes leave a group."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lofn_aws.sandbox.idle import BUSY_FILE, IdleClock
from lofn_aws.sandbox.nodes import NodeSpec
from lofn_aws.sandbox.operations.clusters import new_group
from lofn_aws.sandbox.operations.steps import new_step
from lofn_aws.sandbox.resize import choose_leaving
from lofn_aws.sandbox.state import Cluster, Instance, Status
from tests.lofn_aws.sandbox.emr_world import request, step
from tests.lofn_aws.sandbox.fake_nodes import FakeNodes

IP = "127.77.0.9"


def _instance(name: str, role: str = "CORE") -> Instance:
    return Instance(name, name, "ig-1", role, "m5.xlarge", "ON_DEMAND", IP, name, Status("RUNNING"))


@pytest.fixture
def nodes(tmp_path: Any) -> Iterator[FakeNodes]:
    nodes = FakeNodes(tmp_path)
    nodes.create_node(NodeSpec("j-1", "i-p", "primary", IP, "p", "fake:1"))
    for path in ("/emr/instance-controller/lib/dfs.nodes.exclude",) * 1:
        nodes.put_file("i-p", path, b"")
    nodes.put_file("i-p", "/emr/instance-controller/lib/yarn.nodes.exclude", b"")
    nodes.put_file("i-p", "/usr/libexec/emr/provision.json", b'{"role": "primary"}')
    nodes.exec("i-p", ["/usr/libexec/emr/install-applications", "x"], timeout=5)
    yield nodes
    nodes.kill("i-p")


@pytest.fixture
def cluster() -> Cluster:
    config = request(core=0)
    made = Cluster(
        id="j-1",
        name="idle",
        request=config,
        status=Status("WAITING"),
        attributes={},
        tags={},
        keep_alive=True,
        protected=False,
        visible=True,
        concurrency=1,
        idle_timeout=60,
        groups=[new_group(config["Instances"]["InstanceGroups"][0])],
    )
    made.instances = [_instance("i-p", "MASTER")]
    return made


def test_idle_seconds_are_counted_from_the_first_look(nodes: FakeNodes, cluster: Cluster) -> None:
    clock = IdleClock(nodes)
    assert [clock.seconds(cluster, t) for t in (100.0, 130.0, 161.0)] == [0.0, 30.0, 61.0]


def test_a_cluster_without_policy_is_never_idle(nodes: FakeNodes, cluster: Cluster) -> None:
    clock = IdleClock(nodes)
    cluster.idle_timeout = None
    assert [clock.seconds(cluster, t) for t in (100.0, 200.0)] == [0.0, 0.0]
    cluster.idle_timeout = 60
    assert [clock.seconds(cluster, t) for t in (210.0, 230.0)] == [10.0, 30.0]


def test_steps_and_running_states_are_activity(nodes: FakeNodes, cluster: Cluster) -> None:
    clock = IdleClock(nodes)
    clock.seconds(cluster, 100.0)
    cluster.status.become("RUNNING")
    assert clock.seconds(cluster, 150.0) == 0.0
    cluster.status.become("WAITING")
    cluster.steps = [new_step(step("true"))]
    assert clock.seconds(cluster, 170.0) == 0.0


def test_the_busy_file_is_activity_while_it_is_fresh(nodes: FakeNodes, cluster: Cluster) -> None:
    clock = IdleClock(nodes)
    clock.seconds(cluster, 100.0)
    nodes.put_file("i-p", BUSY_FILE, b"")
    assert clock.seconds(cluster, 150.0) == 0.0
    old = time.time() - 3600
    os.utime(nodes.path("i-p", BUSY_FILE), (old, old))
    assert clock.seconds(cluster, 170.0) == 20.0


def test_a_yarn_that_does_not_answer_is_not_idle(nodes: FakeNodes, cluster: Cluster) -> None:
    clock = IdleClock(nodes)
    clock.seconds(cluster, 100.0)
    nodes.kill("i-p")
    assert clock.seconds(cluster, 500.0) == 0.0


@pytest.mark.parametrize(
    ("count", "policy", "leaving"),
    [
        (2, {}, ["d", "c"]),
        (2, {"InstancesToTerminate": ["a"]}, ["a", "d"]),
        (2, {"InstancesToProtect": ["d", "c"]}, ["b", "a"]),
        (3, {"InstancesToProtect": ["d", "c"]}, ["b", "a", "d"]),
        (0, {}, []),
    ],
)
def test_who_leaves(count: int, policy: dict[str, Any], leaving: list[str]) -> None:
    live = [_instance(name) for name in "abcd"]
    assert [node.ec2_id for node in choose_leaving(live, count, policy)] == leaving
