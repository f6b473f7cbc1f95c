"""Operations over nodes that are folders: refusals by looked-up names, lists, settings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lofn_aws.sandbox.emr_world import World, bootstrap, step, until
from tests.lofn_aws.sandbox.fake_nodes import ADDRESSES, FakeNodes
from tests.lofn_aws.sandbox.worlds import fake_world


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, FakeNodes]]:
    with fake_world(tmp_path_factory.mktemp("nodes")) as found:
        yield found


@pytest.fixture(scope="module")
def world(both: tuple[World, FakeNodes]) -> World:
    return both[0]


@pytest.fixture(scope="module")
def cluster(world: World) -> str:
    cluster_id = world.run(core=1)
    world.await_state(cluster_id, "WAITING")
    return cluster_id


def _refused(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"ServiceRole": "Nobody"}, "Nobody"),
        ({"JobFlowRole": "Nobody"}, "Nobody"),
        ({"instances": {"Ec2SubnetId": "subnet-0123"}}, "subnet-0123"),
        ({"instances": {"Ec2KeyName": "no-key"}}, "no-key"),
        ({"instances": {"AdditionalMasterSecurityGroups": ["sg-0123"]}}, "sg-0123"),
        (
            {
                "instances": {
                    "InstanceGroups": [
                        {"InstanceRole": "MASTER", "InstanceType": "m5.huge", "InstanceCount": 1}
                    ]
                }
            },
            "m5.huge",
        ),
    ],
)
def test_names_that_the_account_does_not_have(
    world: World, changes: dict[str, Any], part: str
) -> None:
    before = len(world.emr.list_clusters()["Clusters"])
    with pytest.raises(ClientError) as caught:
        world.run(**changes)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert part in caught.value.response["Error"]["Message"]
    assert len(world.emr.list_clusters()["Clusters"]) == before


def test_the_key_pair_is_authorised_for_hadoop(both: tuple[World, FakeNodes]) -> None:
    world, nodes = both
    world.ec2.create_key_pair(KeyName="mine")
    (pair,) = world.ec2.describe_key_pairs(KeyNames=["mine"], IncludePublicKey=True)["KeyPairs"]
    cluster_id = world.run(core=0, instances={"Ec2KeyName": "mine"})
    world.await_state(cluster_id, "WAITING")
    (node,) = world.instances(cluster_id)
    file = nodes.path(node["Ec2InstanceId"], "/home/hadoop/.ssh/authorized_keys")
    assert file.read_text().strip() == pair["PublicKey"].strip()
    world.emr.terminate_job_flows(JobFlowIds=[cluster_id])


def test_a_cluster_of_types_and_a_count(world: World) -> None:
    wanted = {
        "InstanceGroups": [],
        "MasterInstanceType": "m5.xlarge",
        "SlaveInstanceType": "r5.xlarge",
        "InstanceCount": 3,
    }
    cluster_id = world.run(instances=wanted)
    core = world.group(cluster_id, "CORE")
    assert (core["InstanceType"], core["RequestedInstanceCount"]) == ("r5.xlarge", 2)
    world.emr.terminate_job_flows(JobFlowIds=[cluster_id])


def test_a_node_that_does_not_boot_ends_the_cluster(both: tuple[World, FakeNodes]) -> None:
    world, nodes = both
    nodes.broken.add("core")
    try:
        cluster_id = world.run(core=2)
        status = world.await_state(cluster_id, "TERMINATED_WITH_ERRORS")
    finally:
        nodes.broken.clear()
    assert status["StateChangeReason"]["Code"] == "INSTANCE_FAILURE"
    assert "is broken" in status["StateChangeReason"]["Message"]
    ids = {node["Ec2InstanceId"] for node in world.instances(cluster_id)}
    assert not ids & nodes.alive_ids


def test_growing_by_nodes_that_do_not_boot_arrests_the_group(
    both: tuple[World, FakeNodes], cluster: str
) -> None:
    world, nodes = both
    nodes.broken.add("task")
    group = {"InstanceRole": "TASK", "InstanceType": "m5.xlarge", "InstanceCount": 1}
    world.emr.add_instance_groups(JobFlowId=cluster, InstanceGroups=[group])
    arrested = until(
        "an arrested group",
        lambda: world.group(cluster, "TASK")["Status"]["State"] == "ARRESTED",
        world.patience,
    )
    nodes.broken.clear()
    assert arrested
    (failed,) = world.instances(cluster, InstanceGroupTypes=["TASK"])
    assert failed["Status"]["State"] == "TERMINATED"
    assert "is broken" in failed["Status"]["StateChangeReason"]["Message"]
    # Asking again is how an arrested group is brought back.
    task = world.group(cluster, "TASK")["Id"]
    world.emr.modify_instance_groups(
        ClusterId=cluster, InstanceGroups=[{"InstanceGroupId": task, "InstanceCount": 1}]
    )
    until(
        "a running task node",
        lambda: world.group(cluster, "TASK")["RunningInstanceCount"] == 1,
        world.patience,
    )


def test_a_cluster_without_addresses_for_its_nodes_is_not_there(world: World) -> None:
    """A STARTING cluster that its maker knows nothing of would stay for ever."""
    before = [c["Id"] for c in world.emr.list_clusters()["Clusters"]]
    groups = [
        {"InstanceRole": role, "InstanceType": "m5.xlarge", "InstanceCount": count}
        for role, count in (("MASTER", 1), ("CORE", 1), ("TASK", len(ADDRESSES)))
    ]
    with pytest.raises(ClientError) as caught:
        world.run(instances={"InstanceGroups": groups})
    assert f"All {len(ADDRESSES)} addresses" in caught.value.response["Error"]["Message"]
    assert [c["Id"] for c in world.emr.list_clusters()["Clusters"]] == before
    # Their addresses are free again.
    world.await_state(world.run(core=1), "WAITING")


def test_growing_beyond_the_addresses_arrests_the_group_alone(world: World) -> None:
    cluster_id = world.run(core=1)
    world.await_state(cluster_id, "WAITING")
    group = {"InstanceRole": "TASK", "InstanceType": "m5.xlarge", "InstanceCount": len(ADDRESSES)}
    world.emr.add_instance_groups(JobFlowId=cluster_id, InstanceGroups=[group])
    until(
        "an arrested group",
        lambda: world.group(cluster_id, "TASK")["Status"]["State"] == "ARRESTED",
        world.patience,
    )
    status = world.group(cluster_id, "TASK")["Status"]
    assert "addresses of the sandbox's network are in use" in status["StateChangeReason"]["Message"]
    assert world.state(cluster_id) == "WAITING"
    assert world.group(cluster_id, "CORE")["RunningInstanceCount"] == 1


def test_resizing_what_cannot_be_resized(world: World, cluster: str) -> None:
    for role, count, part in (("MASTER", 2, "MASTER"), ("CORE", 0, "at least 1")):
        change = {"InstanceGroupId": world.group(cluster, role)["Id"], "InstanceCount": count}
        code, message = _refused(
            world.emr.modify_instance_groups, ClusterId=cluster, InstanceGroups=[change]
        )
        assert code == "ValidationException"
        assert part in message


def test_unknown_clusters_and_steps(world: World, cluster: str) -> None:
    emr = world.emr
    for call in (emr.describe_cluster, emr.list_steps, emr.list_instances):
        answer = _refused(call, ClusterId="j-NONE")
        assert answer == ("InvalidRequestException", "Cluster id 'j-NONE' is not valid.")
    for call, more in ((emr.add_job_flow_steps, {"Steps": [step("true")]}),):
        answer = _refused(call, JobFlowId="j-NONE", **more)
        assert answer == ("ValidationException", "Specified job flow ID does not exist.")
    code, _ = _refused(emr.terminate_job_flows, JobFlowIds=["j-NONE"])
    assert code == "ValidationException"
    answer = _refused(emr.describe_step, ClusterId=cluster, StepId="s-NONE")
    assert answer == ("InvalidRequestException", "Step id 's-NONE' is not valid.")


def test_every_other_operation_says_that_it_is_not_there(world: World) -> None:
    answer = _refused(world.emr.list_studios)
    assert answer[0] == "InvalidRequestException"
    assert "does not implement ListStudios" in answer[1]


def test_lists_have_filters_and_pages(world: World, cluster: str) -> None:
    ids = [c["Id"] for c in world.emr.list_clusters()["Clusters"]]
    assert cluster in ids
    waiting = world.emr.list_clusters(ClusterStates=["WAITING"])["Clusters"]
    assert {c["Status"]["State"] for c in waiting} == {"WAITING"}
    tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
    assert world.emr.list_clusters(CreatedAfter=tomorrow)["Clusters"] == []
    assert len(world.emr.list_clusters(CreatedBefore=tomorrow)["Clusters"]) == len(ids)
    world.emr.modify_cluster(ClusterId=cluster, StepConcurrencyLevel=1)
    steps = world.add_steps(cluster, step("sleep", "600"), *[step("true")] * 59)
    pages = world.emr.get_paginator("list_steps").paginate(ClusterId=cluster)
    listed = [s["Id"] for page in pages for s in page["Steps"]]
    assert listed == steps[::-1]
    pending = world.emr.list_steps(ClusterId=cluster, StepStates=["PENDING"])["Steps"]
    assert len(pending) == 50
    some = world.emr.list_steps(ClusterId=cluster, StepIds=[steps[3], steps[1]])["Steps"]
    assert [s["Id"] for s in some] == [steps[3], steps[1]]
    code, message = _refused(
        world.emr.add_job_flow_steps, JobFlowId=cluster, Steps=[step("true")] * 197
    )
    assert (code, "Maximum number of active steps" in message) == ("ValidationException", True)
    world.emr.cancel_steps(
        ClusterId=cluster, StepIds=steps[1:], StepCancellationOption="TERMINATE_PROCESS"
    )
    world.await_step(cluster, steps[0], "RUNNING")
    until(
        "a process to signal",
        lambda: (
            world.emr.cancel_steps(
                ClusterId=cluster, StepIds=steps[:1], StepCancellationOption="TERMINATE_PROCESS"
            )["CancelStepsInfoList"][0]["Status"]
            == "FAILED"
        ),
        world.patience,
    )


def test_settings_of_a_cluster(world: World, cluster: str) -> None:
    emr = world.emr
    emr.add_tags(ResourceId=cluster, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    emr.add_tags(ResourceId=cluster, Tags=[{"Key": "a", "Value": "3"}])
    emr.remove_tags(ResourceId=cluster, TagKeys=["b", "c"])
    assert world.cluster(cluster)["Tags"] == [{"Key": "a", "Value": "3"}]
    emr.set_visible_to_all_users(JobFlowIds=[cluster], VisibleToAllUsers=False)
    assert world.cluster(cluster)["VisibleToAllUsers"] is False
    assert "AutoTerminationPolicy" not in emr.get_auto_termination_policy(ClusterId=cluster)
    policy = {"IdleTimeout": 300}
    emr.put_auto_termination_policy(ClusterId=cluster, AutoTerminationPolicy=policy)
    found = emr.get_auto_termination_policy(ClusterId=cluster)["AutoTerminationPolicy"]
    assert found == policy
    emr.remove_auto_termination_policy(ClusterId=cluster)
    assert "AutoTerminationPolicy" not in emr.get_auto_termination_policy(ClusterId=cluster)


def test_turning_keep_alive_off_ends_an_idle_cluster(world: World) -> None:
    cluster_id = world.run(core=0)
    world.await_state(cluster_id, "WAITING")
    world.emr.set_keep_job_flow_alive_when_no_steps(
        JobFlowIds=[cluster_id], KeepJobFlowAliveWhenNoSteps=False
    )
    reason = world.await_state(cluster_id, "TERMINATED")["StateChangeReason"]
    assert reason["Code"] == "ALL_STEPS_COMPLETED"


def test_what_the_service_offers(world: World) -> None:
    emr = world.emr
    assert emr.list_release_labels()["ReleaseLabels"] == ["emr-7.13.0"]
    assert emr.list_release_labels(Filters={"Prefix": "emr-6"})["ReleaseLabels"] == []
    found = emr.list_release_labels(Filters={"Application": "Spark 3.5.6"})["ReleaseLabels"]
    assert found == ["emr-7.13.0"]
    described = emr.describe_release_label(ReleaseLabel="emr-7.13.0")
    assert {"Name": "Spark", "Version": "3.5.6"} in described["Applications"]
    types = emr.list_supported_instance_types(ReleaseLabel="emr-7.13.0")
    m5 = next(t for t in types["SupportedInstanceTypes"] if t["Type"] == "m5.xlarge")
    assert (m5["VCPU"], m5["MemoryGB"]) == (4, 16.0)
    block = emr.get_block_public_access_configuration()["BlockPublicAccessConfiguration"]
    assert block["BlockPublicSecurityGroupRules"] is True
    emr.put_block_public_access_configuration(
        BlockPublicAccessConfiguration={"BlockPublicSecurityGroupRules": False}
    )
    block = emr.get_block_public_access_configuration()["BlockPublicAccessConfiguration"]
    assert block["BlockPublicSecurityGroupRules"] is False


def test_the_roles_and_groups_of_a_new_account(world: World, cluster: str) -> None:
    assert world.iam.get_role(RoleName="EMR_DefaultRole")
    assert world.iam.get_instance_profile(InstanceProfileName="EMR_EC2_DefaultRole")
    attributes = world.cluster(cluster)["Ec2InstanceAttributes"]
    ids = [
        attributes["EmrManagedMasterSecurityGroup"],
        attributes["EmrManagedSlaveSecurityGroup"],
    ]
    groups = world.ec2.describe_security_groups(GroupIds=ids)["SecurityGroups"]
    names = {group["GroupName"] for group in groups}
    assert names == {"ElasticMapReduce-master", "ElasticMapReduce-slave"}


def test_bootstrap_actions_cannot_be_more_than_16(world: World) -> None:
    with pytest.raises(ClientError, match="at most 16"):
        world.run(BootstrapActions=[bootstrap("s3://b/k")] * 17)


def test_the_operations_that_a_toolkit_uses_are_all_there(world: World) -> None:
    _, message = _refused(world.emr.list_studios)
    implemented = message.partition("It implements ")[2].rstrip(".").split(", ")
    assert implemented == [
        "AddInstanceGroups",
        "AddJobFlowSteps",
        "AddTags",
        "CancelSteps",
        "DescribeCluster",
        "DescribeReleaseLabel",
        "DescribeStep",
        "GetAutoTerminationPolicy",
        "GetBlockPublicAccessConfiguration",
        "ListBootstrapActions",
        "ListClusters",
        "ListInstanceGroups",
        "ListInstances",
        "ListReleaseLabels",
        "ListSteps",
        "ListSupportedInstanceTypes",
        "ModifyCluster",
        "ModifyInstanceGroups",
        "PutAutoTerminationPolicy",
        "PutBlockPublicAccessConfiguration",
        "RemoveAutoTerminationPolicy",
        "RemoveTags",
        "RunJobFlow",
        "SetKeepJobFlowAliveWhenNoSteps",
        "SetTerminationProtection",
        "SetVisibleToAllUsers",
        "TerminateJobFlows",
    ]
