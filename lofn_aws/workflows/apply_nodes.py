"""Applying the part of the plan that is on the nodes: Docker's group, swarm, registry, proof."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from lofn_aws.adapters.aws_errors import translate
from lofn_aws.adapters.clock import wait_for
from lofn_aws.adapters.ssh import Gateway
from lofn_aws.errors import InfrastructureError, suggesting
from lofn_aws.facts.node_answers import swarm_document
from lofn_aws.model.cluster import Cluster
from lofn_aws.model.node import SwarmDocument
from lofn_aws.model.plan import (
    CleanSwarm,
    GiveDockerGroup,
    InitSwarm,
    Item,
    JoinSwarm,
    LoadRegistryImage,
    Probe,
    StartRegistry,
    WriteSwarmDocument,
)
from lofn_aws.model.spec import swarm_key
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.nodes import lofn_node, read_facts, run_on
from lofn_aws.workflows.probe import prove
from lofn_aws.workflows.registry_image import registry_tar

# lofn-node waits this long for another one on its node, and then says so itself: a deadline that
# came first would leave only "did not end".
LOCK_SECONDS = 300.0
GROUP_SECONDS = LOCK_SECONDS + 180
SWARM_SECONDS = LOCK_SECONDS + 120
LOAD_SECONDS = LOCK_SECONDS + 600
REGISTRY_SECONDS = LOCK_SECONDS + 240
ANSWER_SECONDS = 240.0
REGISTRY_PREFIX = "registry"


@dataclass
class NodeWork:
    """What applying needs: the connection, the nodes' names in it, the cluster they belong to.

    ``swarm`` and ``tar`` are learnt while the items are applied.
    """

    ctx: Context
    cluster: Cluster
    gateway: Gateway
    hosts: Mapping[str, str]
    primary_ip: str
    swarm: SwarmDocument | None = None
    tar: str | None = field(default=None)

    def swarm_now(self, pool: str = "") -> SwarmDocument:
        """Return manager and token; starts the swarm when the primary is in none."""
        if self.swarm is None:
            words = ["swarm-init", self.primary_ip, *(["--pool", pool] if pool else [])]
            result = self.gateway.run(None, lofn_node(*words), timeout=SWARM_SECONDS)
            self.swarm = swarm_document(result.stdout.encode())
        if self.swarm is None:
            raise InfrastructureError("the primary gave no join token for its swarm",
                                      "lofn-aws up")
        return self.swarm

    def tar_now(self) -> str:
        """Return the s3:// address of the registry image's tar, "-" when nodes must pull it."""
        if self.tar is None:
            self.tar = registry_tar(self.ctx, self.gateway)
        return self.tar


def apply_nodes(work: NodeWork, items: tuple[Item, ...]) -> None:
    """Apply the items one by one; each may be applied again without harm."""
    for item in items:
        with work.ctx.reporter.phase(item.words), suggesting("lofn-aws up  (goes on here)"):
            _APPLY[type(item)](work, item)


def _docker_group(work: NodeWork, item: GiveDockerGroup) -> None:
    run_on(work.gateway, work.hosts, item.hosts, lofn_node("docker-group"),
           doing="giving hadoop and yarn the group docker", timeout=GROUP_SECONDS)


def _init_swarm(work: NodeWork, item: InitSwarm) -> None:
    work.swarm_now(item.pool)


def _load_image(work: NodeWork, item: LoadRegistryImage) -> None:
    command = lofn_node("load-image", work.tar_now(), item.image)
    run_on(work.gateway, work.hosts, item.hosts, command,
           doing=f"loading the image {item.image}", timeout=LOAD_SECONDS)


def _join(work: NodeWork, item: JoinSwarm) -> None:
    swarm = work.swarm_now()
    command = lofn_node("swarm-join", swarm.manager, swarm.token)
    run_on(work.gateway, work.hosts, item.hosts, command,
           doing=f"joining the swarm at {swarm.manager}", timeout=SWARM_SECONDS)


def _clean(work: NodeWork, _: CleanSwarm) -> None:
    work.gateway.run(None, lofn_node("swarm-clean"), timeout=SWARM_SECONDS)


def _write_document(work: NodeWork, _: WriteSwarmDocument) -> None:
    swarm, tar = work.swarm_now(), work.tar_now()
    document = SwarmDocument(swarm.manager, swarm.token, work.ctx.settings.registry_image,
                             "" if tar == "-" else tar)
    with translate("writing the swarm's record"):
        work.ctx.s3.put_bytes(work.ctx.bucket, swarm_key(work.cluster.run_id),
                              json.dumps(asdict(document)).encode())


def _start_registry(work: NodeWork, item: StartRegistry) -> None:
    ctx = work.ctx
    work.gateway.run(
        None, lofn_node("registry-start", item.image, ctx.bucket, ctx.region, REGISTRY_PREFIX),
        timeout=REGISTRY_SECONDS,
    )
    silent: list[str] = []

    def probe() -> bool | None:
        silent[:] = [n.ip for n in read_facts(work.gateway, work.hosts) if not n.registry]
        return None if silent else True

    wait_for(ctx.clock, probe, what="the registry on every node", interval=2,
             deadline_seconds=ANSWER_SECONDS, next_command="lofn-aws up",
             reason=lambda: f"it is silent on {', '.join(silent)}")


def _probe(work: NodeWork, item: Probe) -> None:
    prove(work.ctx, work.cluster, work.gateway, item.hosts)


_APPLY: dict[type[Item], Callable[[NodeWork, Any], None]] = {
    GiveDockerGroup: _docker_group,
    InitSwarm: _init_swarm,
    LoadRegistryImage: _load_image,
    JoinSwarm: _join,
    CleanSwarm: _clean,
    WriteSwarmDocument: _write_document,
    StartRegistry: _start_registry,
    Probe: _probe,
}
