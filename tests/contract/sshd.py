"""A real sshd on loopback for the SSH contract: its own keys, its own configuration."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SSHD = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
ADDRESSES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")

_CONFIG = """
Port {port}
{listen}
HostKey {folder}/host_ed25519
HostKey {folder}/host_rsa
AuthorizedKeysFile {folder}/user.pub
StrictModes no
UsePAM no
PidFile none
MaxStartups 64
"""


@dataclass(frozen=True)
class Sshd:
    """Where it listens and what a client needs."""

    port: int
    user: str
    key_file: Path
    host_key_lines: str
    folder: Path


def _keygen(kind: str, path: Path) -> None:
    command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(path)]
    subprocess.run(command, check=True, timeout=60)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path) -> Iterator[Sshd]:
    """Run sshd in the foreground of a process of ours, and end that process."""
    _keygen("ed25519", folder / "host_ed25519")
    _keygen("rsa", folder / "host_rsa")
    _keygen("ed25519", folder / "user")
    port = _free_port()
    listen = "\n".join(f"ListenAddress {address}" for address in ADDRESSES)
    (folder / "config").write_text(_CONFIG.format(port=port, listen=listen, folder=folder))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    command = [str(SSHD), "-D", "-f", str(folder / "config"), "-E", str(folder / "log")]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        _wait(process, port, folder / "log")
        lines = "".join((folder / f"host_{kind}.pub").read_text() for kind in ("rsa", "ed25519"))
        yield Sshd(port, getpass.getuser(), folder / "user", lines, folder)
    finally:
        process.terminate()
        process.wait(10)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection((ADDRESSES[-1], port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"sshd did not start: {log.read_text() if log.exists() else 'no log'}")
