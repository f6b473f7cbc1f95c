"""The local engine's adapter against the real Docker Engine of this machine."""

from __future__ import annotations

import io
import tarfile
import uuid
from collections.abc import Iterator

import docker
import pytest

from lofn_aws.adapters.docker_engine import DockerEngine
from lofn_aws.errors import InfrastructureError

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def tiny() -> Iterator[str]:
    """An image of one small file, under a name of its own."""
    client = docker.from_env()
    name = f"lofn-test/{uuid.uuid4().hex[:8]}"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo("file")
        entry.size = 3
        tar.addfile(entry, io.BytesIO(b"abc"))
    client.api.import_image_from_data(buffer.getvalue(), repository=name, tag="1")
    yield f"{name}:1"
    client.images.remove(f"{name}:1", force=True)


def test_image_facts(tiny: str) -> None:
    found = DockerEngine().image(tiny)
    assert found is not None
    assert found.names == (tiny,)
    assert found.id.startswith("sha256:") and found.size >= 3
    assert tiny in DockerEngine().image_names()


def test_unknown_image_is_none() -> None:
    assert DockerEngine().image("lofn-test/none:0") is None


@pytest.mark.parametrize("fails", [False, True])
def test_a_temporary_name_is_gone_afterwards(tiny: str, fails: bool) -> None:
    engine = DockerEngine()
    try:
        with engine.tagged(tiny, "lofn-test/other", "2"):
            assert engine.image("lofn-test/other:2") == engine.image(tiny)
            if fails:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert engine.image("lofn-test/other:2") is None
    assert engine.image(tiny) is not None


def test_a_name_that_was_there_before_is_kept(tiny: str) -> None:
    engine = DockerEngine()
    repository, tag = tiny.rsplit(":", 1)
    with engine.tagged(tiny, repository, tag):
        pass
    assert engine.image(tiny) is not None


def test_push_to_nowhere_tells_the_reason(tiny: str) -> None:
    engine = DockerEngine()
    with engine.tagged(tiny, "127.0.0.1:9/x", "1"):
        messages = list(engine.push("127.0.0.1:9/x", "1"))
    assert any("refused" in str(message.get("error")) for message in messages)


def test_save_is_a_tar_that_names_the_image(tiny: str) -> None:
    with tarfile.open(fileobj=io.BytesIO(b"".join(DockerEngine().save(tiny)))) as tar:
        assert "manifest.json" in tar.getnames()


def test_an_engine_on_this_machine_reaches_loopback() -> None:
    assert DockerEngine().reaches_loopback()


def test_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(InfrastructureError, match="no Docker Engine answers") as caught:
        DockerEngine().image_names()
    assert caught.value.next_command == "docker version"
