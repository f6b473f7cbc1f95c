"""The cluster's nodes over SSH: the primary directly, the others through it, all at once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paramiko
from fabric import Connection

from lofn_aws.adapters.ssh_connect import HostKeyError, HostUnreachable, Login, connect
from lofn_aws.adapters.ssh_exec import (
    CommandResult,
    CommandTimeout,
    ConnectionLost,
    OnOutput,
    Readable,
    Writable,
    execute,
)
from lofn_aws.adapters.ssh_tunnel import tunnel
from lofn_aws.errors import InfrastructureError

__all__ = ["CommandFailed", "CommandResult", "Gateway", "HostKeyError", "HostUnreachable"]

# As many nodes as are spoken to at the same moment; each costs a thread and a connection.
_PARALLEL = 32


class CommandFailed(InfrastructureError):
    """A command on a host ended with another exit code than 0."""

    default_next = "lofn-aws swarm status  (what every node says of itself)"

    def __init__(self, result: CommandResult) -> None:
        said = (result.stderr.strip() or result.stdout.strip() or "no output").splitlines()[-5:]
        super().__init__(
            f"on {result.host}, `{_short(result.command)}` ended with exit code "
            f"{result.exit_code}: {' | '.join(said)}"
        )
        self.result = result


class Gateway:
    """SSH to a cluster: ``host`` is the primary; every other host is reached through it.

    ``host_keys`` has, for each host as it is named in calls, the text of its public host keys
    (one "type base64" line per key). A host without an entry, or with another key, is refused.
    Connections open on first use and stay open until ``close``; use as a context manager.
    """

    def __init__(
        self,
        host: str,
        *,
        user: str = "hadoop",
        key_file: Path | str | None = None,
        host_keys: Mapping[str, str] | None = None,
        connect_timeout: float = 20.0,
        port: int = 22,
    ) -> None:
        self.host = host
        self._login = Login(user, str(key_file) if key_file else None, port, connect_timeout)
        self._host_keys = dict(host_keys or {})
        self._connections: dict[str, Connection] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Gateway:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Connect to the primary now. Raises HostUnreachable, HostKeyError, CredentialsError."""
        self._transport(self.host)

    def close(self) -> None:
        """Close every connection, the primary's last, since the others run inside it."""
        with self._lock:
            connections = dict(self._connections)
            self._connections.clear()
        for host in sorted(connections, key=lambda name: name == self.host):
            with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
                connections[host].client.close()

    def run(
        self,
        host: str | None,
        command: str,
        *,
        timeout: float,
        stdin: bytes | Readable | None = None,
        stdout: Writable | None = None,
        check: bool = True,
        stream: OnOutput | None = None,
    ) -> CommandResult:
        """Run a shell command on a host (None: the primary) and give its result.

        ``timeout`` is in seconds for the command alone. With ``check``, another exit code than
        0 raises CommandFailed. Raises HostUnreachable, HostKeyError, CredentialsError, and
        InfrastructureError at the deadline; the command does not go on on the node then.
        """
        name = host or self.host
        transport = self._transport(name)
        try:
            result = execute(
                transport, name, command, timeout=timeout, stdin=stdin, stdout=stdout, stream=stream
            )
        except CommandTimeout as error:
            raise InfrastructureError(
                f"on {name}, `{_short(command)}` did not end within {timeout:.0f} s and was stopped"
            ) from error
        except (ConnectionLost, EOFError, paramiko.SSHException) as error:
            self._forget(name)
            raise HostUnreachable(
                f"the connection to {name} broke during `{_short(command)}`: {error}"
            ) from error
        if check and not result.ok:
            raise CommandFailed(result)
        return result

    def run_all(
        self, hosts: Sequence[str], command: str, *, timeout: float
    ) -> dict[str, CommandResult | Exception]:
        """Run one command on many hosts at once; complete before anything is raised.

        The result has every host, in the order given, with its CommandResult (whatever the
        exit code) or the error that kept it from having one.
        """
        return self.map_hosts(
            hosts, lambda host: self.run(host, command, timeout=timeout, check=False)
        )

    def map_hosts(
        self, hosts: Sequence[str], call: Callable[[str], CommandResult]
    ) -> dict[str, CommandResult | Exception]:
        """Call ``call(host)`` for all hosts at once and collect results and errors per host."""
        if not hosts:
            return {}
        try:
            # The inner connections run inside the primary's: it has to be open before threads
            # use it, or paramiko opens it twice and breaks both.
            self.open()
        except InfrastructureError as error:
            return dict.fromkeys(hosts, error)
        with ThreadPoolExecutor(min(_PARALLEL, len(hosts)), "ssh") as pool:
            futures = {host: pool.submit(call, host) for host in hosts}
            try:
                return {host: _outcome(future.result) for host, future in futures.items()}
            except BaseException:  # Ctrl-C: leaving the block waits for threads, so they end now
                pool.shutdown(wait=False, cancel_futures=True)
                self.close()
                raise

    @contextlib.contextmanager
    def forward(self, remote_port: int, wanted_port: int = 0) -> Iterator[int]:
        """A local port on 127.0.0.1 that leads to the primary's own port ``remote_port``.

        It is ``wanted_port``, or any free one if that is 0 or taken.
        """
        transport = self._transport(self.host)
        with tunnel(transport, "127.0.0.1", remote_port, wanted_port) as port:
            yield port

    def _transport(self, host: str) -> paramiko.Transport:
        """The open connection to a host, made where it is missing or broken."""
        if host != self.host:
            self._transport(self.host)
        with self._host_lock(host):
            known = self._connections.get(host)
            if known is None or not known.is_connected:
                known = self._connect(host)
                with self._lock:
                    self._connections[host] = known
            transport: paramiko.Transport = known.transport
            return transport

    def _host_lock(self, host: str) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(host, threading.Lock())

    def _forget(self, host: str) -> None:
        """Drop a connection that broke, so that the next call makes a new one."""
        with self._lock:
            known = self._connections.get(host)
            if known is not None and not known.is_connected:
                del self._connections[host]

    def _connect(self, host: str) -> Connection:
        outer = None if host == self.host else self._connections.get(self.host)
        if outer is None and host != self.host:
            raise HostUnreachable(f"the connection to {self.host}, on the way to {host}, broke")
        return connect(host, self._login, self._host_keys.get(host), outer)


def _outcome(get: Callable[[], CommandResult]) -> CommandResult | Exception:
    try:
        return get()
    except Exception as error:
        return error


def _short(command: str, width: int = 100) -> str:
    line = " ".join(command.split())
    return line if len(line) <= width else line[: width - 1] + "…"
