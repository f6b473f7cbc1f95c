"""What the EMR adapter promises; the same tests run on moto and on the sandbox's real cluster.

A module that has a subclass gives the fixtures ``adapter`` and ``cluster_id``: a ready cluster
with one primary and at least one core node, made by the toolkit's own request.
"""

import pytest

from lofn_aws.adapters.emr import EmrAdapter
from lofn_aws.errors import LofnAwsError
from lofn_aws.model.cluster import ENDED_STATES, READY_STATES
from lofn_aws.model.step import StepSpec


class EmrContract:
    """The tests; collected where a module has a subclass."""

    def test_a_cluster_is_described(self, adapter: EmrAdapter, cluster_id: str) -> None:
        cluster = adapter.cluster(cluster_id)
        assert cluster.id == cluster_id
        assert cluster.state in READY_STATES
        assert cluster.is_ours
        assert cluster.release_label == "emr-7.13.0"
        assert cluster.log_uri.rstrip("/").endswith("/logs")
        assert cluster.key_name.startswith("lofn-aws-")
        assert cluster.created is not None
        assert cluster.created.tzinfo is not None

    def test_a_cluster_is_listed_by_its_state(self, adapter: EmrAdapter, cluster_id: str) -> None:
        assert cluster_id in [c.id for c in adapter.clusters(READY_STATES)]
        assert cluster_id not in [c.id for c in adapter.clusters(ENDED_STATES)]

    def test_groups_and_nodes_have_roles(self, adapter: EmrAdapter, cluster_id: str) -> None:
        groups = {g.role: g for g in adapter.groups(cluster_id)}
        assert groups["primary"].requested == 1
        assert groups["core"].requested >= 1
        nodes = adapter.instances(cluster_id)
        assert nodes[0].role == "primary"
        assert {n.role for n in nodes[1:]} == {"core"}
        assert len({n.private_ip for n in nodes}) == len(nodes)
        assert all(n.ec2_id.startswith("i-") for n in nodes)

    def test_steps_are_added_and_listed(self, adapter: EmrAdapter, cluster_id: str) -> None:
        specs = [StepSpec(f"contract {n}", ("true", str(n))) for n in (1, 2)]
        ids = adapter.add_steps(cluster_id, specs)
        assert len(set(ids)) == 2
        step = adapter.describe_step(cluster_id, ids[1])
        assert (step.id, step.name, step.args) == (ids[1], "contract 2", ("true", "2"))
        assert step.action_on_failure == "CONTINUE"
        listed = [s.id for s in adapter.list_steps(cluster_id)]
        assert set(ids) <= set(listed)

    def test_an_unknown_cluster_is_an_error_of_ours(self, adapter: EmrAdapter) -> None:
        with pytest.raises(LofnAwsError, match="j-0000000000000"):
            adapter.cluster("j-0000000000000")
