"""Clusters, their instance groups and instances, as EMR tells them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Role = Literal["primary", "core", "task"]

TAG_OWNER = "lofn-aws:owner"
TAG_RUN_ID = "lofn-aws:run-id"
TAG_CLUSTER = "lofn-aws:cluster"

# Source: EMR API reference, ClusterStatus.State.
STARTING_STATES = ("STARTING", "BOOTSTRAPPING")
READY_STATES = ("RUNNING", "WAITING")
ENDED_STATES = ("TERMINATED", "TERMINATED_WITH_ERRORS")
ACTIVE_STATES = (*STARTING_STATES, *READY_STATES)
LIVING_STATES = (*ACTIVE_STATES, "TERMINATING")


@dataclass(frozen=True)
class ErrorDetail:
    """One of a cluster's ErrorDetails: what EMR says went wrong, where."""

    code: str
    message: str
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ClusterSummary:
    """What a listing tells of a cluster."""

    id: str
    name: str
    state: str
    created: datetime | None = None


@dataclass(frozen=True)
class Cluster:
    """One EMR cluster. Times are aware datetimes, None where EMR has none yet."""

    id: str
    name: str
    state: str
    reason_code: str = ""
    reason: str = ""
    errors: tuple[ErrorDetail, ...] = ()
    created: datetime | None = None
    ready: datetime | None = None
    ended: datetime | None = None
    release_label: str = ""
    primary_address: str = ""
    log_uri: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    key_name: str = ""
    subnet: str = ""
    primary_security_group: str = ""
    termination_protected: bool = False

    @property
    def run_id(self) -> str:
        """The id of the run of `up` that asked for this cluster, empty if it was not `up`."""
        return self.tags.get(TAG_RUN_ID, "")

    @property
    def owner(self) -> str:
        """Who the cluster belongs to."""
        return self.tags.get(TAG_OWNER, "")

    @property
    def is_ours(self) -> bool:
        """Whether this toolkit made the cluster."""
        return TAG_CLUSTER in self.tags and bool(self.run_id)

    @property
    def is_ready(self) -> bool:
        """Whether steps and SSH work."""
        return self.state in READY_STATES

    @property
    def is_ended(self) -> bool:
        """Whether the cluster is gone."""
        return self.state in ENDED_STATES


@dataclass(frozen=True)
class InstanceGroup:
    """One instance group: how many nodes were asked for and how many run."""

    id: str
    role: Role
    instance_type: str
    requested: int
    running: int
    state: str


@dataclass(frozen=True)
class Instance:
    """One node. ``address`` is what this machine can reach it by, if at all."""

    id: str
    ec2_id: str
    role: Role
    state: str
    instance_type: str = ""
    private_ip: str = ""
    private_host: str = ""
    address: str = ""
    reason: str = ""

    @property
    def is_running(self) -> bool:
        """Whether the node is up."""
        return self.state == "RUNNING"
