"""Values → tables and plans as text."""

from lofn_aws.model.cluster import Cluster, Instance, InstanceGroup
from lofn_aws.model.node import NodeFacts, SwarmMember, SwarmState
from lofn_aws.model.plan import InitSwarm, JoinSwarm
from lofn_aws.model.step import Step
from lofn_aws.report.plan import plan_object, plan_text, summary_text
from lofn_aws.report.tables import clusters_table, status_text, swarm_text, table

CLUSTER = Cluster("j-1", "lofn", "WAITING", release_label="emr-7.13.0", reason="Ready")
PRIMARY = Instance("ci-1", "i-1", "primary", "RUNNING", "m5", "10.0.0.1", "ip-10-0-0-1", "3.4.5.6")


def test_columns_are_as_wide_as_their_widest_value() -> None:
    assert table(("a", "bb"), [("long", 1), ("x", 22)]) == "a     bb\nlong  1\nx     22"


def test_a_status_names_nodes_groups_and_steps() -> None:
    group = InstanceGroup("ig-1", "primary", "m5", 1, 1, "RUNNING")
    text = status_text(CLUSTER, [group], [PRIMARY], [Step("s-1", "map", "RUNNING")])
    assert text.startswith("lofn (j-1), emr-7.13.0: WAITING (Ready)")
    assert "i-1   primary  10.0.0.1" in text
    assert "s-1   map   RUNNING" in text


def test_clusters() -> None:
    assert "j-1  lofn  WAITING" in clusters_table([CLUSTER])


def test_a_swarm_lists_members_that_are_no_node_any_more() -> None:
    node = NodeFacts("h", "10.0.0.1", "20.10", swarm=SwarmState("active", "manager", "n1"))
    text = swarm_text([node], [SwarmMember("n1", "h", "Ready", "manager"),
                               SwarmMember("n2", "gone", "Down", "worker")])
    lines = text.splitlines()
    assert lines[1].split() == ["10.0.0.1", "manager", "Ready", "silent", "20.10", "-"]
    assert lines[2].split()[:3] == ["gone", "worker", "Down"]


def test_plans() -> None:
    items = (InitSwarm("10.0.0.1", "10.200.0.0/16"), JoinSwarm(8, tuple("abcdefgh")))
    assert plan_text(items) == (
        "- start a Docker swarm on the primary, overlay networks in 10.200.0.0/16\n"
        "- join 8 nodes to the swarm: a, b, c, d, e, f and 2 more")
    assert plan_text(()) == "nothing to do"
    assert plan_object(items)[0]["item"] == "InitSwarm"


def test_the_summary_says_what_comes_next() -> None:
    text = summary_text(CLUSTER, [PRIMARY])
    assert "primary   3.4.5.6" in text
    for command in ("push IMAGE", "step map", "submit SCRIPT", "down"):
        assert f"lofn-aws {command}" in text
