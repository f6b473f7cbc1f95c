"""Start this node's Hadoop daemons and wait until the cluster has them."""

import glob
import json
import socket
import time
import urllib.error
import urllib.request
from typing import Any, Callable

from emr_node import settings
from emr_node.system import ProvisionError, run

RESTARTS_TOO_MANY = 3
UNITS_FOLDER = "/usr/lib/hadoop/systemd"
UNITS = {
    "primary": ["hadoop-hdfs-namenode", "hadoop-yarn-resourcemanager"],
    "core": ["hadoop-hdfs-datanode", "hadoop-yarn-nodemanager"],
    "task": ["hadoop-yarn-nodemanager"],
}


def start(role: str) -> list[str]:
    """Enable and start the units of a role; returns their names."""
    units = UNITS[role]
    run(["systemctl", "enable", "--quiet", *(f"{UNITS_FOLDER}/{unit}.service" for unit in units)])
    run(["systemctl", "start", "--no-block", *units])
    return units


def wait(role: str, primary: str, units: list[str], deadline_seconds: float) -> None:
    """Return when HDFS and YARN have this node; ProvisionError with a unit's last lines if not."""
    probes: dict[str, Callable[[], bool]] = {
        "hadoop-hdfs-namenode": lambda: _open(primary, settings.NAMENODE_PORT),
        "hadoop-yarn-resourcemanager": lambda: _open(primary, settings.RESOURCEMANAGER_PORT),
        "hadoop-hdfs-datanode": lambda: _datanode_known(primary),
        "hadoop-yarn-nodemanager": lambda: _nodemanager_known(primary),
    }
    deadline = time.monotonic() + deadline_seconds
    for unit in units:
        while not probes[unit]():
            _refuse_if_failed(unit)
            if time.monotonic() > deadline:
                raise ProvisionError(
                    f"{unit} was not in service within {deadline_seconds:.0f} s: {_last(unit)}"
                )
            time.sleep(0.25)


def _open(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True


def _datanode_known(primary: str) -> bool:
    query = "Hadoop:service=NameNode,name=NameNodeInfo"
    beans = _json(f"http://{primary}:{settings.NAMENODE_HTTP_PORT}/jmx?qry={query}").get("beans")
    return bool(beans) and _me(json.loads(beans[0]["LiveNodes"]))


def _nodemanager_known(primary: str) -> bool:
    api = f"http://{primary}:{settings.RESOURCEMANAGER_HTTP_PORT}/ws/v1"
    nodes = (_json(f"{api}/cluster/nodes?states=RUNNING").get("nodes") or {}).get("node") or []
    return _me([node["nodeHostName"] for node in nodes])


def _me(hosts: Any) -> bool:
    """Whether this node is among host names, some of which carry a port."""
    names = {socket.gethostname(), socket.getfqdn()}
    return any(host.split(":")[0] in names for host in hosts)


def _json(url: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:
            return json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return {}


def _refuse_if_failed(unit: str) -> None:
    shown = run(["systemctl", "show", "--property=ActiveState,NRestarts", unit], timeout=20)
    state = dict(line.split("=", 1) for line in shown.splitlines())
    if state["ActiveState"] == "failed" or int(state["NRestarts"]) >= RESTARTS_TOO_MANY:
        raise ProvisionError(f"{unit} does not start: {_last(unit)}")


def _last(unit: str) -> str:
    """The newest errors of a unit's log file, else what systemd's journal has of it."""
    folder = unit.rsplit("-", 1)[0]
    lines: list[str] = []
    for path in glob.glob(f"/var/log/{folder}/{unit}-*.log"):
        with open(path, encoding="utf-8", errors="replace") as log:
            lines += [line for line in log if " ERROR " in line or "Exception: " in line]
    if not lines:
        journal = run(["journalctl", "--no-pager", "--output=cat", "--lines=6", f"--unit={unit}"])
        lines = journal.splitlines()
    return " / ".join(line.strip() for line in lines[-3:] if line.strip())
