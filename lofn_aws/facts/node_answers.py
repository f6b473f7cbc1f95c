"""Texts of nodes (lofn-node, docker, the probe) → values of the model."""

import json
from collections.abc import Mapping
from typing import Any

from lofn_aws.errors import InfrastructureError
from lofn_aws.model.node import (
    NodeFacts,
    ProbeRecord,
    ProbeReport,
    SwarmDocument,
    SwarmMember,
    SwarmState,
)


def _object(text: str, what: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        shown = text.strip()[:80] or "nothing"
        raise InfrastructureError(f"{what} should be a JSON object and is: {shown}", "lofn-aws up")
    return value


def node_facts(text: str, host: str) -> NodeFacts:
    """Parse what ``lofn-node facts`` prints; ``host`` is named when it cannot be read.

    Raises InfrastructureError for a text that is not one JSON object.
    """
    answer = _object(text, f"what lofn-node facts printed on {host}")
    swarm = answer.get("swarm") or {}
    groups = answer.get("groups") or {}
    return NodeFacts(
        host=answer.get("host") or host,
        ip=answer.get("ip") or host,
        docker_version=answer.get("docker_version") or "",
        docker_active=bool(answer.get("docker_active")),
        groups=tuple((u, tuple(g)) for u, g in sorted(groups.items()) if g is not None),
        yarn_sees_docker=answer.get("nodemanager_sees_docker"),
        engine_version=answer.get("engine_version") or "",
        python=answer.get("python") or "",
        swarm=SwarmState(
            state=swarm.get("state") or "inactive",
            role=swarm.get("role") or "",
            node_id=swarm.get("node_id") or "",
            manager=swarm.get("manager") or "",
        ),
        registry=bool(answer.get("registry")),
    )


def swarm_members(text: str) -> tuple[SwarmMember, ...]:
    """Parse ``docker node ls --format '{{json .}}'``, one JSON object a line."""
    lines = [_object(line, "a line of docker node ls") for line in text.splitlines() if line]
    return tuple(
        SwarmMember(
            node_id=str(line.get("ID", "")),
            host=str(line.get("Hostname", "")),
            status=str(line.get("Status", "")),
            role="manager" if line.get("ManagerStatus") else "worker",
        )
        for line in lines
    )


def swarm_document(data: bytes | None) -> SwarmDocument | None:
    """Parse swarm.json; None when there is none or it is not what `up` writes."""
    try:
        answer = json.loads(data or b"null")
    except ValueError:
        return None
    if not isinstance(answer, dict) or not answer.get("manager") or not answer.get("token"):
        return None
    return SwarmDocument(
        manager=answer["manager"],
        token=answer["token"],
        registry_image=answer.get("registry_image") or "",
        registry_tar=answer.get("registry_tar") or "",
    )


def probe_report(data: bytes | None) -> ProbeReport | None:
    """Parse the probe's report; None when there is none or it is not complete."""
    try:
        answer = json.loads(data or b"null")
    except ValueError:
        return None
    if not isinstance(answer, dict) or "nodes" not in answer:
        return None
    return ProbeReport(
        ok=bool(answer.get("ok")),
        records=tuple(
            ProbeRecord(
                ip=n.get("ip") or "",
                host=n.get("host") or "",
                user=n.get("user") or "",
                docker_version=n.get("docker_version") or "",
                engine_version=n.get("engine_version") or "",
                pulled=bool(n.get("pulled")),
                problem=n.get("problem") or "",
            )
            for n in answer["nodes"]
        ),
        missing=tuple(answer.get("missing") or ()),
    )
