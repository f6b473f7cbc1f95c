"""What all containers of one map or reduce have in common; made on the driver."""

from __future__ import annotations

import copy
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lofn.box_script import CONTROL
from lofn.identity import owner_labels

if TYPE_CHECKING:
    from lofn.volumes import Mounts


@dataclass(frozen=True)
class BoxPlan:
    """One kind of container. ``body`` is Docker's create request without names and mounts.

    ``parent`` is where the nodes keep shared folders (None: Python's temporary folder),
    ``reuse`` whether one container serves many partitions, ``timeout`` seconds per command.
    """

    image: str
    mountpoint: str
    body: dict[str, Any]
    mounts: Mounts | None
    parent: str | None = None
    application: str = ""
    reuse: bool = False
    timeout: float | None = None
    slots: int = 1
    key: str = field(init=False, default="")

    def __post_init__(self) -> None:
        same = json.dumps([self.image, self.mountpoint, self.body, self.parent, self.application])
        named = hashlib.sha256((same + repr(self.mounts)).encode()).hexdigest()[:16]
        object.__setattr__(self, "key", named)

    @property
    def network(self) -> str:
        """Docker's network mode."""
        return str(self.body["HostConfig"]["NetworkMode"])

    @property
    def shares_network(self) -> bool:
        """Whether a worker's containers, one after the other, may live in one network namespace.

        Making such a namespace is most of what a container without the host's network costs. It
        is not shared where a container could change it, or has network settings of its own.
        """
        host = self.body["HostConfig"]
        own = (
            "PortBindings",
            "Dns",
            "DnsOptions",
            "DnsSearch",
            "ExtraHosts",
            "Privileged",
            "CapAdd",
            "Sysctls",
            "Links",
            "UTSMode",
        )
        plain = not any(host.get(name) for name in own)
        named = any(
            self.body.get(name)
            for name in ("Hostname", "Domainname", "ExposedPorts", "MacAddress", "NetworkingConfig")
        )
        return plain and not named and self.network not in ("host",) and ":" not in self.network

    def request(
        self, worker: str, folder: str, shared: str, control: str, labels: dict[str, str]
    ) -> dict[str, Any]:
        """Return Docker's create request for a container with these folders, volumes aside."""
        body = copy.deepcopy(self.body)
        body["Image"] = self.image
        marks = {
            **owner_labels(folder),
            "lofn.application": self.application,
            "lofn.worker": worker,
            **labels,
        }
        body["Labels"] = {**body.get("Labels", {}), **marks}
        mounts = body["HostConfig"].setdefault("Mounts", [])
        mounts.append(_bind(shared, self.mountpoint.rstrip("/") or "/", False))
        mounts.append(_bind(control, CONTROL, False))
        return body


def _bind(source: str, target: str, read_only: bool) -> dict[str, Any]:
    return {"Type": "bind", "Source": source, "Target": target, "ReadOnly": read_only}


def add_volumes(body: dict[str, Any], binds: list[tuple[str, str, str]]) -> None:
    """Add (host path, container path, mode) volumes to a create request."""
    for source, target, mode in binds:
        body["HostConfig"]["Mounts"].append(_bind(source, target, mode == "ro"))
