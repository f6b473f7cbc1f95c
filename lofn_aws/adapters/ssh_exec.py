"""One command on one open SSH transport: input, output, deadline, and nothing left behind."""

from __future__ import annotations

import contextlib
import math
import shlex
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import paramiko
from paramiko.common import cMSG_CHANNEL_REQUEST

# The size that OpenSSH and paramiko exchange well: four packets of 32 KiB at a time.
CHUNK = 131_072
# Seconds that the node's own `timeout` grants beyond ours: it only matters when this process
# was killed and can no longer end the command itself.
_GRACE_SECONDS = 10

OnOutput = Callable[[str, bytes], None]


class Readable(Protocol):
    """What can be sent as standard input: an open binary file, or anything that reads like one."""

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; empty at the end alone."""


class Writable(Protocol):
    """What takes standard output: an open binary file, or anything that writes like one."""

    def write(self, data: bytes, /) -> object:
        """Take all of ``data``."""


@dataclass(frozen=True)
class CommandResult:
    """What one command on one host came to; the outputs are decoded as UTF-8 with care."""

    host: str
    command: str
    exit_code: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """True where the command ended with exit code 0."""
        return self.exit_code == 0


class CommandTimeout(Exception):
    """The command did not end before its deadline, and was ended on the host."""


class ConnectionLost(Exception):
    """The connection broke before the command's exit code arrived."""


@dataclass
class _Collector:
    """Gathers one output stream, or hands it on to a file or a callback."""

    name: str
    stream: OnOutput | None
    sink: Writable | None = None
    chunks: list[bytes] = field(default_factory=list)
    error: BaseException | None = None

    def drain(self, receive: Callable[[int], bytes]) -> None:
        """Read until the end of the stream; an error of the sink is kept for the caller."""
        try:
            while data := receive(CHUNK):
                if self.sink is not None:
                    self.sink.write(data)
                else:
                    self.chunks.append(data)
                if self.stream is not None:
                    self.stream(self.name, data)
        except BaseException as error:
            self.error = error

    def text(self) -> str:
        return b"".join(self.chunks).decode("utf-8", errors="replace")


def bounded(command: str, timeout: float) -> str:
    """Wrap ``command`` so that the node ends it by itself when this process cannot any more."""
    seconds = math.ceil(timeout) + _GRACE_SECONDS
    return f"exec timeout -k 5 {seconds} sh -c {shlex.quote(command)}"


def execute(
    transport: paramiko.Transport,
    host: str,
    command: str,
    *,
    timeout: float,
    stdin: bytes | Readable | None = None,
    stdout: Writable | None = None,
    stream: OnOutput | None = None,
) -> CommandResult:
    """Run ``command`` in a session of ``transport`` and wait for its exit code.

    ``timeout`` is in seconds from now to the exit code. ``stdin`` is sent and closed (closed at
    once when None); standard output is collected, or written to ``stdout``; ``stream`` sees
    each chunk as ("stdout"|"stderr", bytes) as it comes. Raises CommandTimeout, ConnectionLost,
    paramiko.SSHException; an error of reading ``stdin`` or writing ``stdout`` comes through as
    it is. In every one of these cases the command was told to end.
    """
    deadline = time.monotonic() + timeout
    channel = transport.open_session(timeout=min(timeout, 30))
    outputs = [_Collector("stdout", stream, stdout), _Collector("stderr", stream)]
    feeder = _Feeder(channel, stdin)
    finished = False
    try:
        channel.exec_command(bounded(command, timeout))
        threads = _start(channel, outputs, feeder)
        if not channel.status_event.wait(timeout):
            raise CommandTimeout(f"no end after {timeout:.0f} s")
        # The exit code may come before the last output, which a slow line still carries.
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in threads):
            raise CommandTimeout(f"output still open after {timeout:.0f} s")
        _raise_first([output.error for output in outputs])
        if channel.exit_status < 0:
            raise _no_exit_code(transport, feeder)
        finished = True
        if feeder.failed_to_read is not None:
            raise feeder.failed_to_read
    finally:
        if not finished:
            _end(channel)
        channel.close()
    return CommandResult(host, command, channel.exit_status, outputs[0].text(), outputs[1].text())


def _start(
    channel: paramiko.Channel, outputs: list[_Collector], feeder: _Feeder
) -> list[threading.Thread]:
    """Start the two readers, to be joined, and the writer, which the channel's end ends."""
    readers = [
        threading.Thread(target=outputs[0].drain, args=(channel.recv,), daemon=True),
        threading.Thread(target=outputs[1].drain, args=(channel.recv_stderr,), daemon=True),
    ]
    for thread in readers:
        thread.start()
    threading.Thread(target=feeder.feed, daemon=True).start()
    return readers


class _Feeder:
    """Sends standard input; one that cannot be read ends the command instead of cutting it."""

    def __init__(self, channel: paramiko.Channel, stdin: bytes | Readable | None) -> None:
        self._channel = channel
        self._stdin = stdin
        self.failed_to_read: BaseException | None = None

    def feed(self) -> None:
        """Send everything, then the end of input; a command that reads no more is no error."""
        try:
            for chunk in self._chunks():
                self._channel.sendall(chunk)
            self._channel.shutdown_write()
        except OSError:
            # The command closed its input or ended: its exit code says whether that is bad.
            return

    def _chunks(self) -> Iterator[bytes]:
        if isinstance(self._stdin, bytes):
            yield from (self._stdin[i : i + CHUNK] for i in range(0, len(self._stdin), CHUNK))
            return
        while self._stdin is not None:
            try:
                chunk = self._stdin.read(CHUNK)
            except BaseException as error:
                # The signal comes first: a clean end of input would let the command keep half.
                self.failed_to_read = error
                _end(self._channel)
                self._channel.close()
                return
            if not chunk:
                return
            yield chunk


def _no_exit_code(transport: paramiko.Transport, feeder: _Feeder) -> BaseException:
    if feeder.failed_to_read is not None:
        return feeder.failed_to_read
    if transport.is_active():
        return ConnectionLost("the command was ended by a signal")
    return ConnectionLost(str(transport.get_exception() or "the connection was closed"))


def _raise_first(errors: list[BaseException | None]) -> None:
    for error in errors:
        if error is not None:
            raise error


def _end(channel: paramiko.Channel) -> None:
    """Send SIGTERM to the command's process group (RFC 4254, 6.9; OpenSSH 7.9 and later).

    Closing a session without a terminal signals nothing by itself, so a command that neither
    reads nor writes would stay on the node. Paramiko has no public call for this message. (Where
    sshd does not take it, as in a session of root, the `timeout` of ``bounded`` is what is left.)
    """
    message = paramiko.Message()
    message.add_byte(cMSG_CHANNEL_REQUEST)
    message.add_int(channel.remote_chanid)
    message.add_string("signal")
    message.add_boolean(False)
    message.add_string("TERM")
    with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
        channel.transport._send_user_message(message)
