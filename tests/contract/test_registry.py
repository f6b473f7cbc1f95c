"""The registry's adapter against a real registry, filled by the real engine."""

from __future__ import annotations

import io
import json
import socket
import tarfile
import time
import urllib.request
import uuid
from collections.abc import Iterator

import docker
import pytest

from lofn_aws.adapters.docker_engine import DockerEngine
from lofn_aws.adapters.registry import Registry
from lofn_aws.errors import InfrastructureError
from lofn_aws.model.image import ImageName
from lofn_aws.sandbox.image_build import ensure_registry_image

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A registry of the same image that the sandbox's clusters run, on a free port."""
    image = ensure_registry_image(lambda _: None)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        free = int(probe.getsockname()[1])
    container = docker.from_env().containers.run(
        image,
        detach=True,
        network_mode="host",
        environment={
            "REGISTRY_HTTP_ADDR": f"127.0.0.1:{free}",
            "REGISTRY_STORAGE_DELETE_ENABLED": "true",
        },
        labels={"lofn-aws.test": "registry"},
    )
    try:
        _wait(free)
        yield free
    finally:
        container.remove(force=True, v=True)


def _wait(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/", timeout=2) as answer:
                json.load(answer)
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the registry does not answer")


def _push(port: int, name: ImageName) -> str:
    """Push an image of one small file and return its digest as the engine tells it."""
    client = docker.from_env()
    local = f"lofn-test/{uuid.uuid4().hex[:8]}"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo(local.replace("/", "-"))
        tar.addfile(entry, io.BytesIO())
    client.api.import_image_from_data(buffer.getvalue(), repository=local, tag="1")
    engine = DockerEngine()
    try:
        with engine.tagged(f"{local}:1", f"127.0.0.1:{port}/{name.repository}", name.tag):
            messages = list(engine.push(f"127.0.0.1:{port}/{name.repository}", name.tag))
    finally:
        client.images.remove(f"{local}:1", force=True)
    return next(str(m["aux"]["Digest"]) for m in messages if "aux" in m)


def test_list_find_and_delete(port: int) -> None:
    registry = Registry(port)
    first, second = ImageName("tools/a", "1"), ImageName("tools/a", "2")
    digest = _push(port, first)
    _push(port, second)
    assert registry.images() == [first, second]
    assert registry.digest(first) == digest
    assert registry.delete(first, digest)
    assert registry.images() == [second]
    assert registry.digest(first) is None
    assert not registry.delete(first, digest)


def test_unknown_repository_has_no_digest(port: int) -> None:
    assert Registry(port).digest(ImageName("nobody/nothing")) is None


def test_no_registry() -> None:
    with pytest.raises(InfrastructureError, match="registry"):
        Registry(9).images()
