"""The service's memory: clusters with their groups, instances and steps, behind one lock."""

from __future__ import annotations

import itertools
import random
import string
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

ENDING_STATES = ("TERMINATING", "TERMINATED", "TERMINATED_WITH_ERRORS")
ENDED_STATES = ("TERMINATED", "TERMINATED_WITH_ERRORS")
ACTIVE_STEP_STATES = ("PENDING", "RUNNING", "CANCEL_PENDING")


def now() -> datetime:
    """Return the time with its zone, as timelines hold it."""
    return datetime.now(timezone.utc)


def new_id(prefix: str, length: int = 13) -> str:
    """Return an identifier such as ``j-2AXXXXXXGAPLF``."""
    letters = string.ascii_uppercase + string.digits
    return prefix + "".join(random.choices(letters, k=length))


def new_ec2_id() -> str:
    """Return an identifier such as ``i-0af81b8ff5ae9d3d0``."""
    return "i-" + "".join(random.choices("0123456789abcdef", k=17))


@dataclass
class Status:
    """A state with the reason of its last change and the times of the three that EMR reports."""

    state: str
    code: str = ""
    message: str = ""
    created: datetime = field(default_factory=now)
    ready: datetime | None = None
    ended: datetime | None = None

    def become(self, state: str, code: str = "", message: str = "") -> None:
        """Change the state, and the reason with it."""
        self.state, self.code, self.message = state, code, message


@dataclass
class Instance:
    """One node. ``role`` is EMR's group type (MASTER, CORE, TASK); ``ip`` is set at creation."""

    id: str
    ec2_id: str
    group_id: str
    role: str
    instance_type: str
    market: str
    ip: str
    hostname: str
    status: Status
    leaving: bool = False

    @property
    def is_live(self) -> bool:
        """Whether the node has not been terminated."""
        return self.status.state != "TERMINATED"


@dataclass
class Group:
    """One instance group; ``requested`` is the count that the caller asked for last."""

    id: str
    name: str
    role: str
    instance_type: str
    market: str
    requested: int
    configurations: list[dict[str, Any]]
    status: Status
    bid_price: str | None = None
    working: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Step:
    """One step. ``cancel`` is the option of a CancelSteps request that reached it, or None."""

    id: str
    name: str
    jar: str
    main_class: str | None
    args: list[str]
    properties: dict[str, str]
    action_on_failure: str
    status: Status
    failure: dict[str, str] | None = None
    cancel: str | None = None


@dataclass
class Cluster:
    """One cluster: the request that made it and what has become of it."""

    id: str
    name: str
    request: dict[str, Any]
    status: Status
    attributes: dict[str, Any]
    tags: dict[str, str]
    keep_alive: bool
    protected: bool
    visible: bool
    concurrency: int
    idle_timeout: int | None
    primary_address: str | None = None
    groups: list[Group] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    error_details: list[dict[str, Any]] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    number: int = field(default_factory=itertools.count(1).__next__)

    @property
    def arn(self) -> str:
        """The cluster's ARN in moto's account."""
        return f"arn:aws:elasticmapreduce:us-east-1:123456789012:cluster/{self.id}"

    @property
    def log_uri(self) -> str | None:
        """LogUri without a trailing slash, or None."""
        uri = self.request.get("LogUri")
        return uri.rstrip("/") if uri else None

    @property
    def primary(self) -> Instance | None:
        """The primary node while it lives."""
        return next((i for i in self.instances if i.role == "MASTER" and i.is_live), None)

    def group(self, group_id: str) -> Group | None:
        """Return the instance group of that id."""
        return next((g for g in self.groups if g.id == group_id), None)

    def live(self, group: Group | None = None) -> list[Instance]:
        """Return the nodes that have not been terminated, of one group or of all."""
        return [i for i in self.instances if i.is_live and group in (None, self.group(i.group_id))]

    def active_steps(self) -> list[Step]:
        """Return the steps that are pending, running or being cancelled."""
        return [s for s in self.steps if s.status.state in ACTIVE_STEP_STATES]


class Store:
    """All clusters of one sandbox, behind one re-entrant lock.

    Fields of records are read and changed inside ``locked()`` or ``changing()``; the second wakes
    those who wait in ``wait()`` when it ends.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition(threading.RLock())
        self.clusters: dict[str, Cluster] = {}

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock."""
        with self._condition:
            yield

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the lock; at the end wake everybody who waits for a change."""
        with self._condition:
            yield
            self._condition.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait for the next change, at most so many seconds. The caller holds the lock."""
        self._condition.wait(seconds)

    def find(self, cluster_id: str) -> Cluster | None:
        """Return the cluster of that id."""
        with self._condition:
            return self.clusters.get(cluster_id)

    def alive(self) -> list[Cluster]:
        """Return the clusters that have not begun to end."""
        with self._condition:
            return [c for c in self.clusters.values() if c.status.state not in ENDING_STATES]
