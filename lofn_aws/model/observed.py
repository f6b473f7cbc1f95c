"""What was seen before planning: first in AWS, then on the nodes."""

from dataclasses import dataclass

from lofn_aws.model.cluster import Cluster
from lofn_aws.model.node import NodeFacts, ProbeReport, SwarmDocument, SwarmMember


@dataclass(frozen=True)
class CloudState:
    """What AWS has of what `up` wants.

    ``present_keys`` are the wanted assets' keys that the bucket has; ``ingress`` is the CIDR
    that should reach port 22 (None: nobody), ``ingress_open`` whether it may already.
    """

    bucket_exists: bool = False
    present_keys: frozenset[str] = frozenset()
    key_in_account: bool = False
    cluster: Cluster | None = None
    ingress: str | None = None
    ingress_open: bool = False


@dataclass(frozen=True)
class NodesState:
    """What the nodes of a ready cluster say; ``primary_ip`` is the primary's private address."""

    primary_ip: str
    nodes: tuple[NodeFacts, ...]
    members: tuple[SwarmMember, ...] = ()
    document: SwarmDocument | None = None
    probe: ProbeReport | None = None
    vpc_cidrs: tuple[str, ...] = ()
