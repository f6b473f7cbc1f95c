"""The items of a plan: what `up` does, one frozen value for each change, in plain words."""

from dataclasses import dataclass, field

from lofn_aws.model.spec import Asset, KeyPair


def _names(hosts: tuple[str, ...]) -> str:
    """Name hosts, up to six of them; nothing when they are not known yet."""
    if not hosts:
        return ""
    shown = ", ".join(hosts[:6]) + (f" and {len(hosts) - 6} more" if len(hosts) > 6 else "")
    return f": {shown}"


def _nodes(count: int) -> str:
    return "1 node" if count == 1 else f"{count} nodes"


@dataclass(frozen=True)
class Item:
    """One change. ``words`` says it as a person would."""

    @property
    def words(self) -> str:
        """What the item does, in the imperative."""
        raise NotImplementedError


@dataclass(frozen=True)
class MakeBucket(Item):
    """Make the bucket."""

    bucket: str

    @property
    def words(self) -> str:
        """What the item does."""
        return f"make the bucket {self.bucket}"


@dataclass(frozen=True)
class Upload(Item):
    """Put a file that nodes download into the bucket."""

    bucket: str
    asset: Asset = field(repr=False)

    @property
    def words(self) -> str:
        """What the item does."""
        size = len(self.asset.data) / 1000
        return f"upload {self.asset.name} ({size:.0f} kB) to s3://{self.bucket}/{self.asset.key}"


@dataclass(frozen=True)
class ImportKey(Item):
    """Make the account know the key that `up` logs in with."""

    key_pair: KeyPair

    @property
    def words(self) -> str:
        """What the item does."""
        return f"import the key pair {self.key_pair.name} into EC2"


@dataclass(frozen=True)
class StartCluster(Item):
    """Ask EMR for the cluster."""

    name: str
    release_label: str
    nodes: str

    @property
    def words(self) -> str:
        """What the item does."""
        return f"start the cluster {self.name}: {self.release_label}, {self.nodes}"


@dataclass(frozen=True)
class WaitForCluster(Item):
    """Wait until EMR says that the cluster is ready."""

    name: str

    @property
    def words(self) -> str:
        """What the item does."""
        return f"wait until the cluster {self.name} is ready"


@dataclass(frozen=True)
class OpenSsh(Item):
    """Let one address reach port 22 of the primary; the group is known once EMR made it."""

    cidr: str
    group: str = ""

    @property
    def words(self) -> str:
        """What the item does."""
        place = self.group or "the primary's security group"
        return f"open port 22 of {place} to {self.cidr}"


@dataclass(frozen=True)
class OnNodes(Item):
    """A change on some nodes; ``hosts`` is empty while they are not known."""

    count: int
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class GiveDockerGroup(OnNodes):
    """Let hadoop and yarn use Docker, YARN's daemons included."""

    @property
    def words(self) -> str:
        """What the item does."""
        return f"let hadoop and yarn use Docker on {_nodes(self.count)}{_names(self.hosts)}"


@dataclass(frozen=True)
class InitSwarm(Item):
    """Start the swarm on the primary."""

    address: str = ""
    pool: str = ""

    @property
    def words(self) -> str:
        """What the item does."""
        pool = f", overlay networks in {self.pool}" if self.pool else ""
        return f"start a Docker swarm on the primary{pool}"


@dataclass(frozen=True)
class LoadRegistryImage(OnNodes):
    """Have the registry's image on nodes."""

    image: str = ""

    @property
    def words(self) -> str:
        """What the item does."""
        return f"load the image {self.image} on {_nodes(self.count)}{_names(self.hosts)}"


@dataclass(frozen=True)
class JoinSwarm(OnNodes):
    """Bring nodes into the swarm."""

    @property
    def words(self) -> str:
        """What the item does."""
        return f"join {_nodes(self.count)} to the swarm{_names(self.hosts)}"


@dataclass(frozen=True)
class CleanSwarm(OnNodes):
    """Forget nodes that left the swarm."""

    @property
    def words(self) -> str:
        """What the item does."""
        return f"remove {_nodes(self.count)} that left the swarm{_names(self.hosts)}"


@dataclass(frozen=True)
class WriteSwarmDocument(Item):
    """Tell nodes that come later how to join."""

    uri: str

    @property
    def words(self) -> str:
        """What the item does."""
        return f"write {self.uri}, by which later nodes join"


@dataclass(frozen=True)
class StartRegistry(OnNodes):
    """Run the registry on every node."""

    image: str = ""

    @property
    def words(self) -> str:
        """What the item does."""
        return f"run the registry ({self.image}) on {_nodes(self.count)}{_names(self.hosts)}"


@dataclass(frozen=True)
class Probe(OnNodes):
    """Prove with a Spark job that executors can use Docker, the engine and the registry."""

    @property
    def words(self) -> str:
        """What the item does."""
        return f"prove Docker, engine and registry from Spark on {_nodes(self.count)}" + _names(
            self.hosts
        )
