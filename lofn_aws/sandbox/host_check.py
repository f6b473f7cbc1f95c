"""Whether the Docker Engine runs on this very machine, which the sandbox needs; asked at first.

The nodes speak to the sandbox's server at their network's gateway, an address of the machine that
the engine runs on. An engine in a virtual machine (Docker Desktop) or on another host has it there.
"""

from __future__ import annotations

import os
import socket

from lofn_aws.errors import UsageError
from lofn_aws.sandbox.docker_client import docker_engine

# Docker's own network, there from its start; nothing has to be made to learn where the engine is.
DEFAULT_NETWORK = "bridge"


def require_engine_here() -> None:
    """Raise UsageError where the engine's own network has no address on this machine.

    An engine without that network is let through: the server checks the node network's address.
    """
    with docker_engine("looking at its network 'bridge'") as client:
        found = client.networks.list(names=[DEFAULT_NETWORK])
        pools = [
            pool for network in found if network.name == DEFAULT_NETWORK
            for pool in (network.attrs.get("IPAM") or {}).get("Config") or []
        ]
    for pool in pools:
        if "." in pool.get("Gateway", ""):
            require_address(pool["Gateway"])


def require_address(address: str) -> None:
    """Raise UsageError where this machine does not have the address of a Docker network."""
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError as error:
            raise UsageError(
                f"this machine does not have the Docker network's address {address} ({error}): the "
                "sandbox needs a Docker Engine that runs on this very Linux machine, and neither "
                "Docker Desktop's, which runs in a virtual one, nor one on another host",
                _next_command(),
            ) from None


def _next_command() -> str:
    if os.environ.get("DOCKER_HOST"):
        return "unset DOCKER_HOST  (so that this machine's own engine is asked)"
    return ("sudo systemctl start docker  (Docker Engine on this machine; to install it: "
            "https://docs.docker.com/engine/install/)")
