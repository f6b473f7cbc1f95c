"""How long a cluster has been idle, by the rules of EMR's auto-termination.

AWS's guide, "Using an auto-termination policy", for releases 6.4 and later: no active YARN
applications, HDFS less than 10 % full, no pending steps, and no recent touch of the primary's file
/emr/metricscollector/isbusy. Connections of notebooks and web interfaces are not looked at.
"""

from __future__ import annotations

import logging
import time

from lofn_aws.sandbox import hadoop
from lofn_aws.sandbox.node_api import Nodes
from lofn_aws.sandbox.state import Cluster, Instance

log = logging.getLogger(__name__)

BUSY_FILE = "/emr/metricscollector/isbusy"
# How long one touch of the file counts as activity.
BUSY_FILE_SECONDS = 60.0
HDFS_IDLE_PERCENT = 10.0
ASK_SECONDS = 10.0
CALL_SECONDS = 20.0


class IdleClock:
    """Remembers when each cluster was last seen active.

    Args:
        engine: the node engine, for the primary's file.
    """

    def __init__(self, engine: Nodes) -> None:
        self._engine = engine
        self._active_at: dict[str, float] = {}
        self._asked_at: dict[str, float] = {}

    def seconds(self, cluster: Cluster, monotonic: float) -> float:
        """Return how long the cluster has been idle; 0 where no policy asks for it.

        Args:
            cluster: the cluster.
            monotonic: the time now, in seconds of ``time.monotonic``.
        """
        if cluster.idle_timeout is None or cluster.status.state != "WAITING":
            self._active_at[cluster.id] = monotonic
            return 0.0
        if monotonic - self._asked_at.get(cluster.id, 0.0) >= ASK_SECONDS:
            self._asked_at[cluster.id] = monotonic
            if self._is_active(cluster):
                self._active_at[cluster.id] = monotonic
        return monotonic - self._active_at.setdefault(cluster.id, monotonic)

    def _is_active(self, cluster: Cluster) -> bool:
        primary = cluster.primary
        if cluster.active_steps() or primary is None:
            return True
        try:
            return bool(
                hadoop.unfinished_applications(primary.ip)
                or hadoop.hdfs_used_percent(primary.ip) >= HDFS_IDLE_PERCENT
                or self._was_touched(primary)
            )
        except hadoop.Unreachable as error:
            log.warning("%s: whether it is idle is not known: %s", cluster.id, error)
            return True

    def _was_touched(self, primary: Instance) -> bool:
        command = ["stat", "-c", "%Y", BUSY_FILE]
        result = self._engine.exec(primary.ec2_id, command, timeout=CALL_SECONDS)
        touched = result.stdout.decode().strip()
        return touched.isdigit() and time.time() - int(touched) < BUSY_FILE_SECONDS
