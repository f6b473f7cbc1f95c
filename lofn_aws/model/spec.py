"""What the person wants: the cluster, and the files that must be in the bucket for it."""

from dataclasses import dataclass
from typing import Literal

from lofn_aws.config import Settings


@dataclass(frozen=True)
class Asset:
    """One file that nodes download; its key names its content, so equal keys are equal files."""

    kind: Literal["bootstrap", "node-script", "wheel", "probe"]
    key: str
    data: bytes

    @property
    def name(self) -> str:
        """The file's name."""
        return self.key.rpartition("/")[2]


@dataclass(frozen=True)
class KeyPair:
    """The EC2 key pair that logs in: its name in the account and, if `up` made it, its half.

    ``public_key`` is empty for a pair that the person named: such a pair must be in the account.
    """

    name: str
    private_file: str
    public_key: str = ""


@dataclass(frozen=True)
class ClusterSpec:
    """The wanted cluster. ``run_id`` is new for each cluster that is asked for."""

    settings: Settings
    account: str
    region: str
    bucket: str
    run_id: str
    assets: tuple[Asset, ...]
    key_pair: KeyPair

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.settings.cluster_name

    @property
    def node_count(self) -> int:
        """How many nodes there will be, the primary included."""
        return 1 + self.settings.core_count + self.settings.task_count

    @property
    def engine_version(self) -> str:
        """The version of the engine that nodes of this cluster install."""
        wheel = next(a.name for a in self.assets if a.kind == "wheel")
        return wheel.split("-")[1]

    def uri(self, kind: str) -> str:
        """The s3:// address of the asset of this kind."""
        key = next(a.key for a in self.assets if a.kind == kind)
        return f"s3://{self.bucket}/{key}"


def hostkeys_prefix(run_id: str) -> str:
    """Where bootstrap publishes the nodes' SSH host keys: <prefix><private ip>.pub."""
    return f"clusters/{run_id}/hostkeys/"


def swarm_key(run_id: str) -> str:
    """Where nodes that come later find the swarm."""
    return f"clusters/{run_id}/swarm.json"


def probe_key(run_id: str) -> str:
    """Where the executors' probe leaves its report."""
    return f"clusters/{run_id}/probe/report.json"
