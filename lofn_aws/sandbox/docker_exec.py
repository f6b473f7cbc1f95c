"""A command in a container with all of its output, which docker-py's own way can lose.

docker-py reads an exec's output from the socket below the buffered reader that has read the
answer's headers; output that came along with the headers is lost with that buffer. On a machine
under load that was 1 of 240 runs of ``echo``. Without an upgrade of the connection the engine
sends the same stream as the answer's body, which requests reads to its end: 0 of 600.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Mapping, Sequence

import docker
import docker.errors
import requests.exceptions

FRAME_HEADER = struct.Struct(">BxxxL")
STDOUT = 1
STREAMS = (0, STDOUT, 2)
EXIT_CODE_SECONDS = 10.0
POLL_SECONDS = 0.05


def run(
    api: docker.APIClient,
    container: str,
    argv: Sequence[str],
    *,
    user: str,
    env: Mapping[str, str],
    workdir: str | None,
) -> tuple[int, bytes, bytes]:
    """Run a command to its end.

    Returns:
        Exit code, stdout and stderr.

    Raises:
        docker.errors.APIError: the engine refused, or knows no exit code.
        requests.exceptions.RequestException: the engine did not answer.
    """
    created = api.exec_create(
        container, list(argv), user=user, environment=dict(env), workdir=workdir
    )
    answer = api.post(
        f"{api.base_url}/v{api.api_version}/exec/{created['Id']}/start",
        json={"Detach": False, "Tty": False},
        timeout=api.timeout,
    )
    try:
        answer.raise_for_status()
    except requests.exceptions.HTTPError as error:
        docker.errors.create_api_error_from_http_exception(error)
    return (_exit_code(api, created["Id"]), *demultiplexed(answer.content))


def _exit_code(api: docker.APIClient, exec_id: str) -> int:
    """The exit code, which the engine may know a moment after the output's end."""
    end = time.monotonic() + EXIT_CODE_SECONDS
    while time.monotonic() < end:
        code = api.exec_inspect(exec_id)["ExitCode"]
        if code is not None:
            return int(code)
        time.sleep(POLL_SECONDS)
    raise docker.errors.APIError(f"no exit code within {EXIT_CODE_SECONDS:.0f} s")


def demultiplexed(stream: bytes) -> tuple[bytes, bytes]:
    """Stdout and stderr of the engine's stream of frames (pure).

    What is not a frame is the engine's own complaint, and goes to stderr.
    """
    stdout, stderr = bytearray(), bytearray()
    position = 0
    while position < len(stream):
        start = position + FRAME_HEADER.size
        if start > len(stream) or stream[position] not in STREAMS:
            stderr += stream[position:]
            break
        kind, length = FRAME_HEADER.unpack_from(stream, position)
        position = start + length
        (stdout if kind == STDOUT else stderr).extend(stream[start:position])
    return bytes(stdout), bytes(stderr)
