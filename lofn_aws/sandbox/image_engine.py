"""What building images asks of Docker: is it here, pull it, build it, import it; all bounded."""

from __future__ import annotations

import io
import re
from collections import deque
from collections.abc import Mapping, Sequence
from typing import IO

import docker.errors
import requests.exceptions

from lofn_aws.errors import InfrastructureError
from lofn_aws.sandbox.docker_client import connect, translated
from lofn_aws.sandbox.image_context import build_context

PULL_SILENCE_SECONDS = 30.0
BUILD_SILENCE_SECONDS = 900.0
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
BUILDER_LINES = ("--->", "Step ", "Removing intermediate container")


class BuildFailed(InfrastructureError):
    """A build or pull ended with an error; the message is the engine's own last words."""


def present(tag: str) -> bool:
    """Whether the local engine has the image."""
    with translated(f"looking for image {tag}"):
        try:
            connect().images.get(tag)
        except docker.errors.ImageNotFound:
            return False
    return True


def pulled(tag: str) -> bool:
    """Whether the image is here after trying to pull it; an unreachable registry says no.

    Bounded by silence: the engine must report something every PULL_SILENCE_SECONDS.
    """
    repository, _, version = tag.partition(":")
    try:
        connect(PULL_SILENCE_SECONDS).images.pull(repository, tag=version)
    except (docker.errors.APIError, docker.errors.ImageNotFound):
        return False
    except requests.exceptions.RequestException:
        return False
    return True


def build(
    tag: str,
    dockerfile: str,
    files: Sequence[str],
    args: Mapping[str, str],
) -> None:
    """Build ``dockerfile`` (of IMAGE_DIR) over a context of ``files``.

    Raises BuildFailed with the last lines that the failing command wrote.
    """
    api = connect(BUILD_SILENCE_SECONDS).api
    context = io.BytesIO(build_context([dockerfile, *files]))
    last: deque[str] = deque(maxlen=3)
    try:
        events = api.build(
            fileobj=context,
            custom_context=True,
            dockerfile=dockerfile,
            tag=tag,
            buildargs=dict(args),
            rm=True,
            forcerm=True,
            decode=True,
        )
        for event in events:
            if "error" in event:
                raise BuildFailed(f"building {tag} by {dockerfile} failed: {' / '.join(last)}")
            line = COLOUR.sub("", event.get("stream") or "").strip()
            if line and not line.startswith(BUILDER_LINES):
                last.append(line)
    except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
        raise BuildFailed(f"building {tag} ({dockerfile}): {error}") from error


def import_tar(tag: str, archive: IO[bytes]) -> None:
    """Make an image of a tar of its whole file system."""
    repository, _, version = tag.partition(":")
    archive.seek(0)
    with translated(f"importing {tag}"):
        api = connect(BUILD_SILENCE_SECONDS).api
        api.import_image(src=archive, repository=repository, tag=version)
