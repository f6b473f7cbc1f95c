"""One sandbox and one cluster, shared by every test of this folder that only uses them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.images import busybox_image
from tests.sandbox.harness import Project, docker_answers, nothing_left, write_project

SANDBOX = "tests"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the whole folder, so that `-m "not sandbox"` leaves it out."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.sandbox)
            # Whichever comes first waits for the node image, which may have to be built.
            item.add_marker(pytest.mark.timeout(1800))


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder of the tests' own: no key or setting of the person's is used or left."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def sandbox(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A running sandbox; its Project has no cluster of its own."""
    assert docker_answers(), "the sandbox tests need a Docker Engine: make test sets one up"
    project = write_project(tmp_path_factory.mktemp("sandbox"), home, SANDBOX, "none")
    project.run("sandbox", "stop", timeout=120)
    project.run("sandbox", "start", timeout=1500)
    try:
        yield project
    finally:
        project.run("sandbox", "stop", timeout=120)
        assert nothing_left(SANDBOX)


@pytest.fixture(scope="session")
def clients(sandbox: Project) -> dict[str, Any]:
    """Plain boto3 clients of the sandbox."""
    told = sandbox.run("sandbox", "status", "-o", "json").json
    session = boto3.Session(told["access_key"], told["secret_key"], region_name=told["region"])
    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    return {
        name: session.client(name, endpoint_url=told["url"], config=config)
        for name in ("emr", "s3")
    }


@pytest.fixture(scope="session")
def cluster(
    sandbox: Project, home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """A project whose cluster of one primary and two core nodes is up."""
    project = write_project(tmp_path_factory.mktemp("shared"), home, SANDBOX, "shared")
    project.run("up", timeout=600)
    yield project
    project.run("down", "-y", timeout=180)


@pytest.fixture(scope="session")
def busybox() -> Iterator[str]:
    """An image of the tests' own on the local engine: busybox and no more."""
    name = "lofn-tests/busybox:1"
    busybox_image(name)
    yield name
    subprocess.run(["docker", "image", "rm", "-f", name], check=False, capture_output=True)
