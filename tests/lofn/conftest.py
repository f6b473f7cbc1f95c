"""What the engine's tests share: one Spark on two cores, images, and a look for leftovers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from lofn.folders import homes
from tests.lofn import engine_images


@pytest.fixture(scope="session")
def sc():
    from pyspark import SparkConf, SparkContext

    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # workers see the same packages
    conf = SparkConf().setMaster("local[2]").setAppName("lofn-tests")
    conf.set("spark.ui.enabled", "false").set("spark.driver.memory", "1g")
    context = SparkContext.getOrCreate(conf=conf)
    context.setLogLevel("OFF")
    yield context
    context.stop()


@pytest.fixture(scope="session")
def image() -> str:
    return engine_images.ensure("lofn-tests/bash")


@pytest.fixture(scope="session")
def sh_image() -> str:
    return engine_images.ensure("lofn-tests/sh")


@pytest.fixture
def pipe(tmp_path):
    """A DockerPipe with a folder of its own, so that leftovers can be seen."""
    from lofn.api import DockerPipe

    return DockerPipe(temporary_directory_parent=str(tmp_path / "temp"), network="none")


def containers_of(**labels: str) -> list[str]:
    """Names of the containers, running or not, with these lofn labels."""
    command = ["docker", "ps", "-a", "--format", "{{json .Names}}", "--filter", "label=lofn=1"]
    for name, value in labels.items():
        command += ["--filter", f"label=lofn.{name}={value}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    # Docker 20.10 lists a container for ever whose maker was killed while it was being removed,
    # without a name, and says "no such container" to whoever asks for it.
    return [name for line in said.splitlines() if (name := json.loads(line))]


def workers(pipe) -> list[str]:
    """Ids of the living workers of a pipe that has a folder of its own."""
    home = homes(pipe._parent)
    return os.listdir(home) if os.path.isdir(home) else []


def things_of_tasks(pipe) -> list[str]:
    """Containers and folders that a pipe's tasks have: all but what holds a worker's network."""
    found: set[str] = set()
    for worker in workers(pipe):
        found.update(containers_of(worker=worker))
        with suppress(FileNotFoundError):
            folder = os.path.join(homes(pipe._parent), worker)
            found.update(entry.name for entry in os.scandir(folder) if entry.is_dir())
        found.difference_update(containers_of(worker=worker, role="network"))
    return sorted(found)


def wait_until(true, seconds: float, what: str) -> float:
    """Wait for a condition; return how long it took, fail where it took too long."""
    start = time.monotonic()
    while not true():
        if time.monotonic() - start > seconds:
            pytest.fail(f"after {seconds} s still not: {what}")
        time.sleep(0.05)
    return time.monotonic() - start
