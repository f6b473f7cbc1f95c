"""What must end although nothing tells the worker: each would otherwise be waited for for ever."""

from __future__ import annotations

import io
import subprocess
import tarfile
import time

import pytest

from lofn.errors import ContainerFailed, ContainerLost
from tests.images import busybox_binary

pytestmark = [pytest.mark.docker, pytest.mark.spark]


@pytest.fixture(scope="module")
def image_without_a_working_shell() -> str:
    """An image whose /bin/sh ends at once and well, whatever it is given."""
    name = "lofn-tests/sh-ends"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        files = {"bin/busybox": busybox_binary(), "bin/sh": b"#!/bin/busybox true\n"}
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    subprocess.run(
        ["docker", "import", "-", name], input=packed.getvalue(), capture_output=True, check=True
    )
    return name


def test_a_container_that_ends_before_its_shell_speaks(sc, pipe, image_without_a_working_shell):
    start = time.monotonic()
    with pytest.raises(ContainerLost):
        silent = image_without_a_working_shell
        pipe.map(sc.parallelize(["a"], 1), silent, "true", network="host").collect()
    assert time.monotonic() - start < 30


def test_a_flood_on_stderr_does_not_outlast_the_timeout(sc, pipe, image):
    flood = "while :; do echo flood flood flood flood flood flood flood >&2; done"
    start = time.monotonic()
    with pytest.raises(ContainerFailed, match="longer than timeout=2 s") as caught:
        pipe.map(sc.parallelize(["a"], 1), image, flood, timeout=2).collect()
    assert time.monotonic() - start < 30
    assert "flood" in caught.value.failure.stderr
