"""Texts of nodes → values."""

import json
from pathlib import Path

import pytest

from lofn_aws.errors import InfrastructureError
from lofn_aws.facts.node_answers import (
    node_facts,
    probe_report,
    swarm_document,
    swarm_members,
)

# Recorded on the three nodes of a sandbox cluster, right after `up`.
RECORDED = Path(__file__).parents[2] / "golden" / "nodes"
FACTS = {
    "host": "ip-172-30-0-3.ec2.internal", "ip": "172.30.0.3", "primary": False,
    "provisioned": True, "docker_active": True, "docker_version": "20.10.24+dfsg1",
    "groups": {"hadoop": ["hadoop", "docker"], "yarn": None}, "nodemanager_sees_docker": None,
    "engine_version": "0.1.0", "python": "3.11.2",
    "swarm": {"state": "active", "node_id": "abc", "role": "worker",
              "manager": "172.30.0.2:2377"},
    "registry": True,
}


def test_recorded_facts_of_a_primary_and_of_a_core_node() -> None:
    primary = node_facts((RECORDED / "facts_primary.json").read_text(), "172.31.0.10")
    assert (primary.host, primary.ip) == ("ip-172-31-0-10.ec2.internal", "172.31.0.10")
    assert dict(primary.groups)["hadoop"] == ("hadoop", "docker", "hdfsadmingroup")
    assert primary.yarn_sees_docker is None, "there is no NodeManager on a primary"
    assert (primary.swarm.is_active, primary.swarm.role) == (True, "manager")
    core = node_facts((RECORDED / "facts_core.json").read_text(), "172.31.0.11")
    assert (core.docker_version, core.engine_version) == ("20.10.24+dfsg1", "0.1.0")
    assert core.python == "3.11.2"
    assert (core.docker_active, core.registry, core.yarn_sees_docker) == (True, True, True)
    assert core.lacks_docker_group == ()
    assert (core.swarm.role, core.swarm.manager) == ("worker", "172.31.0.10:2377")


def test_recorded_docker_node_ls() -> None:
    members = swarm_members((RECORDED / "node_ls.txt").read_text())
    assert [(m.host[:16], m.role, m.status) for m in members] == [
        ("ip-172-31-0-10.e", "manager", "Ready"),
        ("ip-172-31-0-11.e", "worker", "Ready"),
        ("ip-172-31-0-12.e", "worker", "Ready"),
    ]
    assert members[0].node_id == "ubxp59lww2magbx7fwt5pfoyw"


def test_facts() -> None:
    node = node_facts(json.dumps(FACTS), "172.30.0.3")
    assert node.ip == "172.30.0.3"
    assert node.groups == (("hadoop", ("hadoop", "docker")),)
    assert node.lacks_docker_group == ()
    assert node.yarn_sees_docker is None
    assert node.swarm.is_active
    assert node.swarm.manager == "172.30.0.2:2377"


def test_facts_of_a_node_without_anything() -> None:
    empty = dict.fromkeys(FACTS) | {"swarm": {"state": "", "manager": None}}
    node = node_facts(json.dumps(empty), "10.0.0.3")
    assert (node.ip, node.docker_active, node.registry) == ("10.0.0.3", False, False)
    assert node.swarm.state == "inactive"


def test_a_user_outside_the_group_is_named() -> None:
    node = node_facts(json.dumps(FACTS | {"groups": {"hadoop": ["hadoop"], "yarn": []}}), "h")
    assert node.lacks_docker_group == ("hadoop", "yarn")


@pytest.mark.parametrize("text", ["", "sudo: command not found", "[1]"])
def test_what_is_no_json_object_names_the_host(text: str) -> None:
    with pytest.raises(InfrastructureError, match=r"on 10\.0\.0\.3 should be a JSON object"):
        node_facts(text, "10.0.0.3")


def test_members() -> None:
    lines = [
        '{"Availability":"Active","EngineVersion":"20.10.24","Hostname":"ip-1","ID":"a",'
        '"ManagerStatus":"Leader","Self":true,"Status":"Ready","TLSStatus":"Ready"}',
        '{"Availability":"Active","EngineVersion":"20.10.24","Hostname":"ip-2","ID":"b",'
        '"ManagerStatus":"","Self":false,"Status":"Down","TLSStatus":"Ready"}',
    ]
    members = swarm_members("\n".join(lines) + "\n")
    assert [(m.node_id, m.host, m.status, m.role) for m in members] == [
        ("a", "ip-1", "Ready", "manager"), ("b", "ip-2", "Down", "worker")]
    assert swarm_members("") == ()


@pytest.mark.parametrize("data", [None, b"", b"{", b"[]", b'{"manager": "x"}'])
def test_a_swarm_record_that_says_nothing_is_none(data: bytes | None) -> None:
    assert swarm_document(data) is None


def test_a_swarm_record() -> None:
    found = swarm_document(b'{"manager": "10.0.0.2:2377", "token": "SWMTKN", "registry_tar": null}')
    assert found is not None
    assert (found.manager, found.token, found.registry_tar) == ("10.0.0.2:2377", "SWMTKN", "")


def test_a_probes_report_proves_only_nodes_without_a_problem() -> None:
    record = {"ip": "10.0.0.3", "host": "h", "user": "yarn", "docker_version": "20.10",
              "engine_version": "0.1.0", "pulled": True, "problem": None}
    bad = record | {"ip": "10.0.0.4", "problem": "RuntimeError: no"}
    text = json.dumps({"ok": False, "nodes": [record, bad], "missing": ["10.0.0.5"]})
    report = probe_report(text.encode())
    assert report is not None
    assert report.proven == {"10.0.0.3"}
    assert report.missing == ("10.0.0.5",)
    assert probe_report(None) is None
    assert probe_report(b'{"half') is None
