"""Requests and answers of EMR's protocol, against botocore's model."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest

from lofn_aws.sandbox import protocol
from lofn_aws.sandbox.faults import Fault, validation

RUN = "ElasticMapReduce.RunJobFlow"


def _parse(target: str, value: object) -> protocol.Call:
    return protocol.parse(target, json.dumps(value).encode())


def test_a_request_becomes_parameters_with_times() -> None:
    call = _parse("ElasticMapReduce.ListClusters", {"CreatedAfter": 0, "Marker": None})
    assert call.operation == "ListClusters"
    assert call.parameters == {"CreatedAfter": datetime(1970, 1, 1, tzinfo=timezone.utc)}


@pytest.mark.parametrize(
    ("target", "body", "code", "part"),
    [
        ("ElasticMapReduce.Nonsense", b"{}", "UnknownOperationException", "Nonsense"),
        (RUN, b"{", "SerializationException", "not JSON"),
        (RUN, b"[]", "SerializationException", "not a JSON object"),
        (RUN, b"{}", "ValidationException", 'Missing required parameter in input: "Name"'),
        (RUN, b'{"Name": 3, "Instances": {}}', "ValidationException", "Name"),
        (RUN, b'{"Name": "a", "Instances": {}, "Nam": 1}', "ValidationException", "Nam"),
    ],
)
def test_what_is_not_a_request(target: str, body: bytes, code: str, part: str) -> None:
    with pytest.raises(Fault) as caught:
        protocol.parse(target, body)
    assert caught.value.code == code
    assert part in caught.value.message


def test_enumerations_and_lengths_are_checked_as_emr_words_it() -> None:
    group = {"InstanceRole": "BOSS", "InstanceType": "m5.xlarge", "InstanceCount": 1}
    with pytest.raises(Fault, match="1 validation error detected") as caught:
        _parse(RUN, {"Name": "a", "Instances": {"InstanceGroups": [group]}})
    assert "'instances.instanceGroups.1.member.instanceRole'" in caught.value.message
    assert "[MASTER, CORE, TASK]" in caught.value.message
    with pytest.raises(Fault, match="less than or equal to 256"):
        _parse(RUN, {"Name": "a" * 257, "Instances": {}})


def test_answers_have_epoch_seconds_and_no_empty_members() -> None:
    when = datetime(2026, 1, 2, tzinfo=timezone.utc)
    result = {"Cluster": {"Id": "j-1", "LogUri": None, "Status": {"Timeline": {}}}}
    result["Cluster"]["Status"] = {"Timeline": {"CreationDateTime": when}}
    text = json.loads(protocol.serialise("DescribeCluster", result))
    assert text == {
        "Cluster": {
            "Id": "j-1",
            "Status": {"Timeline": {"CreationDateTime": when.timestamp()}},
        }
    }


def test_an_answer_with_a_member_that_emr_does_not_have() -> None:
    with pytest.raises(ValueError, match="Nmae"):
        protocol.serialise("DescribeCluster", {"Cluster": {"Nmae": "x"}})
    with pytest.raises(ValueError, match="answers nothing"):
        protocol.serialise("TerminateJobFlows", {"Id": "x"})


def test_a_fault_names_its_code() -> None:
    assert json.loads(protocol.serialise_fault(validation("No."))) == {
        "__type": "ValidationException",
        "message": "No.",
    }
