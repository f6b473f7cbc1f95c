"""Answers of EMR → values; the texts have the shapes of the API reference's examples."""

from datetime import datetime, timezone

from lofn_aws.facts import emr_answers
from lofn_aws.facts.bootstrap_logs import bootstrap_log_key, failure_sentence, last_lines
from lofn_aws.model.cluster import Cluster, ErrorDetail

NOW = datetime(2026, 11, 21, 8, tzinfo=timezone.utc)


def test_a_cluster_that_failed() -> None:
    cluster = emr_answers.cluster({
        "Id": "j-1", "Name": "lofn", "ReleaseLabel": "emr-7.13.0",
        "Status": {
            "State": "TERMINATED_WITH_ERRORS",
            "StateChangeReason": {"Code": "BOOTSTRAP_FAILURE", "Message": "It failed."},
            "Timeline": {"CreationDateTime": NOW, "EndDateTime": NOW},
            "ErrorDetails": [{"ErrorCode": "BA", "ErrorMessage": "Action 1 failed.",
                              "ErrorData": [{"instance-id": "i-1"}, {"bootstrap-action": "1"}]}],
        },
        "Ec2InstanceAttributes": {"Ec2KeyName": "k", "Ec2SubnetId": "subnet-1",
                                  "EmrManagedMasterSecurityGroup": "sg-1"},
        "Tags": [{"Key": "lofn-aws:run-id", "Value": "r"}, {"Key": "lofn-aws:cluster",
                                                            "Value": "lofn"}],
        "LogUri": "s3n://b/logs/", "TerminationProtected": True,
    })
    assert (cluster.is_ended, cluster.is_ours, cluster.run_id) == (True, True, "r")
    assert cluster.errors == (ErrorDetail("BA", "Action 1 failed.", {"instance-id": "i-1",
                                                                    "bootstrap-action": "1"}),)
    assert (cluster.key_name, cluster.subnet, cluster.primary_security_group) == (
        "k", "subnet-1", "sg-1")
    assert cluster.ready is None
    assert cluster.termination_protected


def test_the_least_that_emr_may_answer() -> None:
    cluster = emr_answers.cluster({"Id": "j-1"})
    assert (cluster.state, cluster.is_ours, cluster.errors) == ("", False, ())
    step = emr_answers.step({"Id": "s-1"})
    assert (step.state, step.args, step.failure_message) == ("", (), "")
    assert emr_answers.cluster_summary({"Id": "j-1"}).created is None


def test_an_instance_gets_its_groups_role_and_the_address_that_is_there() -> None:
    answer = {"Id": "ci-1", "Ec2InstanceId": "i-1", "InstanceGroupId": "ig-1",
              "PublicDnsName": "", "PublicIpAddress": "3.4.5.6", "PrivateIpAddress": "10.0.0.1",
              "Status": {"State": "RUNNING"}}
    node = emr_answers.instance(answer, {"ig-1": "primary"})
    assert (node.role, node.address, node.is_running) == ("primary", "3.4.5.6", True)
    assert emr_answers.instance(answer | {"PublicIpAddress": ""}, {}).address == ""


def test_a_failed_step() -> None:
    step = emr_answers.step({
        "Id": "s-1", "Name": "map", "ActionOnFailure": "CONTINUE",
        "Config": {"Jar": "command-runner.jar", "Args": ["a", "b"]},
        "Status": {"State": "FAILED", "Timeline": {"StartDateTime": NOW},
                   "FailureDetails": {"Reason": "R", "Message": "M", "LogFile": "s3://l"}},
    })
    assert (step.is_ended, step.succeeded, step.args) == (True, False, ("a", "b"))
    assert (step.failure_reason, step.failure_message, step.failure_log) == ("R", "M", "s3://l")


KEYS = [
    "logs/j-1/node/i-a/bootstrap-actions/1/stderr.gz",
    "logs/j-1/node/i-a/bootstrap-actions/1/stdout.gz",
    "logs/j-1/node/i-b/bootstrap-actions/1/stderr.gz",
    "logs/j-1/node/i-b/applications/x/stderr.gz",
]


def test_the_log_is_that_of_the_node_that_emr_names() -> None:
    cluster = Cluster("j-1", "lofn", "TERMINATED_WITH_ERRORS", reason="On i-b, action 1 failed")
    assert bootstrap_log_key(KEYS, cluster) == KEYS[2]
    by_data = Cluster("j-1", "n", "T", errors=(ErrorDetail("c", "m", {"instance-id": "i-b"}),))
    assert bootstrap_log_key(KEYS, by_data) == KEYS[2]


def test_another_nodes_log_is_better_than_none() -> None:
    cluster = Cluster("j-1", "lofn", "TERMINATED_WITH_ERRORS", reason="On i-z, action 1 failed")
    assert bootstrap_log_key(KEYS, cluster) == KEYS[0]
    assert bootstrap_log_key(KEYS[1:2], cluster) is None


def test_last_lines_leave_empty_ones_out() -> None:
    assert last_lines("a\n\n b \n\n", 2) == "a\n b"
    assert last_lines("\n") == ""


def test_a_reason_that_emr_gives_twice_is_said_once() -> None:
    cluster = Cluster("j-1", "n", "T", "CODE", "It failed.", (ErrorDetail("c", "It failed"),))
    assert failure_sentence(cluster) == "j-1 ended with CODE: It failed"
    assert failure_sentence(Cluster("j-1", "n", "TERMINATED")) == (
        "j-1 ended with TERMINATED: EMR gives no reason")
