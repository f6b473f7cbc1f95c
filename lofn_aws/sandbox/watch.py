"""Looks after ready clusters: notices nodes that died and clusters that have been idle too long."""

from __future__ import annotations

import logging
import threading
import time

from lofn_aws.sandbox.boot_report import Ending
from lofn_aws.sandbox.idle import IdleClock
from lofn_aws.sandbox.lifecycle import Lifecycle
from lofn_aws.sandbox.logs import LogPusher
from lofn_aws.sandbox.node_api import Nodes
from lofn_aws.sandbox.resize import Resizer
from lofn_aws.sandbox.state import Cluster, Instance, Store

log = logging.getLogger(__name__)

LOOK_SECONDS = 3.0
# EMR copies logs to S3 about every five minutes.
PUSH_SECONDS = 300.0


class Watch:
    """One thread that looks at every cluster again and again.

    Args:
        store: the service's memory.
        engine: the node engine.
        lifecycle: ends clusters.
        resizer: replaces nodes that died, as EMR does.
        idle: knows how long each cluster has been idle.
        pusher: copies the logs of ready clusters now and then, as EMR does.
    """

    def __init__(
        self,
        store: Store,
        engine: Nodes,
        *,
        lifecycle: Lifecycle,
        resizer: Resizer,
        idle: IdleClock,
        pusher: LogPusher,
    ) -> None:
        self._store = store
        self._engine = engine
        self._lifecycle = lifecycle
        self._resizer = resizer
        self._idle = idle
        self._pusher = pusher
        self._pushed_at: dict[str, float] = {}
        self._stop = threading.Event()

    def start(self) -> None:
        """Begin to look, in the background."""
        threading.Thread(target=self._look_on, name="watch", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()

    def _look_on(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            for cluster in self._store.alive():
                try:
                    self.look(cluster)
                    self._look_at_idleness(cluster)
                    self._look_at_logs(cluster)
                except Exception:
                    log.exception("%s: cannot be looked after", cluster.id)

    def look(self, cluster: Cluster) -> None:
        """Notice the cluster's nodes that have died."""
        for node in self._dead_nodes(cluster):
            self._bury(cluster, node)

    def _look_at_idleness(self, cluster: Cluster) -> None:
        idle = self._idle.seconds(cluster, time.monotonic())
        limit = cluster.idle_timeout
        if limit is not None and idle >= limit and not cluster.protected:
            message = f"Terminated by its auto-termination policy after {limit} s without activity"
            self._lifecycle.end(cluster, "TERMINATED", Ending("ALL_STEPS_COMPLETED", message))

    def _look_at_logs(self, cluster: Cluster) -> None:
        began = self._pushed_at.setdefault(cluster.id, time.monotonic())
        if cluster.status.ready is not None and time.monotonic() - began >= PUSH_SECONDS:
            self._pushed_at[cluster.id] = time.monotonic()
            self._lifecycle.work(cluster, self._pusher.push_everything)

    def _dead_nodes(self, cluster: Cluster) -> list[Instance]:
        running = [n for n in cluster.live() if n.status.state == "RUNNING" and not n.leaving]
        return [node for node in running if not self._engine.alive(node.ec2_id)]

    def _bury(self, cluster: Cluster, node: Instance) -> None:
        log.error("%s: node %s (%s) died", cluster.id, node.ec2_id, node.role)
        with self._store.changing():
            if cluster.stopping.is_set() or node.leaving or not node.is_live:
                return
            message = f"Instance {node.ec2_id} stopped without having been asked to."
            self._lifecycle.terminated(node, "INSTANCE_FAILURE", message)
        self._lifecycle.remove([node])
        if node.role == "MASTER":
            ending = Ending("INSTANCE_FAILURE", f"The master node {node.ec2_id} failed.")
            self._lifecycle.end(cluster, "TERMINATED_WITH_ERRORS", ending)
            return
        group = cluster.group(node.group_id)
        if group is not None and group.status.state != "ARRESTED":
            self._resizer.resize(cluster, group, {})
