"""The script that runs commands on nodes, as it is, on this machine."""

from __future__ import annotations

import os
import subprocess
import time
from importlib.resources import files
from pathlib import Path

import pytest

SCRIPT = str(files("lofn_aws.sandbox").joinpath("node_job.sh"))


def _call(*words: object) -> subprocess.CompletedProcess[str]:
    command = ["bash", SCRIPT, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path


def test_exit_code_and_output_of_a_command(work: Path) -> None:
    began = time.monotonic()
    started = _call("start", work, work, "bash", "-c", "sleep 1; echo out; echo err >&2; exit 5")
    assert started.returncode == 0, started.stderr
    assert time.monotonic() - began < 0.9, "start waited for the command"
    assert _call("wait", work, 0.1).returncode == 75
    ended = _call("wait", work, 20)
    assert (ended.returncode, ended.stdout) == (0, "5\n")
    assert (work / "stdout").read_text() == "out\n"
    assert (work / "stderr").read_text() == "err\n"
    assert "exit code 5" in (work / "controller").read_text()


def test_arguments_arrive_as_they_are(work: Path) -> None:
    _call("start", work, work, "printf", "<%s>", "a b", "", "$HOME", "'")
    assert _call("wait", work, 20).stdout == "0\n"
    assert (work / "stdout").read_text() == "<a b><><$HOME><'>"


def test_a_command_that_does_not_exist(work: Path) -> None:
    _call("start", work, work, "no-such-command")
    assert _call("wait", work, 20).stdout == "127\n"


def test_children_left_behind_are_not_waited_for(work: Path) -> None:
    _call("start", work, work, "bash", "-c", "setsid -f sleep 30; exit 0")
    began = time.monotonic()
    assert _call("wait", work, 20).stdout == "0\n"
    assert time.monotonic() - began < 10


def test_interrupt_reaches_a_command_and_its_children(work: Path) -> None:
    _call("start", work, work, "bash", "-c", "echo up; sleep 60; echo not reached")
    _await_text(work / "stdout", "up")
    assert _call("signal", work, "TERM").returncode == 0
    assert _call("wait", work, 20).stdout == "143\n"
    assert (work / "stdout").read_text() == "up\n"


def test_kill_ends_what_ignores_the_interrupt(work: Path) -> None:
    _call("start", work, work, "bash", "-c", "trap '' TERM; echo up; while :; do sleep 1; done")
    _await_text(work / "stdout", "up")
    _call("signal", work, "TERM")
    assert _call("wait", work, 1.5).returncode == 75
    _call("signal", work, "KILL")
    assert _call("wait", work, 20).stdout == "137\n"


def test_a_killed_runner_gives_no_exit_code(work: Path) -> None:
    _call("start", work, work, "sleep", "60")
    session = int(_await_text(work / ".session", "\n"))
    os.kill(session, 9)
    ended = _call("signal", work, "KILL")
    assert ended.returncode == 0, ended.stderr
    assert _call("wait", work, 20).returncode not in (0, 75)


def test_a_signal_right_after_the_start_is_not_lost(work: Path) -> None:
    _call("start", work, work, "sleep", "60")
    assert _call("signal", work, "TERM").returncode == 0
    assert _call("wait", work, 20).stdout == "143\n"


def test_one_command_at_a_time(work: Path) -> None:
    _call("start", work, work, "sleep", "60")
    again = _call("start", work, work, "true")
    assert again.returncode == 1
    assert "already runs" in again.stderr
    _await_text(work / ".session", "\n")
    _call("signal", work, "KILL")


def _await_text(path: Path, text: str) -> str:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if path.exists() and text in path.read_text():
            return path.read_text()
        time.sleep(0.05)
    raise AssertionError(f"{path} does not have {text!r}")
