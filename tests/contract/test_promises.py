"""One suite for the fakes of the workflow tests and for what they stand for: sshd and Docker."""

from __future__ import annotations

import io
import tarfile
import uuid
from collections.abc import Iterator
from typing import Any

import docker
import pytest

from lofn_aws.adapters.docker_engine import DockerEngine
from lofn_aws.adapters.ssh import CommandFailed, Gateway
from lofn_aws.model.image import LocalImage
from tests.contract.sshd import ADDRESSES, SSHD, running
from tests.lofn_aws.workflows.fakes import FakeEngine, FakeGateway

FAILS = "echo out; echo no such thing >&2; exit 3"
COPIES = "cat"
TEXT = b"what goes in comes out\n"


@pytest.fixture(scope="module", params=["fake", "sshd"])
def gateway(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The fake with what sshd would answer written down, and a gateway to a real sshd."""
    if request.param == "fake":
        answers = {FAILS: (3, "out\n", "no such thing\n"), f"{COPIES}$": (0, TEXT.decode(), "")}
        yield FakeGateway(answers)
        return
    if SSHD is None:
        pytest.skip("needs OpenSSH's server (sshd)")
    with running(tmp_path_factory.mktemp("promises")) as server:
        keys = dict.fromkeys(ADDRESSES, server.host_key_lines)
        login = {"user": server.user, "key_file": server.key_file, "port": server.port}
        with Gateway(ADDRESSES[0], host_keys=keys, **login) as opened:
            yield opened


def test_a_command_that_fails_is_a_result(gateway: Any) -> None:
    result = gateway.run(None, FAILS, timeout=20, check=False)
    assert (result.exit_code, result.ok) == (3, False)
    assert (result.stdout, result.stderr) == ("out\n", "no such thing\n")
    assert (result.host, result.command) == (gateway.host, FAILS)


def test_a_command_that_fails_raises_where_it_is_checked(gateway: Any) -> None:
    with pytest.raises(CommandFailed, match=r"exit code 3.*no such thing") as caught:
        gateway.run(ADDRESSES[1], FAILS, timeout=20)
    assert (caught.value.result.exit_code, caught.value.result.host) == (3, ADDRESSES[1])


@pytest.mark.parametrize("as_file", [False, True])
def test_input_is_taken_whole_and_output_given(gateway: Any, as_file: bool) -> None:
    out = io.BytesIO()
    given = io.BytesIO(TEXT) if as_file else TEXT
    assert gateway.run(None, COPIES, timeout=20, stdin=given, stdout=out).ok
    assert out.getvalue() == TEXT


def test_every_host_has_its_result_or_its_error(gateway: Any) -> None:
    def call(host: str) -> Any:
        return gateway.run(host, FAILS, timeout=20, check=host == ADDRESSES[1])

    outcomes = gateway.map_hosts([ADDRESSES[2], ADDRESSES[1]], call)
    assert list(outcomes) == [ADDRESSES[2], ADDRESSES[1]]
    assert outcomes[ADDRESSES[2]].exit_code == 3
    assert isinstance(outcomes[ADDRESSES[1]], CommandFailed)


def test_a_tunnel_has_a_port(gateway: Any) -> None:
    with gateway.forward(9) as port:
        assert 1024 < port < 65536


@pytest.fixture(params=["fake", pytest.param("docker", marks=pytest.mark.docker)])
def engine(request: Any) -> Iterator[Any]:
    """A local engine that has lofn-test/promised:1, and a second image under other:latest."""
    if request.param == "fake":
        yield FakeEngine(
            {
                "lofn-test/promised:1": LocalImage("sha256:1", (), 3, "linux/amd64"),
                "lofn-test/other:latest": LocalImage("sha256:2", (), 3, "linux/amd64"),
            }
        )
        return
    client = docker.from_env()
    for repository, tag in (("lofn-test/promised", "1"), ("lofn-test/other", "latest")):
        client.api.import_image_from_data(_one_file(), repository=repository, tag=tag)
    yield DockerEngine()
    for name in ("lofn-test/promised:1", "lofn-test/other:latest"):
        client.images.remove(name, force=True)


def _one_file() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo(uuid.uuid4().hex)
        entry.size = 3
        tar.addfile(entry, io.BytesIO(b"abc"))
    return packed.getvalue()


def test_images_are_found_by_name(engine: Any) -> None:
    assert engine.image("lofn-test/promised:1").id.startswith("sha256:")
    assert engine.image("lofn-test/promised") is None
    assert engine.image("lofn-test/other") == engine.image("lofn-test/other:latest")
    names = engine.image_names()
    assert names == sorted(names) and "lofn-test/promised:1" in names


@pytest.mark.parametrize("tag", ["new", "latest"])
def test_a_name_lent_is_taken_back(engine: Any, tag: str) -> None:
    image, before = engine.image("lofn-test/promised:1"), engine.image(f"lofn-test/other:{tag}")
    with pytest.raises(KeyboardInterrupt), engine.tagged(image.id, "lofn-test/other", tag):
        assert engine.image(f"lofn-test/other:{tag}").id == image.id
        raise KeyboardInterrupt
    after = engine.image(f"lofn-test/other:{tag}")
    assert (after and after.id) == (before and before.id)
    assert engine.image("lofn-test/promised:1").id == image.id


def test_an_image_is_saved_in_pieces(engine: Any) -> None:
    pieces = list(engine.save("lofn-test/promised:1"))
    assert pieces and all(isinstance(piece, bytes) for piece in pieces)
