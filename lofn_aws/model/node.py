"""What a node says of itself: Docker, groups, swarm, registry, engine."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SwarmState:
    """A node's place in a swarm; ``manager`` is "ip:port" of the manager it knows, or empty."""

    state: str = "inactive"
    role: str = ""
    node_id: str = ""
    manager: str = ""

    @property
    def is_active(self) -> bool:
        """Whether the node is in a swarm."""
        return self.state == "active"


@dataclass(frozen=True)
class NodeFacts:
    """The facts of one node.

    ``yarn_sees_docker`` is None where no NodeManager runs; ``groups`` has the Docker users that
    exist on the node (hadoop, yarn), each with its groups.
    """

    host: str
    ip: str
    docker_version: str = ""
    docker_active: bool = False
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    yarn_sees_docker: bool | None = None
    engine_version: str = ""
    python: str = ""
    swarm: SwarmState = SwarmState()
    registry: bool = False

    @property
    def lacks_docker_group(self) -> tuple[str, ...]:
        """The users that exist and are not in the group docker."""
        return tuple(user for user, groups in self.groups if "docker" not in groups)


@dataclass(frozen=True)
class SwarmMember:
    """One line of the manager's list of nodes."""

    node_id: str
    host: str
    status: str
    role: str


@dataclass(frozen=True)
class SwarmDocument:
    """clusters/<run-id>/swarm.json: how a node that comes later joins by itself."""

    manager: str
    token: str
    registry_image: str = ""
    registry_tar: str = ""


@dataclass(frozen=True)
class ProbeRecord:
    """What one node's executor reported; ``problem`` is empty when all is in order."""

    ip: str
    host: str
    user: str
    docker_version: str
    engine_version: str
    pulled: bool
    problem: str


@dataclass(frozen=True)
class ProbeReport:
    """What the executors' probe found on the nodes."""

    ok: bool
    records: tuple[ProbeRecord, ...]
    missing: tuple[str, ...]

    @property
    def proven(self) -> frozenset[str]:
        """The addresses of the nodes where everything is in order."""
        return frozenset(r.ip for r in self.records if not r.problem)
