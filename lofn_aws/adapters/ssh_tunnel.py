"""A local port on loopback whose connections go through SSH to a port the node can reach."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator

import paramiko

_CHUNK = 131_072
_OPEN_SECONDS = 20.0


class _Tunnel:
    """The listening socket, its thread, and the connections that are open."""

    def __init__(
        self, transport: paramiko.Transport, remote: tuple[str, int], wanted_port: int
    ) -> None:
        self._transport = transport
        self._remote = remote
        self._listener = _listen(wanted_port)
        self._wake, self._stop = socket.socketpair()
        self._open: set[tuple[socket.socket, paramiko.Channel]] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._accept, name="ssh-tunnel", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def close(self) -> None:
        """Stop listening and cut what is still open."""
        self._stop.send(b"x")
        self._thread.join(5)
        self._listener.close()
        with self._lock:
            pairs = list(self._open)
        for client, channel in pairs:
            _shut(client, channel)
        self._wake.close()
        self._stop.close()

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select()]
                if self._wake in ready:
                    return
                client, address = self._listener.accept()
                threading.Thread(target=self._serve, args=(client, address), daemon=True).start()

    def _serve(self, client: socket.socket, address: tuple[str, int]) -> None:
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            channel = self._transport.open_channel(
                "direct-tcpip", self._remote, address, timeout=_OPEN_SECONDS
            )
        except (OSError, EOFError, paramiko.SSHException):
            # The far port refused, or the connection is gone: the client sees its own closed.
            client.close()
            return
        with self._lock:
            self._open.add((client, channel))
        back = threading.Thread(target=_pump_back, args=(channel, client), daemon=True)
        back.start()
        _pump_forth(client, channel)
        back.join()
        _shut(client, channel)
        with self._lock:
            self._open.discard((client, channel))


def _listen(wanted_port: int) -> socket.socket:
    """Listen on the port, or on any free one where another process has it; 0 means any."""
    try:
        return socket.create_server(("127.0.0.1", wanted_port), backlog=64)
    except OSError:
        return socket.create_server(("127.0.0.1", 0), backlog=64)


def _pump_forth(client: socket.socket, channel: paramiko.Channel) -> None:
    with contextlib.suppress(OSError):
        while data := client.recv(_CHUNK):
            channel.sendall(data)
    with contextlib.suppress(OSError, EOFError):
        channel.shutdown_write()


def _pump_back(channel: paramiko.Channel, client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := channel.recv(_CHUNK):
            client.sendall(data)
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_WR)


def _shut(client: socket.socket, channel: paramiko.Channel) -> None:
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)
    client.close()
    with contextlib.suppress(OSError, EOFError):
        channel.close()


@contextlib.contextmanager
def tunnel(
    transport: paramiko.Transport, remote_host: str, remote_port: int, wanted_port: int = 0
) -> Iterator[int]:
    """Listen on ``wanted_port`` of 127.0.0.1, or on any free one if that is taken; gives the port.

    The tunnel is there while the block runs.
    """
    opened = _Tunnel(transport, (remote_host, remote_port), wanted_port)
    try:
        yield opened.port
    finally:
        opened.close()
