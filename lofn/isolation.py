"""How a task gets its container: a fresh one, the one on standby, or one that is used again."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress

from lofn.box import Box, NoShell
from lofn.command import Command
from lofn.containers import Docker
from lofn.docker_handler import DockerFailure
from lofn.docker_http import ApiError
from lofn.folders import WorkerFolder
from lofn.metrics import Tally
from lofn.plan import BoxPlan
from lofn.reaper import sweep
from lofn.watchdog import spawn
from lofn.zip_caches import keep_unchanged

STANDBY_SECONDS = 10.0  # a container that waited this long for a partition is given up
_OF_ONE_TASK = ("lofn.partition", "lofn.attempt")


class Pool:
    """The containers of one Python worker and everything that keeps them from outliving it."""

    def __init__(self, parent: str | None) -> None:
        self._clients = threading.local()
        self.folder = WorkerFolder(parent)
        self._life = spawn(self.folder.id, self.folder.path)
        self._pid = os.getpid()
        self._standby: dict[str, tuple[Future[Box], threading.Timer]] = {}
        self._kept: dict[str, list[Box]] = {}  # a task that maps and reduces has two at a time
        self._networks: dict[str, Box] = {}
        self._shell_less: set[str] = set()
        self._lock = threading.RLock()
        self._background = ThreadPoolExecutor(1, "lofn-standby")
        self._sweeper = threading.Thread(target=self._sweep, args=(parent,), daemon=True)
        self._sweeper.start()

    def _sweep(self, parent: str | None) -> None:
        with suppress(DockerFailure, OSError):
            sweep(Docker(), parent)

    @property
    def docker(self) -> Docker:
        """This thread's own client: beside the task's there are those that feed or prepare."""
        found: Docker | None = getattr(self._clients, "docker", None)
        if found is None:
            found = self._clients.docker = Docker()
        return found

    @contextmanager
    def box(
        self, plan: BoxPlan, command: Command, labels: dict[str, str], more: bool, tally: Tally
    ) -> Iterator[Box]:
        """Give a container that was asked to do nothing yet; closed, or kept, after the block.

        ``more`` says that this worker will probably want another soon, so that one is prepared
        while this one computes. Raises DockerFailure, OSError.
        """
        start = time.monotonic()
        box = self._take(plan, command, labels, tally)
        tally.add(seconds_waiting_for_docker=time.monotonic() - start)
        if more and not plan.reuse and plan.image not in self._shell_less:
            self._prepare(plan, labels)
        good = False
        try:
            yield box
            good = True
        finally:
            self._give_back(box, good)

    def _take(self, plan: BoxPlan, command: Command, labels: dict[str, str], tally: Tally) -> Box:
        if plan.reuse:
            kept = self._take_kept(plan.key)
            if kept is not None:
                tally.add(containers_reused=1)
                return kept
        tally.add(containers_started=1)
        with self._lock:
            ready, timer = self._standby.pop(plan.key, (None, None))
        if ready is not None and timer is not None:
            timer.cancel()
            with suppress(DockerFailure, OSError):
                box = ready.result()
                if box.usable():
                    # Labels are for good; the name of a container made ahead can still say whose
                    # it is. That takes some ms of Docker's and is not waited for.
                    name = _task_name(box.name, labels)
                    self._background.submit(self._rename, box.container, name)
                    return box
                box.close(self.docker, kill=True)
        if plan.image not in self._shell_less:
            try:
                return self._make(self.docker, plan, _lasting(labels) if plan.reuse else labels)
            except NoShell:
                self._shell_less.add(plan.image)
        box = Box(plan, self.folder, plan.network)
        box.make(self.docker, labels, command)
        return box

    def _take_kept(self, key: str) -> Box | None:
        kept = self._kept.get(key, [])
        while kept:
            box = kept.pop()
            if box.usable():
                return box
            box.close(self.docker, kill=True)
        return None

    def _give_back(self, box: Box, good: bool) -> None:
        if good and box.plan.reuse and box.alive and box.waits:
            try:
                box.clear(self.docker)
            except (DockerFailure, OSError):  # then the next partition would see these files
                box.close(self.docker, kill=True)
                return
            self._kept.setdefault(box.plan.key, []).append(box)
            return
        box.close(self.docker, kill=not good or not box.waits)

    # -- standby -----------------------------------------------------------------------------

    def _prepare(self, plan: BoxPlan, labels: dict[str, str]) -> None:
        if plan.key in self._standby:
            return
        future = self._background.submit(self._make_ahead, plan, _lasting(labels))
        timer = threading.Timer(STANDBY_SECONDS, self._give_up, (plan.key, future))
        timer.daemon = True
        self._standby[plan.key] = (future, timer)
        timer.start()

    def _make_ahead(self, plan: BoxPlan, labels: dict[str, str]) -> Box:
        return self._make(self.docker, plan, labels)

    def _rename(self, container: str, name: str) -> None:
        self.docker.rename(container, name)

    def _give_up(self, key: str, future: Future[Box]) -> None:
        """Close a standby that nobody took; runs in a timer's thread."""
        with self._lock:
            if self._standby.get(key, (None, None))[0] is not future:
                return
            del self._standby[key]
        docker = Docker()
        with suppress(DockerFailure, OSError):
            future.result().close(docker)
        docker.close()

    # -- making ------------------------------------------------------------------------------

    def _make(self, docker: Docker, plan: BoxPlan, labels: dict[str, str]) -> Box:
        network = plan.network
        if plan.shares_network:
            network = self._shared_network(docker, plan, labels)
        box = Box(plan, self.folder, network)
        try:
            box.make(docker, labels, None)
        except ApiError as error:
            holder = network.partition(":")[2]
            told = "network" in error.reason or (holder and holder in error.reason)
            if not plan.shares_network or not told:
                raise
            # Who held the shared network is gone, e.g. with a restart of Docker: once more.
            self._drop_network(docker, plan)
            box = Box(plan, self.folder, self._shared_network(docker, plan, labels))
            box.make(docker, labels, None)
        return box

    def _shared_network(self, docker: Docker, plan: BoxPlan, labels: dict[str, str]) -> str:
        with self._lock:
            holder = self._networks.get(plan.network)
            if holder is not None and not holder.usable():
                self._drop_network(docker, plan)
                holder = None
            if holder is None:
                holder = Box(_holder_plan(plan), self.folder, plan.network)
                holder.make(docker, {**_lasting(labels), "lofn.role": "network"}, None)
                self._networks[plan.network] = holder
            return f"container:{holder.container}"

    def _drop_network(self, docker: Docker, plan: BoxPlan) -> None:
        with self._lock:
            holder = self._networks.pop(plan.network, None)
        if holder is not None:
            holder.close(docker, kill=True)


def _lasting(labels: dict[str, str]) -> dict[str, str]:
    """Return the labels that are true of a container before and after it has a partition."""
    return {name: labels[name] for name in labels if name not in _OF_ONE_TASK}


def _task_name(name: str, labels: dict[str, str]) -> str:
    parts = (labels.get(f"lofn.{part}", "x") for part in ("stage", "partition", "attempt"))
    return "-".join((name, *(f"{letter}{part}" for letter, part in zip("spa", parts))))


def _holder_plan(plan: BoxPlan) -> BoxPlan:
    """Return the plan of a container that only waits and so keeps its network namespace alive."""
    body = {
        "HostConfig": {
            "NetworkMode": plan.network,
            "AutoRemove": True,
            "LogConfig": {"Type": "none"},
        }
    }
    return BoxPlan(plan.image, plan.mountpoint, body, None, plan.parent, plan.application)


_pools: dict[str | None, Pool] = {}


def pool(parent: str | None) -> Pool:
    """Return this process' pool for folders under ``parent``, made at first use."""
    found = _pools.get(parent)
    if found is None or found._pid != os.getpid():
        keep_unchanged()
        found = _pools[parent] = Pool(parent)
    return found
