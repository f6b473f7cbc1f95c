"""Connections to the local Docker Engine, with its failures as one sentence each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path

import docker
import docker.errors
import requests.exceptions

from lofn_aws.errors import InfrastructureError
from lofn_aws.sandbox.capabilities import HostFacts

DEFAULT_TIMEOUT_SECONDS = 60.0
CAP_LAST_CAP = "/proc/sys/kernel/cap_last_cap"
PID_FILE = "/run/docker.pid"


@contextmanager
def docker_engine(
    doing: str, timeout: float = DEFAULT_TIMEOUT_SECONDS
) -> Iterator[docker.DockerClient]:
    """A client of the engine that DOCKER_HOST or the default socket names, closed at the end.

    ``timeout`` is in seconds and holds for each read from the engine, not for a whole answer.
    Raises InfrastructureError where no engine answers, it may not be used, or it refuses what is
    asked of it within the block (``doing`` names that: "starting node i-1").
    """
    try:
        with closing(docker.from_env(version=_api_version(), timeout=timeout)) as client:
            yield client
    except docker.errors.APIError as error:
        said = (error.explanation or str(error)).strip()
        raise InfrastructureError(f"Docker, while {doing}: {said}", "docker info") from error
    except requests.exceptions.ReadTimeout as error:
        raise InfrastructureError(
            f"Docker, while {doing}: no answer within {timeout:.0f} s", "docker info"
        ) from error
    except (requests.exceptions.RequestException, docker.errors.DockerException) as error:
        raise InfrastructureError(*_unreachable(error)) from error


@lru_cache(maxsize=1)
def _api_version() -> str:
    """The newest API that engine and library share, asked for once per process."""
    with closing(docker.from_env(version="auto", timeout=DEFAULT_TIMEOUT_SECONDS)) as client:
        return str(client.api.api_version)


def _unreachable(error: Exception) -> tuple[str, str]:
    text = str(error)
    if "Permission denied" in text or "PermissionError" in text:
        return (
            "this user may not use the Docker Engine: its socket is for root and group docker",
            'sudo usermod --append --groups docker "$USER"  # then log in again',
        )
    return (
        "no Docker Engine answers on this machine, and the sandbox's nodes are its containers",
        "sudo systemctl start docker  # or install it: https://docs.docker.com/engine/install/",
    )


def host_facts() -> HostFacts:
    """What capabilities.run_options needs to know of the engine and its machine."""
    with docker_engine("asking for its information") as client:
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
