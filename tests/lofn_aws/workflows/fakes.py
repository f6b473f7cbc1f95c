"""Stand-ins for SSH and the local engine whose answers a test writes down.

They keep the promises that workflows rely on as the real ones do: tests/contract/test_promises.py
asks both for them.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from lofn_aws.adapters.ssh import CommandFailed, CommandResult
from lofn_aws.errors import InfrastructureError
from lofn_aws.model.cluster import Cluster, Instance
from lofn_aws.model.image import LocalImage
from lofn_aws.workflows.attach import Attached

PRIMARY, FIRST, SECOND = "10.0.0.4", "10.0.0.5", "10.0.0.6"


class FakeGateway:
    """Answers commands by the first pattern that is found in them; what was run is kept."""

    def __init__(self, answers: Mapping[str, tuple[int, str, str]] | None = None) -> None:
        self.answers = dict(answers or {})
        self.ran: list[tuple[str, str]] = []
        self.sent: list[bytes] = []
        self.host = PRIMARY

    def run(
        self,
        host: str | None,
        command: str,
        *,
        timeout: float,
        stdin: Any = None,
        stdout: Any = None,
        check: bool = True,
        stream: Any = None,
    ) -> CommandResult:
        name = host or self.host
        self.ran.append((name, command))
        if stdin is not None:
            source = io.BytesIO(stdin) if isinstance(stdin, bytes) else stdin
            self.sent.append(b"".join(iter(lambda: source.read(65536), b"")))
        code, out, err = self._answer(name, command)
        if stdout is not None:
            stdout.write(out.encode())
        result = CommandResult(name, command, code, out, err)
        if check and code:
            raise CommandFailed(result)
        return result

    def _answer(self, host: str, command: str) -> tuple[int, str, str]:
        for pattern, answer in self.answers.items():
            if re.search(pattern, f"{host} {command}"):
                return answer
        return 0, "", ""

    def map_hosts(
        self, hosts: Sequence[str], call: Callable[[str], CommandResult]
    ) -> dict[str, CommandResult | Exception]:
        outcomes: dict[str, CommandResult | Exception] = {}
        for host in hosts:
            try:
                outcomes[host] = call(host)
            except InfrastructureError as error:
                outcomes[host] = error
        return outcomes

    @contextmanager
    def forward(self, remote_port: int, wanted_port: int = 0) -> Iterator[int]:
        yield 40_000


class FakeEngine:
    """A local engine with some images; a push plays a recorded stream of messages."""

    def __init__(self, images: Mapping[str, LocalImage], messages: Sequence[Any] = ()) -> None:
        self.images = dict(images)
        self.messages = list(messages)
        self.loopback = True
        self.names_while_pushing: list[str] = []

    def image(self, name: str) -> LocalImage | None:
        return self.images.get(name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest")

    def image_names(self) -> list[str]:
        return sorted(self.images)

    @contextmanager
    def tagged(self, image: str, repository: str, tag: str) -> Iterator[None]:
        found = next(known for known in self.images.values() if known.id == image)
        before = self.images.get(f"{repository}:{tag}")
        self.images[f"{repository}:{tag}"] = found
        try:
            yield
        finally:
            if before is None:
                del self.images[f"{repository}:{tag}"]
            else:
                self.images[f"{repository}:{tag}"] = before

    def push(self, repository: str, tag: str) -> Iterator[Mapping[str, Any]]:
        assert f"{repository}:{tag}" in self.images
        self.names_while_pushing.append(f"{repository}:{tag}")
        for message in self.messages:
            if isinstance(message, BaseException):
                raise message
            yield message

    def save(self, name: str) -> Iterator[bytes]:
        yield f"archive of {name}".encode()

    def reaches_loopback(self) -> bool:
        return self.loopback


def cluster_of(gateway: FakeGateway) -> Attached:
    """A ready cluster of three nodes behind a gateway."""
    cluster = Cluster("j-1", "lofn", "WAITING", log_uri="s3://logs/")
    nodes = tuple(
        Instance(f"ci-{ip}", f"i-{ip}", role, "RUNNING", private_ip=ip)  # type: ignore[arg-type]
        for ip, role in ((PRIMARY, "primary"), (FIRST, "core"), (SECOND, "core"))
    )
    hosts = {node.private_ip: node.private_ip for node in nodes}
    return Attached(cluster, nodes, gateway, hosts)  # type: ignore[arg-type]
