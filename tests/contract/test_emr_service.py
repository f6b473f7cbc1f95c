"""The EMR service keeps EMR's word, on nodes that are folders and on nodes that are containers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lofn_aws.sandbox.emr_world import World, bootstrap, step, until
from tests.lofn_aws.sandbox.worlds import fake_world, real_world

REAL = pytest.param("real", marks=[pytest.mark.docker, pytest.mark.sandbox])


@pytest.fixture(scope="module", params=["fake", REAL])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """An endpoint without clusters."""
    if request.param == "real":
        with real_world() as found:
            yield found
    else:
        with fake_world(tmp_path_factory.mktemp("nodes")) as (found, _):
            yield found


@pytest.fixture(scope="module")
def cluster(world: World) -> Iterator[str]:
    """A cluster of a primary and a core node, booted with two bootstrap actions."""
    first = world.put("first.sh", '#!/bin/bash\necho one $#: "$@" > record\n')
    second = world.put("second.sh", "#!/bin/bash\ncat ../1/record; cat /mnt/var/lib/info/*\n")
    actions = [bootstrap(first, "a b", "c"), bootstrap(second)]
    cluster_id = world.run(BootstrapActions=actions, Tags=[{"Key": "k", "Value": "v"}])
    world.await_state(cluster_id, "WAITING")
    yield cluster_id
    world.emr.terminate_job_flows(JobFlowIds=[cluster_id])
    world.await_state(cluster_id, "TERMINATED")


def test_a_ready_cluster_says_what_it_is(world: World, cluster: str) -> None:
    described = world.cluster(cluster)
    timeline = described["Status"]["Timeline"]
    assert timeline["CreationDateTime"] < timeline["ReadyDateTime"]
    assert described["Tags"] == [{"Key": "k", "Value": "v"}]
    assert described["Applications"] == [
        {"Name": "Hadoop", "Version": "3.4.2"},
        {"Name": "Spark", "Version": "3.5.6"},
    ]
    subnet_id = described["Ec2InstanceAttributes"]["Ec2SubnetId"]
    assert world.ec2.describe_subnets(SubnetIds=[subnet_id])["Subnets"]
    primary, core = world.instances(cluster)
    assert described["MasterPublicDnsName"] == primary["PublicIpAddress"]
    for node in (primary, core):
        assert node["Status"]["State"] == "RUNNING"
        dashed = node["PrivateIpAddress"].replace(".", "-")
        assert node["PrivateDnsName"] == f"ip-{dashed}.ec2.internal"
    assert world.group(cluster, "CORE")["RunningInstanceCount"] == 1
    assert world.instances(cluster, InstanceGroupTypes=["CORE"]) == [core]
    assert world.instances(cluster, InstanceStates=["TERMINATED"]) == []


def test_bootstrap_actions_run_in_order_with_their_arguments(world: World, cluster: str) -> None:
    listed = world.emr.list_bootstrap_actions(ClusterId=cluster)["BootstrapActions"]
    assert [action["Args"] for action in listed] == [["a b", "c"], []]
    # What the second printed proves that the first had run, and that the node knew itself.
    code = "cat /mnt/var/log/bootstrap-actions/2/stdout"
    (step_id,) = world.add_steps(cluster, step("bash", "-c", code))
    assert world.await_step(cluster, step_id)["State"] == "COMPLETED"
    said = world.log(cluster, f"steps/{step_id}/stdout")
    assert said.startswith("one 2: a b c\n")
    assert f'"jobFlowId": "{cluster}"' in said
    assert '"isMaster": true' in said


def test_a_step_is_completed_only_with_exit_code_0(world: World, cluster: str) -> None:
    good, bad, missing = world.add_steps(
        cluster,
        step("bash", "-c", "echo out; echo err >&2"),
        step("bash", "-c", "echo 'ValueError: no reads' >&2; exit 3"),
        step("no-such-command"),
    )
    assert world.await_step(cluster, good)["State"] == "COMPLETED"
    assert world.log(cluster, f"steps/{good}/stdout") == "out\n"
    assert world.log(cluster, f"steps/{good}/stderr") == "err\n"
    assert "exit code 0" in world.log(cluster, f"steps/{good}/controller")
    status = world.await_step(cluster, bad)
    assert status["State"] == "FAILED"
    assert status["FailureDetails"]["Message"] == "ValueError: no reads"
    assert status["FailureDetails"]["LogFile"].endswith(f"{cluster}/steps/{bad}/stderr.gz")
    timeline = status["Timeline"]
    assert timeline["CreationDateTime"] < timeline["StartDateTime"] < timeline["EndDateTime"]
    assert world.await_step(cluster, missing)["State"] == "FAILED"
    listed = [s["Id"] for s in world.emr.list_steps(ClusterId=cluster)["Steps"]]
    assert listed[:3] == [missing, bad, good]
    world.await_state(cluster, "WAITING")


def test_script_runner_runs_a_script_from_s3(world: World, cluster: str) -> None:
    script = world.put("script.sh", '#!/bin/bash\necho "$2"\n')
    jar = "s3://us-east-1.elasticmapreduce/libs/script-runner/script-runner.jar"
    found, lost = world.add_steps(
        cluster, step(script, "x", "y z", jar=jar), step("s3://lofn-tests/none.sh", jar=jar)
    )
    assert world.await_step(cluster, found)["State"] == "COMPLETED"
    assert world.log(cluster, f"steps/{found}/stdout") == "y z\n"
    failed = world.await_step(cluster, lost)
    assert failed["State"] == "FAILED"
    assert "none.sh does not exist" in failed["FailureDetails"]["Reason"]


def test_cancelling_pending_and_running_steps(world: World, cluster: str) -> None:
    polite, stubborn, pending = world.add_steps(
        cluster,
        step("sleep", "600"),
        step("bash", "-c", "trap '' TERM; echo up; while :; do sleep 1; done"),
        step("true"),
    )

    def cancel(step_id: str, option: str) -> str:
        answer = world.emr.cancel_steps(
            ClusterId=cluster, StepIds=[step_id], StepCancellationOption=option
        )
        return str(answer["CancelStepsInfoList"][0]["Status"])

    world.await_step(cluster, polite, "RUNNING")
    assert cancel(pending, "SEND_INTERRUPT") == "SUBMITTED"
    assert world.step_status(cluster, pending)["State"] == "CANCELLED"
    assert cancel(polite, "SEND_INTERRUPT") == "SUBMITTED"
    assert world.await_step(cluster, polite)["State"] == "CANCELLED"
    world.await_step(cluster, stubborn, "RUNNING")
    time.sleep(1)
    assert cancel(stubborn, "TERMINATE_PROCESS") == "SUBMITTED"
    assert world.await_step(cluster, stubborn)["State"] == "CANCELLED"
    assert cancel(stubborn, "SEND_INTERRUPT") == "FAILED"


def test_cancel_and_wait_cancels_what_is_pending(world: World, cluster: str) -> None:
    bad, after = world.add_steps(cluster, step("false", action="CANCEL_AND_WAIT"), step("true"))
    assert world.await_step(cluster, bad)["State"] == "FAILED"
    assert world.await_step(cluster, after)["State"] == "CANCELLED"
    status = world.await_state(cluster, "WAITING")
    assert status["StateChangeReason"]["Message"] == "Cluster ready after last step failed."


def test_steps_in_parallel(world: World, cluster: str) -> None:
    world.emr.modify_cluster(ClusterId=cluster, StepConcurrencyLevel=2)
    with pytest.raises(ClientError, match="ValidationException"):
        world.add_steps(cluster, step("true", action="TERMINATE_CLUSTER"))
    steps = world.add_steps(cluster, *[step("sleep", "3")] * 3)
    until(
        "two steps running",
        lambda: (
            [world.step_status(cluster, s)["State"] for s in steps]
            == ["RUNNING", "RUNNING", "PENDING"]
        ),
        world.patience,
    )
    for step_id in steps:
        assert world.await_step(cluster, step_id)["State"] == "COMPLETED"
    world.emr.modify_cluster(ClusterId=cluster, StepConcurrencyLevel=1)


def test_a_group_grows_and_shrinks_by_real_nodes(world: World, cluster: str) -> None:
    group_id = world.group(cluster, "CORE")["Id"]

    def resize(count: int) -> dict[str, Any]:
        change = {"InstanceGroupId": group_id, "InstanceCount": count}
        world.emr.modify_instance_groups(ClusterId=cluster, InstanceGroups=[change])

        def settled() -> dict[str, Any] | None:
            group = world.group(cluster, "CORE")
            done = group["Status"]["State"] == "RUNNING" and group["RunningInstanceCount"] == count
            return group if done else None

        return dict(until(f"{count} core nodes", settled, world.patience))

    before = {node["Ec2InstanceId"] for node in world.instances(cluster)}
    assert resize(2)["RequestedInstanceCount"] == 2
    (new,) = [n for n in world.instances(cluster) if n["Ec2InstanceId"] not in before]
    assert new["Status"]["State"] == "RUNNING"
    resize(1)
    until(
        "the bootstrap log of the node that left",
        lambda: (
            f"logs/{cluster}/node/{new['Ec2InstanceId']}/bootstrap-actions/1/controller.gz"
            in world.log_keys(cluster)
        ),
        world.patience,
    )
    left = next(n for n in world.instances(cluster) if n["Ec2InstanceId"] == new["Ec2InstanceId"])
    assert left["Status"]["State"] == "TERMINATED"


def test_a_core_node_that_dies_is_told_of_and_replaced(world: World, cluster: str) -> None:
    running = world.instances(cluster, InstanceGroupTypes=["CORE"], InstanceStates=["RUNNING"])
    dead = running[0]["Ec2InstanceId"]
    world.kill(dead)

    def told() -> bool:
        node = next(n for n in world.instances(cluster) if n["Ec2InstanceId"] == dead)
        reason = node["Status"].get("StateChangeReason", {})
        return reason.get("Code") == "INSTANCE_FAILURE"

    until("the dead node's reason", told, world.patience)
    until(
        "its replacement",
        lambda: world.group(cluster, "CORE")["RunningInstanceCount"] == 1,
        world.patience,
    )
    assert world.state(cluster) == "WAITING"


def test_a_failing_bootstrap_action_ends_the_cluster(world: World) -> None:
    script = world.put("bad.sh", "#!/bin/bash\necho told >&2\nexit 7\n")
    cluster_id = world.run(core=0, BootstrapActions=[bootstrap(script)])
    status = world.await_state(cluster_id, "TERMINATED_WITH_ERRORS")
    (node,) = world.instances(cluster_id)
    reason = status["StateChangeReason"]
    assert reason["Code"] == "BOOTSTRAP_FAILURE"
    assert reason["Message"].startswith(
        f"On the master instance ({node['Ec2InstanceId']}), bootstrap action 1 returned a non-zero"
    )
    assert status["ErrorDetails"][0]["ErrorCode"].startswith("BOOTSTRAP_FAILURE")
    assert node["Status"]["State"] == "TERMINATED"
    assert node["Status"]["StateChangeReason"]["Code"] == "BOOTSTRAP_FAILURE"
    log = f"node/{node['Ec2InstanceId']}/bootstrap-actions/1/stderr"
    assert world.log(cluster_id, log) == "told\n"


def test_a_bootstrap_action_that_is_not_in_s3(world: World) -> None:
    cluster_id = world.run(core=0, BootstrapActions=[bootstrap("s3://lofn-tests/none")])
    reason = world.await_state(cluster_id, "TERMINATED_WITH_ERRORS")["StateChangeReason"]
    assert reason["Code"] == "BOOTSTRAP_FAILURE"
    assert "s3://lofn-tests/none" in reason["Message"]


def test_terminate_cluster_and_protection(world: World) -> None:
    cluster_id = world.run(core=0, instances={"TerminationProtected": True})
    with pytest.raises(ClientError, match="termination protected"):
        world.emr.terminate_job_flows(JobFlowIds=[cluster_id])
    world.await_state(cluster_id, "WAITING")
    (first,) = world.add_steps(cluster_id, step("false", action="TERMINATE_CLUSTER"))
    assert world.await_step(cluster_id, first)["State"] == "FAILED"
    world.await_state(cluster_id, "WAITING")
    world.emr.set_termination_protection(JobFlowIds=[cluster_id], TerminationProtected=False)
    _, after = world.add_steps(cluster_id, step("false", action="TERMINATE_CLUSTER"), step("true"))
    status = world.await_state(cluster_id, "TERMINATED_WITH_ERRORS")
    assert status["StateChangeReason"]["Code"] == "STEP_FAILURE"
    assert world.step_status(cluster_id, after)["State"] == "CANCELLED"
    with pytest.raises(ClientError, match="may not be modified"):
        world.add_steps(cluster_id, step("true"))


def test_a_cluster_that_is_not_kept_ends_after_its_last_step(world: World) -> None:
    cluster_id = world.run(
        core=0, Steps=[step("true")], instances={"KeepJobFlowAliveWhenNoSteps": False}
    )
    status = world.await_state(cluster_id, "TERMINATED")
    assert status["StateChangeReason"] == {
        "Code": "ALL_STEPS_COMPLETED",
        "Message": "Steps completed",
    }
    steps = world.emr.list_steps(ClusterId=cluster_id)["Steps"]
    assert [s["Status"]["State"] for s in steps] == ["COMPLETED"]


def test_a_primary_that_dies_ends_its_cluster(world: World) -> None:
    cluster_id = world.run(core=0)
    world.await_state(cluster_id, "WAITING")
    (lost,) = world.add_steps(cluster_id, step("sleep", "600", action="TERMINATE_CLUSTER"))
    world.await_step(cluster_id, lost, "RUNNING")
    (node,) = world.instances(cluster_id)
    world.kill(node["Ec2InstanceId"])
    status = world.await_state(cluster_id, "TERMINATED_WITH_ERRORS")
    assert status["StateChangeReason"]["Code"] == "INSTANCE_FAILURE"
    assert world.step_status(cluster_id, lost)["State"] == "CANCELLED"


def test_the_log_of_a_step_that_its_clusters_end_cut_off(world: World) -> None:
    cluster_id = world.run(core=0)
    world.await_state(cluster_id, "WAITING")
    (cut,) = world.add_steps(cluster_id, step("bash", "-c", "echo begun; sleep 600"))
    world.await_step(cluster_id, cut, "RUNNING")
    time.sleep(2)
    world.emr.terminate_job_flows(JobFlowIds=[cluster_id])
    world.await_state(cluster_id, "TERMINATED")
    assert world.step_status(cluster_id, cut)["State"] == "CANCELLED"
    assert world.log(cluster_id, f"steps/{cut}/stdout") == "begun\n"


def test_terminating_during_the_boot_leaves_no_node(world: World) -> None:
    cluster_id = world.run(core=1)
    world.emr.terminate_job_flows(JobFlowIds=[cluster_id])
    world.await_state(cluster_id, "TERMINATED")
    states = {node["Status"]["State"] for node in world.instances(cluster_id)}
    assert states == {"TERMINATED"}


@pytest.mark.parametrize("world", [REAL], indirect=True)
def test_idle_clusters_end_by_their_policy(world: World) -> None:
    cluster_id = world.run(core=0, AutoTerminationPolicy={"IdleTimeout": 60})
    world.await_state(cluster_id, "WAITING")
    found = world.emr.get_auto_termination_policy(ClusterId=cluster_id)
    assert found["AutoTerminationPolicy"] == {"IdleTimeout": 60}
    began = time.monotonic()
    until("its end", lambda: world.state(cluster_id) == "TERMINATED", 120)
    assert time.monotonic() - began > 50
