"""Starts, finds and stops the sandbox's background process."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lofn_aws.errors import InfrastructureError
from lofn_aws.sandbox import endpoint
from lofn_aws.sandbox.endpoint import Endpoint
from lofn_aws.sandbox.file_lock import file_lock
from lofn_aws.sandbox.image_build import ensure_node_image, ensure_registry_image
from lofn_aws.sandbox.nodes import NodeEngine

__all__ = ["Endpoint", "start", "status", "stop"]

HEALTH_SECONDS = 5.0
START_SECONDS = 60.0
STOP_SECONDS = 30.0
# Whoever holds the lock may be building the node image for the first time.
LOCK_SECONDS = 1200.0
POLL_SECONDS = 0.2
LOG_TAIL_LINES = 5

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def start(name: str, progress: Callable[[str], None]) -> Endpoint:
    """Return the running sandbox of that name, started if it was not.

    Args:
        name: the sandbox's name.
        progress: called with a sentence at the start of each phase.

    Raises:
        InfrastructureError: an image could not be built, or the process did not come up.
    """
    found = status(name)
    if found is not None:
        return found
    with _only_one(name, progress):
        found = status(name)
        if found is not None:
            return found
        node_image = ensure_node_image(progress)
        registry_image = ensure_registry_image(progress)
        _end_process(name)
        for removed in NodeEngine(name).sweep():
            progress(f"removed what an earlier sandbox left: {removed}")
        progress(f"starting sandbox '{name}'")
        return _spawn(name, node_image, registry_image)


def status(name: str) -> Endpoint | None:
    """Return the running sandbox of that name; what endpoint.json says is checked first."""
    found = endpoint.read(name)
    if found is None or found.name != name:
        return None
    return found if _answers(found) else None


def stop(name: str, progress: Callable[[str], None]) -> list[str]:
    """End the sandbox's process and remove everything that carries its label.

    Returns:
        What was removed, one text each; empty if there was nothing.
    """
    with _only_one(name, progress):
        removed = []
        pid = _server_pid(name)
        if pid is not None:
            progress(f"stopping sandbox '{name}'")
            _end_process(name)
            removed.append(f"process {pid}")
        endpoint.remove(name)
        return removed + NodeEngine(name).sweep()


def _answers(found: Endpoint) -> bool:
    """Whether the process that an endpoint names is there and healthy."""
    try:
        with _opener.open(f"{found.url}/_lofn/health", timeout=HEALTH_SECONDS) as response:
            health = json.load(response)
    except (OSError, ValueError):
        return False
    return (health.get("sandbox"), health.get("pid")) == (found.name, found.pid)


def _spawn(name: str, node_image: str, registry_image: str) -> Endpoint:
    folder = endpoint.state_dir(name)
    folder.mkdir(parents=True, exist_ok=True)
    endpoint.remove(name)
    command = [sys.executable, "-m", "lofn_aws.sandbox.server", "--name", name]
    command += ["--node-image", node_image, "--registry-image", registry_image]
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=folder,
        )
    try:
        return _await_health(name, process)
    except BaseException:
        # Also when interrupted: a server that nobody waits for must not stay.
        process.kill()
        process.wait()
        raise


def _await_health(name: str, process: subprocess.Popen[bytes]) -> Endpoint:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        found = status(name)
        if found is not None and found.pid == process.pid:
            return found
        if process.poll() is not None:
            raise _not_started(name, f"its process ended with exit code {process.returncode}")
        time.sleep(POLL_SECONDS)
    raise _not_started(name, f"it did not answer within {START_SECONDS:.0f} s")


def _not_started(name: str, why: str) -> InfrastructureError:
    path = endpoint.state_dir(name) / "server.log"
    lines = path.read_text(errors="replace").strip().splitlines() if path.exists() else []
    said = " / ".join(lines[-LOG_TAIL_LINES:])
    return InfrastructureError(
        f"sandbox '{name}' did not start: {why}. Its log ends with: {said}", f"cat {path}"
    )


def _server_pid(name: str) -> int | None:
    """Return the pid of the server that lives, healthy or not, by the lock that it holds."""
    path = endpoint.state_dir(name) / "server.lock"
    try:
        with path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return None
    except FileNotFoundError:
        return None
    except BlockingIOError:
        text = path.read_text().strip()
        return int(text) if text.isdigit() else None


def _end_process(name: str) -> None:
    """End the server, if one lives: politely first, then with SIGKILL."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        pid = _server_pid(name)
        if pid is None:
            return
        _signal(pid, number)
        end = time.monotonic() + STOP_SECONDS
        while _server_pid(name) == pid and time.monotonic() < end:
            time.sleep(POLL_SECONDS)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


@contextmanager
def _only_one(name: str, progress: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock under which a sandbox is started or stopped.

    Raises:
        WaitTimeout: somebody else holds it for longer than ``LOCK_SECONDS``.
    """
    path = endpoint.state_dir(name) / "control.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    holder = f"another command that starts or stops sandbox '{name}'"
    with file_lock(path, LOCK_SECONDS, holder, progress, "lofn-aws sandbox status"):
        yield
