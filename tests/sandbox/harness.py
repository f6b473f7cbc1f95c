"""What the sandbox tests drive: the real `lofn-aws` command, in a project folder of its own."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-m", "lofn_aws"]


@dataclass(frozen=True)
class Finished:
    """One finished run of the command: exit code and both streams as text."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """Stdout read as JSON; raises with the whole output where it is none."""
        try:
            return json.loads(self.stdout)
        except ValueError as error:
            raise AssertionError(f"not JSON ({error}): {self.stdout!r}\n{self.stderr}") from error


@dataclass(frozen=True)
class Project:
    """A folder with a `lofn-aws.toml`, and the environment the command runs in."""

    folder: Path
    sandbox: str
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        """The environment of a person with no AWS account and this sandbox's name."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LOFN_AWS_"))}
        return {**clean, "LOFN_AWS_SANDBOX_NAME": self.sandbox, **self.environment}

    def run(self, *arguments: str, timeout: float = 600, check: bool = True) -> Finished:
        """Run `lofn-aws --sandbox ARGUMENTS`; fail the test on a non-zero exit if `check`."""
        done = subprocess.run(
            [*COMMAND, "--sandbox", *arguments],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        finished = Finished(done.returncode, done.stdout, done.stderr)
        if check and finished.exit_code != 0:
            raise AssertionError(
                f"lofn-aws {' '.join(arguments)}: exit {finished.exit_code}\n"
                f"--- stdout\n{finished.stdout}\n--- stderr\n{finished.stderr}"
            )
        return finished

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """The command running in a process group of its own; killed on leaving."""
        process = subprocess.Popen(
            [*COMMAND, "--sandbox", *arguments],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def read_until(process: subprocess.Popen[str], text: str, seconds: float) -> str:
    """Read the process's stderr up to the first line that contains `text`.

    The deadline holds for a process that says nothing, too: lines come from a thread.
    """
    deadline = time.monotonic() + seconds
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_hand_on, args=(process, text, lines), daemon=True).start()
    seen = ""
    while True:
        try:
            line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise AssertionError(f"no line with {text!r} in {seconds:.0f} s:\n{seen}") from None
        if line is None:
            raise AssertionError(f"the process ended without a line with {text!r}:\n{seen}")
        seen += line
        if text in line:
            return seen


def _hand_on(
    process: subprocess.Popen[str], text: str, lines: queue.SimpleQueue[str | None]
) -> None:
    """Hand on each line up to the one with `text`; None at the stream's end."""
    assert process.stderr is not None
    with suppress(ValueError):  # closed by whoever gave up waiting
        for line in process.stderr:
            lines.put(line)
            if text in line:
                return
    lines.put(None)


def wait_for(probe: Callable[[], Any], what: str, seconds: float = 180) -> Any:
    """Return the first true answer of `probe`, or fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = probe()
        if answer:
            return answer
        time.sleep(1)
    raise AssertionError(f"not within {seconds} s: {what}")


def labelled(sandbox: str) -> dict[str, list[str]]:
    """Containers, networks and volumes on this machine that carry the sandbox's label."""
    label = f"label=lofn-aws.sandbox={sandbox}"

    def names(*command: str) -> list[str]:
        done = subprocess.run(
            ["docker", *command, "--filter", label], capture_output=True, text=True, check=True
        )
        return done.stdout.split()

    return {
        "containers": names("ps", "-aq"),
        "networks": names("network", "ls", "-q"),
        "volumes": names("volume", "ls", "-q"),
    }


def nothing_left(sandbox: str) -> bool:
    """Whether no container, network or volume of the sandbox is left."""
    return not any(labelled(sandbox).values())


def docker_answers() -> bool:
    """Whether the local Docker Engine answers."""
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


def write_project(folder: Path, home: Path, sandbox: str, name: str, **settings: int) -> Project:
    """Write a `lofn-aws.toml` for a cluster called `name` and return its Project."""
    lines = [f'cluster_name = "{name}"', *(f"{key} = {value}" for key, value in settings.items())]
    (folder / "lofn-aws.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    # The state folder stays the person's own: a sandbox that a killed run of the tests left
    # behind is found there by the next run.
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Project(
        folder,
        sandbox,
        {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), "XDG_STATE_HOME": state},
    )
