"""Runs that were killed: the next run goes on, or cleans up, and nothing is lost or doubled."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.sandbox.harness import Project, labelled, nothing_left, read_until, write_project

SANDBOX = "tests-killed"


@pytest.fixture
def own(home: Path, tmp_path: Path) -> Iterator[Project]:
    """A project with a sandbox of its own, which the test may kill."""
    with _sandbox_of_its_own(home, tmp_path) as project:
        yield project


@contextmanager
def _sandbox_of_its_own(home: Path, folder: Path) -> Iterator[Project]:
    project = write_project(folder, home, SANDBOX, "killed", core_count=1)
    project.run("sandbox", "stop", timeout=120)
    try:
        yield project
    finally:
        project.run("sandbox", "stop", timeout=120)
        assert nothing_left(SANDBOX)


@pytest.fixture(scope="module")
def resumed(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A cluster whose `up` was killed while EMR booted, while the swarm formed and later."""
    with _sandbox_of_its_own(home, tmp_path_factory.mktemp("resumed")) as project:
        project.run("sandbox", "start", timeout=1500)
        for phase in ("BOOTSTRAPPING", "✓ start a Docker swarm", "✓ run the registry"):
            with project.started("up") as process:
                read_until(process, phase, 240)
                os.killpg(process.pid, signal.SIGKILL)
        project.run("up", timeout=400)
        yield project


def test_up_killed_at_several_phases_is_resumed(resumed: Project) -> None:
    """Killed with SIGKILL three times, and there is one cluster, which is whole."""
    assert len(resumed.run("list", "-o", "json").json) == 1
    done = resumed.run("up")
    assert "nothing to do" in (done.stdout + done.stderr).lower()


def test_a_node_that_dies_is_told(resumed: Project) -> None:
    """A core node that vanishes is no longer among the running nodes of `status`."""
    label = f"label=lofn-aws.sandbox={SANDBOX}"
    names = subprocess.run(
        ["docker", "ps", "--filter", label, "--format", "{{.Names}}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    told = resumed.run("status", "-o", "json").json
    core = next(n for n in told["instances"] if n["role"] == "core")
    victim = next(n for n in names if core["ec2_id"] in n)
    subprocess.run(["docker", "rm", "-fv", victim], check=True, capture_output=True)
    told = resumed.run("status", "-o", "json").json
    assert core["id"] not in [n["id"] for n in told["instances"] if n["state"] == "RUNNING"]


def test_killed_sandbox_leaves_nothing_to_the_next_start(own: Project) -> None:
    """kill -9 of the sandbox half-way through a boot: `start` sweeps, `stop` leaves nothing."""
    pid = own.run("sandbox", "start", "-o", "json", timeout=1500).json["pid"]
    with own.started("up") as process:
        read_until(process, "BOOTSTRAPPING", 240)
        os.kill(pid, signal.SIGKILL)
    left = labelled(SANDBOX)["containers"]
    assert left, "the boot had not begun, so the test shows nothing"
    own.run("sandbox", "start", timeout=120)
    now = set(labelled(SANDBOX)["containers"])
    assert not now & set(left)


def test_interrupt_says_what_goes_on(own: Project) -> None:
    """Ctrl-C ends `up` with 130, and says that the cluster is there and how to end it."""
    own.run("sandbox", "start", timeout=1500)
    with own.started("up") as process:
        read_until(process, "BOOTSTRAPPING", 240)
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=30)
        assert process.returncode == 130
    assert "lofn-aws --sandbox down" in rest
    own.run("down", "-y", timeout=180)
    assert own.run("list", "-o", "json").json == []
    assert own.run("down", "-y").exit_code == 0
