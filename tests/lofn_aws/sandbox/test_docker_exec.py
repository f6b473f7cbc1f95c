"""The engine's stream of frames, and that no output of a command is lost."""

from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor

import docker
import pytest

from lofn_aws.sandbox import docker_exec
from lofn_aws.sandbox.image_build import ensure_base_image


def _frame(kind: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", kind, len(data)) + data


@pytest.mark.parametrize(
    ("stream", "stdout", "stderr"),
    [
        (b"", b"", b""),
        (_frame(1, b"a") + _frame(2, b"x") + _frame(1, b"b\n"), b"ab\n", b"x"),
        (_frame(1, b"") + _frame(1, b"\x01\x00\x00\x00"), b"\x01\x00\x00\x00", b""),
        (_frame(1, b"a") + b"OCI runtime exec failed", b"a", b"OCI runtime exec failed"),
        (b"gone", b"", b"gone"),
    ],
)
def test_frames(stream: bytes, stdout: bytes, stderr: bytes) -> None:
    assert docker_exec.demultiplexed(stream) == (stdout, stderr)


@pytest.mark.docker
def test_nothing_of_many_short_commands_is_lost() -> None:
    client = docker.from_env()
    container = client.containers.create(
        ensure_base_image(print),
        ["sleep", "300"],
        network_mode="none",
        labels={"lofn-aws.test": "exec"},
    )

    def one(number: int) -> tuple[int, bytes, bytes]:
        api = docker.from_env().api
        try:
            script = f"echo {number}; echo e{number} >&2; exit {number % 7}"
            return docker_exec.run(
                api, container.id, ["sh", "-c", script], user="root", env={}, workdir=None
            )
        finally:
            api.close()

    try:
        container.start()
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(one, range(100)))
        with pytest.raises(docker.errors.APIError):
            docker_exec.run(
                client.api, "no-such-container", ["true"], user="root", env={}, workdir=None
            )
    finally:
        container.remove(force=True)
        client.close()
    assert found == [(n % 7, f"{n}\n".encode(), f"e{n}\n".encode()) for n in range(100)]
