"""Takes clusters from STARTING to WAITING and from TERMINATING to their end, on threads."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence, Set

from lofn_aws.sandbox import hadoop
from lofn_aws.sandbox.boot import BootFailed, NodeBooter
from lofn_aws.sandbox.boot_report import Ending, explain, explain_instance
from lofn_aws.sandbox.faults import invalid
from lofn_aws.sandbox.logs import LogPusher
from lofn_aws.sandbox.network import private_host_name
from lofn_aws.sandbox.node_api import Nodes
from lofn_aws.sandbox.node_info import node_roles
from lofn_aws.sandbox.parallel import outcomes
from lofn_aws.sandbox.state import (
    ENDING_STATES,
    Cluster,
    Group,
    Instance,
    Status,
    Store,
    new_ec2_id,
    new_id,
    now,
)

log = logging.getLogger(__name__)

JOIN_SECONDS = 180.0
POLL_SECONDS = 0.5
WORKER_JOIN_SECONDS = 60.0


class Lifecycle:
    """Boots and ends clusters.

    Args:
        store: the service's memory.
        engine: the node engine.
        booter: makes one node ready.
        pusher: copies logs to S3.
        addresses: the addresses of the node network.
        when_ready: called with a cluster once, when it can run steps.
    """

    def __init__(
        self,
        store: Store,
        engine: Nodes,
        booter: NodeBooter,
        pusher: LogPusher,
        *,
        addresses: Sequence[str],
        when_ready: Callable[[Cluster], None],
    ) -> None:
        self._store = store
        self._engine = engine
        self._booter = booter
        self._pusher = pusher
        self._addresses = deque(addresses)
        self._when_ready = when_ready
        self._workers: dict[str, list[threading.Thread]] = {}

    def launch(self, cluster: Cluster) -> None:
        """Create the nodes of all groups, in the background.

        Raises:
            Fault: there is not an address for each of them; no node was begun.
        """
        with self._store.changing():
            for group in cluster.groups:
                self.add_instances(cluster, group, group.requested)
        self.work(cluster, self._boot)

    def work(self, cluster: Cluster, task: Callable[[Cluster], None]) -> None:
        """Run a task for a cluster on a thread that the cluster's end waits for.

        A task that raises ends the cluster: nobody would know its state any more.
        """

        def guarded() -> None:
            try:
                task(cluster)
            except Exception as error:
                log.exception("%s: a task of the service failed", cluster.id)
                ending = Ending("INTERNAL_ERROR", f"An internal error occurred: {error}")
                self.end(cluster, "TERMINATED_WITH_ERRORS", ending)

        thread = threading.Thread(target=guarded, name=cluster.id, daemon=True)
        with self._store.locked():
            running = [t for t in self._workers.get(cluster.id, []) if t.is_alive()]
            self._workers[cluster.id] = [*running, thread]
            thread.start()

    def add_instances(self, cluster: Cluster, group: Group, count: int) -> list[Instance]:
        """Record so many new nodes of a group, or none; the caller holds the store's lock.

        Raises:
            Fault: the node network has too few free addresses.
        """
        used = {node.ip for known in self._store.clusters.values() for node in known.live()}
        made: list[Instance] = []
        for _ in range(count):
            ip = self._free_address(used)
            used.add(ip)
            made.append(
                Instance(
                    id=new_id("ci-"),
                    ec2_id=new_ec2_id(),
                    group_id=group.id,
                    role=group.role,
                    instance_type=group.instance_type,
                    market=group.market,
                    ip=ip,
                    hostname=private_host_name(ip),
                    status=Status("PROVISIONING"),
                )
            )
        cluster.instances += made
        return made

    def _free_address(self, used: Set[str]) -> str:
        """Return the address that has been unused for longest."""
        for _ in range(len(self._addresses)):
            self._addresses.rotate(-1)
            if self._addresses[-1] not in used:
                return self._addresses[-1]
        raise invalid(f"All {len(self._addresses)} addresses of the sandbox's network are in use.")

    def _boot(self, cluster: Cluster) -> None:
        started = time.monotonic()
        ending = self._try_to_boot(cluster)
        if cluster.stopping.is_set():
            return
        if ending is not None:
            log.error("%s: %s", cluster.id, ending.message)
            self.end(cluster, "TERMINATED_WITH_ERRORS", ending)
            return
        log.info("%s: ready after %.1f s", cluster.id, time.monotonic() - started)
        with self._store.changing():
            cluster.status.ready = now()
            cluster.status.become("WAITING", message="Cluster ready to run steps.")
            for group in cluster.groups:
                group.status.become("RUNNING")
                group.status.ready = now()
        self._when_ready(cluster)

    def _try_to_boot(self, cluster: Cluster) -> Ending | None:
        failures = self.prepare(cluster, cluster.live())
        if failures:
            self._blame(failures)
            return explain(failures)
        try:
            self.await_joined(cluster, cluster.live())
        except BootFailed as error:
            where = "after bootstrap actions were run Hadoop failed to launch"
            return Ending("INTERNAL_ERROR", f"On the master instance, {where}: {error}")
        return None

    def _blame(self, failures: Sequence[tuple[Instance, Exception]]) -> None:
        with self._store.changing():
            for node, error in failures:
                ending = explain_instance(error)
                node.status.become(node.status.state, ending.code, ending.message)

    def prepare(
        self, cluster: Cluster, nodes: Sequence[Instance]
    ) -> list[tuple[Instance, Exception]]:
        """Boot, bootstrap and provision nodes, all at once; return the failed ones with why."""

        def one(node: Instance) -> None:
            self._go_on(cluster)
            self._booter.create(cluster, node)
            self._enter_bootstrapping(cluster, node)
            self._booter.bootstrap(cluster, node)
            self._go_on(cluster)
            self._booter.provision(cluster, node)

        done = outcomes(nodes, one)
        return [(node, outcome) for node, outcome in done if isinstance(outcome, Exception)]

    @staticmethod
    def _go_on(cluster: Cluster) -> None:
        if cluster.stopping.is_set():
            raise BootFailed("the cluster is ending")

    def _enter_bootstrapping(self, cluster: Cluster, node: Instance) -> None:
        with self._store.changing():
            node.status.become("BOOTSTRAPPING")
            if node.role == "MASTER":
                cluster.primary_address = node.ip
            group = cluster.group(node.group_id)
            if group is not None and group.status.state == "PROVISIONING":
                group.status.become("BOOTSTRAPPING")
            if cluster.status.state == "STARTING":
                cluster.status.become("BOOTSTRAPPING", message="Running bootstrap actions")

    def await_joined(self, cluster: Cluster, nodes: Sequence[Instance]) -> None:
        """Wait until HDFS and YARN count the nodes as theirs, then say so on each node.

        Raises:
            BootFailed: not within ``JOIN_SECONDS``; the message says who is missing.
        """
        primary = cluster.primary
        if primary is None:
            raise BootFailed("there is no primary node")
        end = time.monotonic() + JOIN_SECONDS
        missing = "the ResourceManager has not been asked yet"
        while missing:
            self._go_on(cluster)
            try:
                missing = self._missing(cluster, primary.ip, nodes)
            except hadoop.Unreachable as error:
                missing = str(error)
            if missing and time.monotonic() > end:
                raise BootFailed(f"not within {JOIN_SECONDS:.0f} s: {missing}")
            if missing:
                time.sleep(POLL_SECONDS)
        for node, outcome in outcomes(nodes, lambda n: self._booter.mark_ready(cluster, n)):
            if isinstance(outcome, Exception):
                raise BootFailed(f"{node.ec2_id}: {outcome}")
        with self._store.changing():
            for node in nodes:
                node.status.become("RUNNING")
                node.status.ready = now()

    @staticmethod
    def _missing(cluster: Cluster, primary_ip: str, nodes: Sequence[Instance]) -> str:
        roles = {node.hostname: node_roles(cluster, node) for node in nodes}
        workers = {name for name, has in roles.items() if has != ["primary"]}
        stores = {name for name, has in roles.items() if "core" in has}
        if not hadoop.hdfs_is_writable(primary_ip):
            return "HDFS is in safe mode"
        late = workers - hadoop.active_nodes(primary_ip)
        if late:
            return f"YARN does not have {', '.join(sorted(late))}"
        late = stores - set(hadoop.data_nodes(primary_ip))
        return f"HDFS does not have {', '.join(sorted(late))}" if late else ""

    def end(self, cluster: Cluster, final_state: str, ending: Ending) -> None:
        """Begin to end a cluster, unless that has begun; its nodes go in the background."""
        with self._store.changing():
            if cluster.status.state in ENDING_STATES:
                return
            log.info("%s: ending, %s %s", cluster.id, ending.code, ending.message)
            cluster.status.become("TERMINATING", ending.code, ending.message)
            cluster.error_details = list(ending.details)
            cluster.stopping.set()
            for group in cluster.groups:
                group.status.become("TERMINATING", "CLUSTER_TERMINATED", "Job flow terminated")
        threading.Thread(
            target=self._finish, args=(cluster, final_state), name=f"end {cluster.id}", daemon=True
        ).start()

    def _finish(self, cluster: Cluster, final_state: str) -> None:
        try:
            self._pusher.push_everything(cluster)
        except Exception:
            log.exception("%s: the last logs were not copied", cluster.id)
        self.remove(cluster.instances)
        self._join_workers(cluster)
        # A boot that was under way may have made nodes until it noticed.
        self.remove(cluster.instances)
        with self._store.changing():
            for step in cluster.active_steps():
                step.status.become("CANCELLED", message="The cluster was terminated")
                step.status.ended = now()
            for node in cluster.live():
                blame = (node.status.code, node.status.message)
                if not node.status.code:
                    blame = ("CLUSTER_TERMINATED", "Instance was terminated.")
                self.terminated(node, *blame)
            for group in cluster.groups:
                group.status.become("TERMINATED", "CLUSTER_TERMINATED", "Job flow terminated")
                group.status.ended = now()
            cluster.status.become(final_state, cluster.status.code, cluster.status.message)
            cluster.status.ended = now()
        log.info("%s: %s", cluster.id, final_state)

    def _join_workers(self, cluster: Cluster) -> None:
        end = time.monotonic() + WORKER_JOIN_SECONDS
        with self._store.locked():
            workers = self._workers.pop(cluster.id, [])
        for thread in workers:
            if thread is not threading.current_thread():
                thread.join(max(0.0, end - time.monotonic()))

    def remove(self, nodes: Sequence[Instance]) -> None:
        """Remove the containers of nodes; what cannot be removed is left to the next sweep."""
        for node, outcome in outcomes(nodes, lambda n: self._engine.remove_node(n.ec2_id)):
            if isinstance(outcome, Exception):
                log.warning("%s is left for the next sweep: %s", node.ec2_id, outcome)

    @staticmethod
    def terminated(node: Instance, code: str, message: str) -> None:
        """Record that a node is gone; the caller holds the store's lock."""
        node.status.become("TERMINATED", code, message)
        node.status.ended = now()
