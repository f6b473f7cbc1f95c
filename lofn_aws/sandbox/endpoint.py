"""What a running sandbox is reached by, and the files in which that is written down."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

DEFAULT_NAME = "default"
NAME_VARIABLE = "LOFN_AWS_SANDBOX_NAME"


@dataclass(frozen=True)
class Endpoint:
    """A running sandbox.

    Attributes:
        name: the sandbox's name.
        url: the address of its API, usable from this machine and from its nodes.
        pid: its server process.
        region, access_key, secret_key: what clients are configured with.
        registry_image, node_image: tags of the images that it uses.
        state_dir: the folder of its files (endpoint.json, server.log).
    """

    name: str
    url: str
    pid: int
    region: str
    access_key: str
    secret_key: str
    registry_image: str
    node_image: str
    state_dir: str


def state_dir(name: str) -> Path:
    """Return the folder of a sandbox's files, by the XDG base directory specification."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "lofn-aws" / "sandbox" / name


def write(endpoint: Endpoint) -> None:
    """Write endpoint.json, so that a reader sees all of it or nothing."""
    target = Path(endpoint.state_dir) / "endpoint.json"
    draft = target.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(asdict(endpoint), indent=2) + "\n")
    draft.replace(target)


def read(name: str) -> Endpoint | None:
    """Return what endpoint.json says, or None where it is missing or of another version."""
    try:
        return Endpoint(**json.loads((state_dir(name) / "endpoint.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def remove(name: str) -> None:
    """Remove endpoint.json, if it is there."""
    (state_dir(name) / "endpoint.json").unlink(missing_ok=True)
