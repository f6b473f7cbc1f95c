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
from lofn_aws.sandbox.docker_client import docker_engine
from lofn_aws.sandbox.image_context import build_context

PULL_SILENCE_SECONDS = 30.0
BUILD_SILENCE_SECONDS = 900.0
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
BUILDER_LINES = ("--->", "Step ", "Removing intermediate container")


class BuildFailed(InfrastructureError):
    """A build or pull ended with an error; the message is the engine's own last words."""

    default_next = "docker info"


def present(tag: str) -> bool:
    """Whether the local engine has the image."""
    with docker_engine(f"looking for image {tag}") as client:
        try:
            client.images.get(tag)
        except docker.errors.ImageNotFound:
            return False
    return True


def pulled(tag: str) -> bool:
    """Whether the image is here after trying to pull it; an unreachable registry says no.

    Bounded by silence: the engine must report something every PULL_SILENCE_SECONDS.
    """
    repository, _, version = tag.partition(":")
    with docker_engine(f"pulling {tag}", PULL_SILENCE_SECONDS) as client:
        try:
            client.images.pull(repository, tag=version)
        except (docker.errors.APIError, requests.exceptions.ReadTimeout):
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
    context = io.BytesIO(build_context([dockerfile, *files]))
    last: deque[str] = deque(maxlen=3)
    with docker_engine(f"building {tag}", BUILD_SILENCE_SECONDS) as client:
        events = client.api.build(
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
                said = " / ".join(last) or event["error"]
                raise BuildFailed(f"building {tag} by {dockerfile} failed: {said}")
            line = COLOUR.sub("", event.get("stream") or "").strip()
            if line and not line.startswith(BUILDER_LINES):
                last.append(line)


def import_tar(tag: str, archive: IO[bytes]) -> None:
    """Make an image of a tar of its whole file system."""
    repository, _, version = tag.partition(":")
    archive.seek(0)
    with docker_engine(f"importing {tag}", BUILD_SILENCE_SECONDS) as client:
        client.api.import_image(src=archive, repository=repository, tag=version)
