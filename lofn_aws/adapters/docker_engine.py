"""The Docker Engine of this machine: its images, pushing one, and whether it reaches loopback."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import docker
import docker.errors
import requests
from docker.context import ContextAPI

from lofn_aws.errors import InfrastructureError
from lofn_aws.model.image import LocalImage

# Seconds without a word from the engine; a push of one large layer reports all the time.
_SILENCE_SECONDS = 300
_PROBE_SECONDS = 15.0
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class DockerEngine:
    """The engine that the ``docker`` command of this machine would use.

    Every method raises InfrastructureError when no engine answers.
    """

    @cached_property
    def _client(self) -> docker.DockerClient:
        with _errors("connecting to the Docker Engine of this machine"):
            if os.environ.get("DOCKER_HOST"):
                client = docker.from_env(timeout=_SILENCE_SECONDS)
            else:
                # The SDK alone does not follow `docker context use`, the command does.
                context = ContextAPI.get_current_context()
                client = docker.DockerClient(
                    base_url=context.Host, tls=context.TLSConfig or False, timeout=_SILENCE_SECONDS
                )
            client.ping()
            return client

    def image(self, name: str) -> LocalImage | None:
        """The image of that name (``:latest`` where it has no tag); None when there is none."""
        with _errors(f"looking for the image {name}"):
            try:
                answer = self._client.api.inspect_image(name)
            except docker.errors.ImageNotFound:
                return None
        return LocalImage(
            id=answer["Id"],
            names=tuple(answer.get("RepoTags") or ()),
            size=int(answer.get("Size", 0)),
            platform=f"{answer.get('Os', 'linux')}/{answer.get('Architecture', '')}",
        )

    def image_names(self) -> list[str]:
        """Every name in the local engine, such as ``tools/gsnap:1``."""
        with _errors("listing the images of this machine"):
            answers = self._client.api.images()
        return sorted(name for answer in answers for name in answer.get("RepoTags") or ())

    @contextlib.contextmanager
    def tagged(self, image: str, repository: str, tag: str) -> Iterator[None]:
        """Give an image another name while the block runs, and leave names as they were."""
        before = self.image(f"{repository}:{tag}")
        with _errors(f"tagging {image}"):
            self._client.api.tag(image, repository, tag)
        try:
            yield
        finally:
            with _errors(f"removing the name {repository}:{tag}"):
                if before is not None:
                    self._client.api.tag(before.id, repository, tag)
                else:
                    # The image has another name, so that this removes the name alone.
                    self._client.api.remove_image(f"{repository}:{tag}", noprune=True)

    def push(self, repository: str, tag: str) -> Iterator[Mapping[str, Any]]:
        """Push a name and give each of Docker's messages as it comes; errors are messages."""
        with _errors(f"pushing {repository}:{tag}"):
            # Without a registry login of this machine's: the cluster's registry asks for none.
            yield from self._client.api.push(
                repository, tag, stream=True, decode=True, auth_config={"username": ""}
            )

    def save(self, name: str) -> Iterator[bytes]:
        """The image as ``docker save`` writes it, in pieces of about 2 MB."""
        with _errors(f"saving {name}"):
            yield from self._client.api.get_image(name)

    def reaches_loopback(self) -> bool:
        """Whether the engine reaches a port on this machine's 127.0.0.1, found by trying it.

        Docker Desktop's engine, and one on another host, do not. The engine is asked about an
        image in a registry at a port that listens here for this one question.
        """
        with _Listener() as listener:
            with contextlib.suppress(docker.errors.APIError, requests.RequestException):
                self._client.api.inspect_distribution(f"127.0.0.1:{listener.port}/lofn/probe:none")
            return listener.was_called


class _Listener:
    """A port of 127.0.0.1 that answers 404 to everyone and remembers that someone came."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(_PROBE_SECONDS)
        self.port = int(self._socket.getsockname()[1])
        self.was_called = False
        self._thread = threading.Thread(target=self._answer, daemon=True)

    def __enter__(self) -> _Listener:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _answer(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.was_called = True
                with connection:
                    connection.settimeout(_PROBE_SECONDS)
                    connection.recv(4096)
                    connection.sendall(_NOT_FOUND)


@contextlib.contextmanager
def _errors(doing: str) -> Iterator[None]:
    """The one table from the Docker SDK's errors to ours."""
    try:
        yield
    except docker.errors.APIError as error:
        raise InfrastructureError(
            f"{doing} failed: {error.explanation or error}", "docker info"
        ) from error
    except (docker.errors.DockerException, requests.RequestException, OSError) as error:
        raise InfrastructureError(
            f"{doing} failed: no Docker Engine answers ({_root(error)})", "docker version"
        ) from error


def _root(error: BaseException) -> str:
    """The innermost reason, without the layers of HTTP libraries around it."""
    while error.__context__ is not None:
        error = error.__context__
    return str(error) or type(error).__name__
