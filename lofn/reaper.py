"""Sweeps what a crash of a whole node left behind: folders and containers without an owner."""

from __future__ import annotations

import os
from contextlib import suppress

from lofn.containers import Docker
from lofn.docker_handler import DockerFailure
from lofn.folders import discard, homes, stale
from lofn.identity import boot_id, pid_namespace


def sweep(docker: Docker, parent: str | None) -> list[str]:
    """Remove what ended workers of this user left on this node; return what was removed.

    Raises DockerFailure where Docker does not answer.
    """
    removed = []
    for container in docker.labelled():
        if _orphan(container.get("Labels") or {}):
            docker.remove(container["Id"])
            removed.append(f"container {container['Id'][:12]}")
    home = homes(parent)
    names = os.listdir(home) if os.path.isdir(home) else []
    for name in names:
        path = os.path.join(home, name)
        if stale(path):
            with suppress(OSError, DockerFailure):
                discard(path, docker)
                removed.append(f"folder {path}")
    return removed


def _orphan(labels: dict[str, str]) -> bool:
    """Tell from a container's labels whether the worker that made it is gone for certain."""
    if "lofn.host_pid" not in labels:
        return False
    if labels.get("lofn.boot") != boot_id():
        return True
    if labels.get("lofn.pid_namespace") != pid_namespace():
        return False
    folder = labels.get("lofn.folder", "")
    if os.path.isdir(folder):
        return stale(folder)
    return not os.path.exists(f"/proc/{labels['lofn.host_pid']}")
