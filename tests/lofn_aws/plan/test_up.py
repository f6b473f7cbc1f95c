"""What `up` plans for what it sees."""

from dataclasses import replace

import pytest

from lofn_aws.errors import UsageError
from lofn_aws.model.cluster import TAG_CLUSTER, TAG_OWNER, TAG_RUN_ID, Cluster
from lofn_aws.model.node import (
    NodeFacts,
    ProbeRecord,
    ProbeReport,
    SwarmDocument,
    SwarmMember,
    SwarmState,
)
from lofn_aws.model.observed import CloudState, NodesState
from lofn_aws.model.plan import Item
from lofn_aws.model.spec import KeyPair
from lofn_aws.plan.up import engine_difference, expected_on_nodes, plan_cloud, plan_nodes
from tests.lofn_aws.factory import spec

RUN, BUCKET, IMAGE = "0123456789ab", "a-bucket", "registry:2"
TAGS = {TAG_CLUSTER: "lofn", TAG_OWNER: "ada", TAG_RUN_ID: RUN}
WAITING = Cluster("j-1", "lofn", "WAITING", tags=TAGS, primary_security_group="sg-1")


def names(items: tuple[Item, ...]) -> list[str]:
    return [type(item).__name__ for item in items]


def test_nothing_is_there() -> None:
    items = plan_cloud(spec(), CloudState(ingress="203.0.113.7/32"))
    assert names(items) == ["MakeBucket", "Upload", "Upload", "Upload", "Upload", "ImportKey",
                            "StartCluster", "WaitForCluster", "OpenSsh"]


def test_only_missing_files_are_uploaded() -> None:
    wanted = spec()
    keys = frozenset(a.key for a in wanted.assets[:3])
    seen = CloudState(bucket_exists=True, present_keys=keys, key_in_account=True)
    assert names(plan_cloud(wanted, seen)) == ["Upload", "StartCluster", "WaitForCluster"]


@pytest.mark.parametrize("state", ["STARTING", "BOOTSTRAPPING"])
def test_a_cluster_that_boots_is_waited_for_and_not_started_again(state: str) -> None:
    seen = CloudState(cluster=replace(WAITING, state=state))
    assert names(plan_cloud(spec(), seen)) == ["WaitForCluster"]


@pytest.mark.parametrize("state", ["RUNNING", "WAITING"])
def test_a_ready_cluster_needs_nothing_of_aws(state: str) -> None:
    assert plan_cloud(spec(), CloudState(cluster=replace(WAITING, state=state))) == ()


def test_a_closed_port_is_opened_on_a_ready_cluster() -> None:
    items = plan_cloud(spec(), CloudState(cluster=WAITING, ingress="203.0.113.7/32"))
    assert [i.words for i in items] == ["open port 22 of sg-1 to 203.0.113.7/32"]
    seen = CloudState(cluster=WAITING, ingress="203.0.113.7/32", ingress_open=True)
    assert plan_cloud(spec(), seen) == ()


def test_a_named_key_pair_that_is_missing_is_a_usage_error() -> None:
    wanted = replace(spec(), key_pair=KeyPair("mine", "/home/ada/mine.pem"))
    with pytest.raises(UsageError, match="the key pair mine"):
        plan_cloud(wanted, CloudState(bucket_exists=True))


def node(number: int, **changes: object) -> NodeFacts:
    """A node that is all in order; number 0 is the primary."""
    state = SwarmState("active", "manager" if number == 0 else "worker", f"n{number}",
                       "10.0.0.10:2377")
    whole = NodeFacts(
        f"ip-10-0-0-1{number}", f"10.0.0.1{number}", "20.10", True,
        (("hadoop", ("hadoop", "docker")), ("yarn", ("yarn", "docker"))),
        None if number == 0 else True, "0.1.0", "3.11.2", state, True,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def report(*ips: str) -> ProbeReport:
    records = tuple(ProbeRecord(ip, ip, "yarn", "20.10", "0.1.0", True, "") for ip in ips)
    return ProbeReport(True, records, ())


WHOLE = NodesState(
    "10.0.0.10", (node(0), node(1), node(2)),
    document=SwarmDocument("10.0.0.10:2377", "t"), probe=report("10.0.0.11", "10.0.0.12"),
)


def planned(seen: NodesState) -> tuple[Item, ...]:
    return plan_nodes(RUN, BUCKET, IMAGE, seen)


def test_nothing_to_do() -> None:
    assert planned(WHOLE) == ()


def test_fresh_nodes_need_everything_in_this_order() -> None:
    fresh = {"swarm": SwarmState(), "registry": False, "groups": (("hadoop", ("hadoop",)),)}
    seen = NodesState("10.0.0.10", tuple(node(i, **fresh) for i in range(3)),
                      vpc_cidrs=("10.0.0.0/16",))
    items = planned(seen)
    assert names(items) == ["GiveDockerGroup", "InitSwarm", "LoadRegistryImage", "JoinSwarm",
                            "WriteSwarmDocument", "StartRegistry", "Probe"]
    assert names(items) == names(expected_on_nodes(spec()))


def test_what_is_expected_is_said_in_the_same_words_as_what_is_planned() -> None:
    fresh = {"swarm": SwarmState(), "registry": False, "groups": (("hadoop", ("hadoop",)),)}
    seen = NodesState("10.0.0.10", tuple(node(i, **fresh) for i in range(3)))
    for expected, real in zip(expected_on_nodes(spec()), planned(seen), strict=True):
        assert real.words.split(":")[0].startswith(expected.words.split(":")[0].split("<")[0][:20])


def test_one_new_node_joins_and_is_proved() -> None:
    new = node(3, swarm=SwarmState(), registry=False)
    items = planned(replace(WHOLE, nodes=(*WHOLE.nodes, new)))
    assert [i.words for i in items] == [
        "load the image registry:2 on 1 node: 10.0.0.13",
        "join 1 node to the swarm: 10.0.0.13",
        "run the registry (registry:2) on 1 node: 10.0.0.13",
        "prove Docker, engine and registry from Spark on 3 nodes: "
        "10.0.0.11, 10.0.0.12, 10.0.0.13",
    ]


def test_a_node_in_another_swarm_joins_this_one() -> None:
    lost = node(2, swarm=SwarmState("active", "worker", "n9", "10.9.9.9:2377"))
    assert names(planned(replace(WHOLE, nodes=(node(0), node(1), lost)))) == ["JoinSwarm"]


def test_a_primary_without_its_swarm_starts_one_and_all_join_it() -> None:
    lost = node(0, swarm=SwarmState())
    items = planned(replace(WHOLE, nodes=(lost, node(1), node(2))))
    assert names(items) == ["InitSwarm", "JoinSwarm", "WriteSwarmDocument"]


def test_a_daemon_that_cannot_use_docker_yet_is_seen() -> None:
    items = planned(replace(WHOLE, nodes=(node(0), node(1), node(2, yarn_sees_docker=False))))
    assert [i.words for i in items] == ["let hadoop and yarn use Docker on 1 node: 10.0.0.12"]


def test_members_that_are_down_are_removed() -> None:
    members = (SwarmMember("n7", "ip-10-0-0-17", "Down", "worker"),
               SwarmMember("n1", "ip-10-0-0-11", "Ready", "worker"))
    items = planned(replace(WHOLE, members=members))
    assert [i.words for i in items] == ["remove 1 node that left the swarm: ip-10-0-0-17"]


def test_a_swarm_record_that_is_missing_or_old_is_written() -> None:
    for document in (None, SwarmDocument("10.9.9.9:2377", "t")):
        assert names(planned(replace(WHOLE, document=document))) == ["WriteSwarmDocument"]


def test_a_proof_with_a_problem_is_done_again() -> None:
    bad = ProbeRecord("10.0.0.12", "h", "yarn", "", "0.1.0", False, "no Docker")
    probe = ProbeReport(False, (*report("10.0.0.11").records, bad), ())
    assert names(planned(replace(WHOLE, probe=probe))) == ["Probe"]


def test_nodes_with_another_engine_are_named_with_what_to_do() -> None:
    assert engine_difference(spec(), WHOLE) == ""
    nodes = (node(0), node(1, engine_version="0.0.9"), node(2, engine_version=""))
    said = engine_difference(spec(), replace(WHOLE, nodes=nodes))
    assert "lofn 0.1.0, and that of 10.0.0.11 (0.0.9), 10.0.0.12 (none) is another" in said
    assert "lofn-aws down" in said
