"""HTTP to Docker Engine's socket with the standard library: one kept connection per client."""

from __future__ import annotations

import http.client
import json
import os
import socket
import time
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from lofn.docker_handler import DockerFailure
from lofn.errors import DockerUnavailable

_DEFAULT = "unix:///var/run/docker.sock"
_SECONDS = 120.0  # an answer slower than this means a daemon that hangs
_RETRY_SECONDS = 20.0  # how long a daemon may take to come back from a restart
_NEWEST = (1, 47)  # the newest API whose requests this module was written against
# What the engine, the runtime and the kernel say when a node has run out of something.
_OF_THE_NODE = (
    "no space left on device",
    "disk quota exceeded",
    "address pool",
    "cannot allocate memory",
    "resource temporarily unavailable",
    "too many open files",
    "device or resource busy",
    "context deadline exceeded",
    "input/output error",
)


class ApiError(DockerFailure):
    """Docker Engine refused a request. ``status`` is HTTP's, ``reason`` the engine's sentence."""

    def __init__(self, status: int, reason: str, request: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(f"Docker Engine refused {request}: {reason} (HTTP {status})")

    @property
    def is_of_the_node(self) -> bool:
        """Whether the node, not the request, is at fault: elsewhere or later it may go well."""
        return any(words in self.reason.lower() for words in _OF_THE_NODE)

    def __reduce__(self) -> Any:
        return (type(self), (self.status, self.reason, ""))


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over the socket that DOCKER_HOST names."""

    def __init__(self, address: str, timeout: float) -> None:
        parts = urlsplit(address)
        self._unix = parts.path if parts.scheme == "unix" else None
        super().__init__(parts.hostname or "docker", parts.port or 2375, timeout=timeout)

    def connect(self) -> None:
        if self._unix is None:
            super().connect()
            return
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._unix)


def address() -> str:
    """Return where Docker Engine listens: DOCKER_HOST, else the socket everybody has.

    Raises DockerUnavailable for an address that containers with shared folders cannot use.
    """
    chosen = os.environ.get("DOCKER_HOST") or _DEFAULT
    if urlsplit(chosen).scheme in ("unix", "tcp", "http"):
        return chosen.replace("tcp://", "http://")
    raise DockerUnavailable(
        f"DOCKER_HOST is {chosen!r}: the engine reaches Docker by unix:// or tcp:// on its own node"
    )


class Transport:
    """Requests to one Docker Engine. Not for use from several threads at once."""

    def __init__(self, seconds: float = _SECONDS) -> None:
        self._address = address()
        self._seconds = seconds
        self._connection: _SocketConnection | None = None
        self._prefix = ""

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def request(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        body: bytes | dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        repeatable: bool = True,
    ) -> bytes:
        """Send one request and return the answer's body.

        A connection that the engine closed is opened anew for as long as a restart may take;
        ``repeatable`` says whether the request may be sent again when it is unknown whether the
        engine saw it. Raises ApiError for a refusal, DockerUnavailable where none answers.
        """
        deadline = time.monotonic() + _RETRY_SECONDS
        target = path + ("?" + urlencode(query) if query else "")
        while True:
            sent = False
            try:
                if not self._prefix:
                    self._prefix = self._negotiate()
                connection = self._open()
                data, kind = _encoded(body)
                sent = True
                connection.request(method, self._prefix + target, data, {**kind, **(headers or {})})
                answer = connection.getresponse()
                content = answer.read()
                break
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if isinstance(error, (PermissionError, socket.timeout)):
                    raise self._unavailable(error) from None
                if (sent and not repeatable) or time.monotonic() > deadline:
                    raise self._unavailable(error) from None
                time.sleep(0.2)
        if answer.status >= 400:
            raise ApiError(answer.status, _reason(content), f"{method} {path}")
        return content

    def json(self, method: str, path: str, **keywords: Any) -> Any:
        """Send one request and return the answer as parsed JSON, None for an empty one."""
        content = self.request(method, path, **keywords)
        return json.loads(content) if content else None

    def _open(self) -> _SocketConnection:
        if self._connection is None:
            self._connection = _SocketConnection(self._address, self._seconds)
            self._connection.connect()
        return self._connection

    def _negotiate(self) -> str:
        connection = self._open()
        connection.request("GET", "/_ping")
        answer = connection.getresponse()
        answer.read()
        said = answer.headers.get("Api-Version", "1.41")
        version = min(tuple(map(int, said.split("."))), _NEWEST)
        return f"/v{version[0]}.{version[1]}"

    def _unavailable(self, error: Exception) -> DockerUnavailable:
        node = socket.gethostname()
        if isinstance(error, PermissionError):
            return DockerUnavailable(
                f"the user with uid {os.getuid()} may not use Docker on node {node} "
                f"({self._address}): put it in the group docker and restart what runs the "
                "executors, e.g. YARN's NodeManager"
            )
        if isinstance(error, socket.timeout):
            return DockerUnavailable(
                f"Docker on node {node} gave no answer for {self._seconds:.0f} s: look at its "
                "log with `journalctl -u docker`"
            )
        return DockerUnavailable(
            f"Docker on node {node} does not answer at {self._address} "
            f"({error or type(error).__name__}): start it with `systemctl start docker`"
        )


def quoted(name: str) -> str:
    """Quote a container's or image's name for a path; slashes and colons stay."""
    return quote(name, safe="/:@")


def _encoded(body: bytes | dict[str, Any] | None) -> tuple[bytes | None, dict[str, str]]:
    if body is None:
        return None, {}
    if isinstance(body, bytes):
        return body, {"Content-Type": "application/x-tar"}
    return json.dumps(body).encode(), {"Content-Type": "application/json"}


def _reason(content: bytes) -> str:
    text = content.decode(errors="replace").strip()
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text[:500] or "no reason given"
