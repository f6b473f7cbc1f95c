"""A container of the sandbox's node image in which nothing runs: the scripts' own surroundings."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lofn_aws.assets import asset_dir

RUN_SECONDS = 90.0


@dataclass(frozen=True)
class Node:
    """A container that files are put into and commands are run in."""

    container: str

    def run(self, *command: str, user: str = "root") -> subprocess.CompletedProcess[str]:
        """Run a command and return its exit code, stdout and stderr."""
        docker = ["docker", "exec", "--user", user, self.container, *command]
        return subprocess.run(
            docker, capture_output=True, text=True, check=False, timeout=RUN_SECONDS
        )

    def write(self, path: str, text: str) -> None:
        """Write a file, and the folders above it."""
        script = 'mkdir -p "$(dirname "$1")" && cat > "$1"'
        docker = ["docker", "exec", "-i", self.container, "sh", "-c", script, "sh", path]
        subprocess.run(docker, input=text, text=True, check=True, timeout=RUN_SECONDS)


@pytest.fixture(scope="module")
def node_image() -> str:
    from lofn_aws.sandbox.image_build import ensure_node_image

    return ensure_node_image(print)


@pytest.fixture
def node(node_image: str) -> Iterator[Node]:
    """A fresh container, which the test may change."""
    with _container(node_image) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def unchanged(node_image: str) -> Iterator[Node]:
    """A container for the tests that change nothing in it."""
    with _container(node_image) as shared:
        yield shared


@contextmanager
def _container(node_image: str) -> Iterator[Node]:
    """A container with both scripts, and a user hadoop as on EMR."""
    run = ["docker", "run", "--detach", "--rm", "--init", "--network", "none"]
    run += ["--entrypoint", "sleep", node_image, "600"]
    started = subprocess.run(run, capture_output=True, text=True, check=True, timeout=RUN_SECONDS)
    node = Node(started.stdout.strip())
    try:
        scripts: Path = asset_dir("bootstrap")
        for script in scripts.glob("*.sh"):
            node.write(f"/scripts/{script.name}", script.read_text())
        yield node
    finally:
        subprocess.run(
            ["docker", "rm", "--force", "--volumes", node.container],
            capture_output=True,
            check=False,
            timeout=RUN_SECONDS,
        )
