"""Brings instance groups to the count asked for: new nodes join, surplus ones are drained first."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from lofn_aws.sandbox import hadoop, node_info
from lofn_aws.sandbox.boot import BootFailed
from lofn_aws.sandbox.boot_report import explain_instance
from lofn_aws.sandbox.faults import Fault
from lofn_aws.sandbox.lifecycle import Lifecycle
from lofn_aws.sandbox.logs import LogPusher
from lofn_aws.sandbox.node_api import Nodes
from lofn_aws.sandbox.state import Cluster, Group, Instance, Store

log = logging.getLogger(__name__)

# EMR's yarn.resourcemanager.nodemanager-graceful-decommission-timeout-secs.
DECOMMISSION_SECONDS = 3600
HDFS_DRAIN_SECONDS = 600.0
POLL_SECONDS = 1.0
ADMIN_SECONDS = 60.0
PURPOSE_FAILED = "The instance group could not be resized: "


class Resizer:
    """Grows and shrinks instance groups of running clusters.

    Args:
        store: the service's memory.
        engine: the node engine.
        lifecycle: makes new nodes ready and removes old ones.
        pusher: copies the logs of nodes before they go.
    """

    def __init__(
        self, store: Store, engine: Nodes, lifecycle: Lifecycle, pusher: LogPusher
    ) -> None:
        self._store = store
        self._engine = engine
        self._lifecycle = lifecycle
        self._pusher = pusher

    def resize(self, cluster: Cluster, group: Group, shrink: Mapping[str, Any]) -> None:
        """Bring a group to its requested count in the background.

        Args:
            cluster, group: which.
            shrink: a ShrinkPolicy, which may name instances and a DecommissionTimeout.
        """
        with self._store.changing():
            if group.status.state not in ("PROVISIONING", "BOOTSTRAPPING"):
                group.status.become("RESIZING")
        self._lifecycle.work(cluster, lambda c: self._reconcile(c, group, shrink))

    def _reconcile(self, cluster: Cluster, group: Group, shrink: Mapping[str, Any]) -> None:
        with group.working:
            problem = ""
            while not problem and not cluster.stopping.is_set():
                with self._store.locked():
                    surplus = len(cluster.live(group)) - group.requested
                if surplus == 0:
                    break
                if surplus < 0:
                    problem = self._grow(cluster, group, -surplus)
                else:
                    problem = self._shrink(cluster, group, surplus, shrink)
            self._settle(cluster, group, problem)

    def _settle(self, cluster: Cluster, group: Group, problem: str) -> None:
        if cluster.stopping.is_set():
            return
        if problem:
            log.error("%s: %s of %s", cluster.id, problem, group.id)
        with self._store.changing():
            if problem:
                group.status.become("ARRESTED", "INSTANCE_FAILURE", PURPOSE_FAILED + problem)
            else:
                group.status.become("RUNNING")
                group.status.ready = group.status.ready or group.status.created

    def _grow(self, cluster: Cluster, group: Group, count: int) -> str:
        """Add nodes; return why it did not work, or an empty text."""
        try:
            with self._store.changing():
                nodes = self._lifecycle.add_instances(cluster, group, count)
        except Fault as refused:  # of the sandbox's network, and no fault of the cluster's
            return refused.message
        failures: Sequence[tuple[Instance, Exception]] = self._lifecycle.prepare(cluster, nodes)
        failed = [node for node, _ in failures]
        ready = [node for node in nodes if node not in failed]
        try:
            self._lifecycle.await_joined(cluster, ready)
        except BootFailed as error:
            failures = [*failures, *((node, error) for node in ready)]
        if not failures or cluster.stopping.is_set():
            return ""
        self._discard(cluster, failures)
        return str(failures[0][1])

    def _discard(self, cluster: Cluster, failures: Sequence[tuple[Instance, Exception]]) -> None:
        for node, _ in failures:
            self._pusher.push_node(cluster, node, daemons=True)
        self._lifecycle.remove([node for node, _ in failures])
        with self._store.changing():
            for node, error in failures:
                ending = explain_instance(error)
                self._lifecycle.terminated(node, ending.code, ending.message)

    def _shrink(self, cluster: Cluster, group: Group, count: int, shrink: Mapping[str, Any]) -> str:
        """Drain and remove nodes; return why it did not work, or an empty text."""
        policy = shrink.get("InstanceResizePolicy", {})
        with self._store.changing():
            leaving = choose_leaving(cluster.live(group), count, policy)
            for node in leaving:
                node.leaving = True
        seconds = int(shrink.get("DecommissionTimeout", DECOMMISSION_SECONDS))
        problem = self._drain(cluster, leaving, seconds)
        if problem:
            with self._store.changing():
                for node in leaving:
                    node.leaving = False
                group.requested = len(cluster.live(group))
            return problem
        self._pusher.push_containers(cluster)
        for node in leaving:
            self._pusher.push_node(cluster, node, daemons=True)
        self._lifecycle.remove(leaving)
        with self._store.changing():
            for node in leaving:
                self._lifecycle.terminated(node, "", "Instance was terminated by a resize.")
        return ""

    def _drain(self, cluster: Cluster, leaving: Sequence[Instance], seconds: int) -> str:
        """Decommission nodes in YARN and HDFS; return why HDFS could not, or an empty text.

        YARN's time limit ends in the node's loss, as on EMR; HDFS has none, since a block whose
        last copy is on the node would be lost with it.
        """
        primary = cluster.primary
        if primary is None:
            return "there is no primary node"
        names = {node.hostname for node in leaving}
        try:
            self._exclude(primary, names, seconds)
            self._await_yarn(cluster, primary, names, seconds)
            stores = {node.hostname for node in leaving if node.role == "CORE"}
            if not self._await_hdfs(cluster, primary, stores):
                self._exclude(primary, set(), seconds)
                return f"HDFS did not move its blocks within {HDFS_DRAIN_SECONDS:.0f} s"
            self._write_excludes(primary, set())
        except Exception as error:
            log.exception("%s: cannot drain %s", cluster.id, ", ".join(sorted(names)))
            return str(error)
        return ""

    def _exclude(self, primary: Instance, names: set[str], seconds: int) -> None:
        self._write_excludes(primary, names)
        graceful = ["-g", str(seconds), "-server"] if names else []
        self._admin(primary, "yarn", ["yarn", "rmadmin", "-refreshNodes", *graceful])
        self._admin(primary, "hdfs", ["hdfs", "dfsadmin", "-refreshNodes"])

    def _write_excludes(self, primary: Instance, names: set[str]) -> None:
        text = "".join(f"{name}\n" for name in sorted(names)).encode()
        for path in (node_info.YARN_EXCLUDE, node_info.HDFS_EXCLUDE):
            self._engine.put_file(primary.ec2_id, path, text)

    def _admin(self, primary: Instance, user: str, argv: list[str]) -> None:
        result = self._engine.exec(primary.ec2_id, argv, user=user, timeout=ADMIN_SECONDS)
        if result.exit_code != 0:
            said = result.stderr.decode(errors="replace").strip()[-300:]
            raise BootFailed(f"'{' '.join(argv)}' ended with exit code {result.exit_code}: {said}")

    def _await_yarn(
        self, cluster: Cluster, primary: Instance, names: set[str], seconds: int
    ) -> None:
        end = time.monotonic() + seconds + POLL_SECONDS
        while time.monotonic() < end and not cluster.stopping.is_set():
            if not names & hadoop.live_nodes(primary.ip):
                return
            time.sleep(POLL_SECONDS)
        log.warning("%s: YARN still uses %s, which goes now", cluster.id, ", ".join(sorted(names)))

    def _await_hdfs(self, cluster: Cluster, primary: Instance, names: set[str]) -> bool:
        end = time.monotonic() + HDFS_DRAIN_SECONDS
        while time.monotonic() < end and not cluster.stopping.is_set():
            states = hadoop.data_nodes(primary.ip)
            if all(states.get(name, "Decommissioned") == "Decommissioned" for name in names):
                return True
            time.sleep(POLL_SECONDS)
        return cluster.stopping.is_set()


def choose_leaving(
    live: Sequence[Instance], count: int, policy: Mapping[str, Any]
) -> list[Instance]:
    """Return which nodes of a group leave: named ones first, then the newest, protected ones last.

    Args:
        live: the group's nodes, oldest first.
        count: how many are to leave.
        policy: an InstanceResizePolicy.
    """
    named = policy.get("InstancesToTerminate", [])
    protected = policy.get("InstancesToProtect", [])

    def rank(item: tuple[int, Instance]) -> tuple[bool, bool, int]:
        position, node = item
        return node.ec2_id not in named, node.ec2_id in protected, -position

    return [node for _, node in sorted(enumerate(live), key=rank)[:count]]
