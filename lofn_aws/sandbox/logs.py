"""Copies what nodes wrote to LogUri, gzipped and in EMR's layout.

LogUri/<cluster>/steps/<step>/…, LogUri/<cluster>/node/<instance>/…,
LogUri/<cluster>/containers/<application>/<container>/….
"""

from __future__ import annotations

import gzip
import io
import logging
import tarfile
import threading
from collections.abc import Iterator
from typing import Any

from lofn_aws.sandbox.account import Account
from lofn_aws.sandbox.node_api import Nodes
from lofn_aws.sandbox.parallel import outcomes
from lofn_aws.sandbox.state import Cluster, Instance, Step

log = logging.getLogger(__name__)

STEP_LOGS = "/mnt/var/log/hadoop/steps"
CONTAINER_LOGS = "/mnt/var/log/hadoop-yarn/containers"
# Under /mnt/var/log of a node, what goes below LogUri/<cluster>/node/<instance>/.
NODE_LOGS = {"bootstrap-actions": "bootstrap-actions", "provision-node": "provision-node"}
DAEMON_LOGS = {
    "hadoop-hdfs": "applications/hadoop-hdfs",
    "hadoop-yarn": "applications/hadoop-yarn",
}
READ_TIMEOUT = 120.0
# One file of a node that is larger than this is copied from its end only.
MAX_FILE_BYTES = 64 * 1024 * 1024


class LogPusher:
    """Pushes logs to S3. A cluster without LogUri has none; a bucket that is not there is noted."""

    def __init__(self, engine: Nodes, account: Account) -> None:
        self._engine = engine
        self._account = account
        self._pushed: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    def push_step(self, cluster: Cluster, step: Step) -> None:
        """Copy controller, syslog, stdout and stderr of a step."""
        primary = cluster.primary
        if primary is not None:
            self._push(cluster, primary, f"{STEP_LOGS}/{step.id}", f"steps/{step.id}")

    def push_node(self, cluster: Cluster, node: Instance, *, daemons: bool = False) -> None:
        """Copy what bootstrap actions and the set-up of applications wrote on a node.

        Args:
            cluster, node: whose.
            daemons: copy the logs of HDFS's and YARN's daemons too.
        """
        folders = {**NODE_LOGS, **DAEMON_LOGS} if daemons else NODE_LOGS
        for folder, target in folders.items():
            self._push(cluster, node, f"/mnt/var/log/{folder}", f"node/{node.ec2_id}/{target}")

    def push_containers(self, cluster: Cluster) -> None:
        """Copy the logs of YARN's containers from every node."""
        self._each(cluster, lambda node: self._push(cluster, node, CONTAINER_LOGS, "containers"))

    def push_everything(self, cluster: Cluster) -> None:
        """Copy all that has been written since the last time: steps, nodes, containers."""
        primary = cluster.primary
        if primary is not None:
            self._push(cluster, primary, STEP_LOGS, "steps")
        self._each(cluster, lambda node: self.push_node(cluster, node, daemons=True))
        self.push_containers(cluster)

    def _each(self, cluster: Cluster, action: Any) -> None:
        for node, outcome in outcomes(cluster.live(), action):
            if isinstance(outcome, Exception):
                log.warning("%s: no logs from %s: %s", cluster.id, node.ec2_id, outcome)

    def _push(self, cluster: Cluster, node: Instance, folder: str, target: str) -> None:
        if cluster.log_uri is None or not self._engine.alive(node.ec2_id):
            return
        try:
            sizes = self._changed(node, folder)
            for name, data in self._read(node, folder, list(sizes)):
                uri = f"{cluster.log_uri}/{cluster.id}/{target}/{name}.gz"
                if not self._account.write_object(uri, gzip.compress(data, compresslevel=3)):
                    log.warning("%s: S3 did not take %s", cluster.id, uri)
                    return
                with self._lock:
                    self._pushed[node.ec2_id, f"{folder}/{name}"] = sizes[name]
        except Exception as error:  # logs never decide what becomes of a cluster
            log.warning("%s: cannot copy %s of %s: %s", cluster.id, folder, node.ec2_id, error)

    def _changed(self, node: Instance, folder: str) -> dict[str, int]:
        """Return name and size of the files below a folder that are not yet in S3 at that size."""
        result = self._exec(node, ["find", folder, "-type", "f", "-printf", r"%s %P\0"])
        entries = result.stdout.decode(errors="replace").split("\0")
        pairs = [entry.partition(" ") for entry in entries if entry]
        with self._lock:
            return {
                name: int(size)
                for size, _, name in pairs
                if size.isdigit()
                and self._pushed.get((node.ec2_id, f"{folder}/{name}")) != int(size)
            }

    def _read(self, node: Instance, folder: str, names: list[str]) -> Iterator[tuple[str, bytes]]:
        if not names:
            return
        # Files may still grow: tar says so with exit code 1 and gives what was there.
        command = ["tar", "-C", folder, "--ignore-failed-read", "-cf", "-", "--", *names]
        archive = io.BytesIO(self._exec(node, command).stdout)
        with tarfile.open(fileobj=archive, mode="r|") as tar:
            for member in tar:
                source = tar.extractfile(member)
                if source is not None:
                    yield member.name, source.read()[-MAX_FILE_BYTES:]

    def _exec(self, node: Instance, argv: list[str]) -> Any:
        return self._engine.exec(node.ec2_id, argv, user="root", timeout=READ_TIMEOUT)
