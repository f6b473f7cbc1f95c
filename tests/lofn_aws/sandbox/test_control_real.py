"""Starting, killing and stopping a real sandbox leaves nothing that is not found again."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lofn_aws.sandbox import control, endpoint
from lofn_aws.sandbox.labels import SANDBOX_LABEL
from tests.lofn_aws.sandbox.emr_world import World, until

NAME = "control-tests"
pytestmark = [pytest.mark.docker, pytest.mark.sandbox]


def _left() -> list[str]:
    """Containers, volumes and networks of this sandbox."""
    label = f"label={SANDBOX_LABEL}={NAME}"
    found: list[str] = []
    for kind in (["ps", "-a"], ["volume", "ls"], ["network", "ls"]):
        command = ["docker", *kind, "-q", "--filter", label]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        found += [f"{kind[0]} {line}" for line in done.stdout.split()]
    return found


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    control.stop(NAME, print)
    yield
    control.stop(NAME, print)
    assert _left() == []


def test_two_starts_at_once_are_one_sandbox_and_stop_leaves_nothing() -> None:
    found: list[endpoint.Endpoint] = []
    threads = [
        threading.Thread(target=lambda: found.append(control.start(NAME, print))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1] == control.status(NAME)
    assert control.start(NAME, print) == found[0]
    removed = control.stop(NAME, print)
    assert f"process {found[0].pid}" in removed
    assert not _is_running(found[0].pid)
    assert control.status(NAME) is None
    assert control.stop(NAME, print) == []


def test_a_kill_in_the_middle_of_a_boot_is_cleaned_by_the_next_start() -> None:
    first = control.start(NAME, print)
    World(first.url, lambda _: None, patience=60).run(core=1)
    until("a node", lambda: any(thing.startswith("ps") for thing in _left()), 60)
    os.kill(first.pid, signal.SIGKILL)
    until("the kill", lambda: not _is_running(first.pid), 10)
    assert control.status(NAME) is None
    said: list[str] = []
    second = control.start(NAME, said.append)
    assert second.pid != first.pid
    assert any("removed what an earlier sandbox left: container" in line for line in said)
    assert [thing for thing in _left() if thing.startswith("ps")] == []


def test_a_stop_in_the_middle_of_a_boot_leaves_nothing() -> None:
    found = control.start(NAME, print)
    World(found.url, lambda _: None, patience=60).run(core=1)
    time.sleep(1.5)
    control.stop(NAME, print)
    assert _left() == []


def test_a_server_that_hangs_is_killed(tmp_path: Path) -> None:
    found = control.start(NAME, print)
    os.kill(found.pid, signal.SIGSTOP)
    assert control.status(NAME) is None
    began = time.monotonic()
    assert control.start(NAME, print).pid != found.pid
    assert time.monotonic() - began < 120
    assert not _is_running(found.pid)
