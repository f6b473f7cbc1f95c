"""What the cluster's own HDFS and YARN say, asked over their HTTP interfaces from the host."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

RESOURCE_MANAGER_PORT = 8088
NAME_NODE_PORT = 9870
TIMEOUT_SECONDS = 5.0

# Addresses of nodes are never reached through a proxy that the environment names.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Unreachable(Exception):
    """The daemon did not give an answer that can be read."""


def active_nodes(primary_ip: str) -> set[str]:
    """Return the host names of the NodeManagers that the ResourceManager counts as running."""
    return {node["nodeHostName"] for node in _nodes(primary_ip) if node["state"] == "RUNNING"}


def live_nodes(primary_ip: str) -> set[str]:
    """Return the host names of NodeManagers that run or are being decommissioned."""
    states = ("RUNNING", "DECOMMISSIONING", "UNHEALTHY")
    return {n["nodeHostName"] for n in _nodes(primary_ip, states) if n["state"] in states}


def _nodes(primary_ip: str, states: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    query = "?states=" + ",".join(states) if states else ""
    answer = _get(primary_ip, RESOURCE_MANAGER_PORT, "/ws/v1/cluster/nodes" + query)
    return list((answer.get("nodes") or {}).get("node", []))


def unfinished_applications(primary_ip: str) -> list[str]:
    """Return the ids of the YARN applications that have not ended."""
    states = "NEW,NEW_SAVING,SUBMITTED,ACCEPTED,RUNNING"
    answer = _get(primary_ip, RESOURCE_MANAGER_PORT, f"/ws/v1/cluster/apps?states={states}")
    return [app["id"] for app in (answer.get("apps") or {}).get("app", [])]


def data_nodes(primary_ip: str) -> dict[str, str]:
    """Return the live DataNodes by host name, each with its state ("In Service", …)."""
    info = _bean(primary_ip, "NameNodeInfo")
    nodes = json.loads(info["LiveNodes"])
    return {name.partition(":")[0]: node.get("adminState", "") for name, node in nodes.items()}


def hdfs_is_writable(primary_ip: str) -> bool:
    """Return whether the NameNode has left its safe mode."""
    return not _bean(primary_ip, "NameNodeInfo")["Safemode"]


def hdfs_used_percent(primary_ip: str) -> float:
    """Return how much of HDFS's capacity is used, 0 to 100."""
    info = _bean(primary_ip, "NameNodeInfo")
    # The NameNode's own PercentUsed says 100 where no DataNode has joined.
    return 100.0 * info["Used"] / info["Total"] if info["Total"] else 0.0


def _bean(primary_ip: str, name: str) -> dict[str, Any]:
    answer = _get(primary_ip, NAME_NODE_PORT, f"/jmx?qry=Hadoop:service=NameNode,name={name}")
    if not answer.get("beans"):
        raise Unreachable(f"the NameNode at {primary_ip} has no {name} yet")
    return dict(answer["beans"][0])


def _get(host: str, port: int, path: str) -> dict[str, Any]:
    url = f"http://{host}:{port}{path}"
    try:
        with _opener.open(url, timeout=TIMEOUT_SECONDS) as response:
            return dict(json.load(response))
    except (OSError, ValueError) as error:
        raise Unreachable(f"{url}: {error}") from error
