"""Connections to the local Docker Engine, with its failures as one sentence each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import docker.errors
import requests.exceptions

from lofn_aws.errors import InfrastructureError
from lofn_aws.sandbox.capabilities import HostFacts

DEFAULT_TIMEOUT_SECONDS = 60.0
CAP_LAST_CAP = "/proc/sys/kernel/cap_last_cap"
PID_FILE = "/run/docker.pid"


def connect(timeout: float = DEFAULT_TIMEOUT_SECONDS) -> docker.DockerClient:
    """A client of the engine that DOCKER_HOST or the default socket names.

    ``timeout`` is in seconds and holds for each read from the engine, not for a whole answer.
    Raises InfrastructureError where no engine answers or it may not be used.
    """
    try:
        return docker.from_env(version="auto", timeout=timeout)
    except docker.errors.DockerException as error:
        raise InfrastructureError(*_unreachable(error)) from error


def _unreachable(error: Exception) -> tuple[str, str]:
    text = str(error)
    if "Permission denied" in text or "PermissionError" in text:
        return (
            "this user may not use the Docker Engine: its socket is for root and group docker",
            'sudo usermod --append --groups docker "$USER"  # then log in again',
        )
    return (
        "no Docker Engine answers on this machine; the sandbox's nodes are its containers",
        "sudo systemctl start docker  # or install it: https://docs.docker.com/engine/install/",
    )


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn the engine's errors into InfrastructureError: ``while <doing>: <what it said>``."""
    try:
        yield
    except docker.errors.APIError as error:
        said = (error.explanation or str(error)).strip()
        raise InfrastructureError(f"Docker, while {doing}: {said}") from error
    except (requests.exceptions.RequestException, docker.errors.DockerException) as error:
        raise InfrastructureError(f"Docker, while {doing}: {error}") from error


def host_facts(client: docker.DockerClient) -> HostFacts:
    """What capabilities.run_options needs to know of the engine and its machine."""
    with translated("asking for its information"):
        info = client.info()
    return HostFacts(
        cgroup_version=int(info.get("CgroupVersion") or 1),
        bounding_set=_bounding_set(),
        last_capability=int(_read(CAP_LAST_CAP) or 40),
        security_options=tuple(info.get("SecurityOptions") or ()),
    )


def _bounding_set() -> int:
    """CapBnd of dockerd where its process is seen, else of this one, else everything."""
    pid = (_read(PID_FILE) or "").strip()
    for status in (f"/proc/{pid}/status" if pid.isdigit() else "", "/proc/self/status"):
        for line in (_read(status) or "").splitlines():
            if line.startswith("CapBnd:"):
                return int(line.split()[1], 16)
    return (1 << 64) - 1


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text() if path else None
    except OSError:
        return None
