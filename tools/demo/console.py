"""What the demo prints: its phases with their times, and the commands that a person would type."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

GRACE_SECONDS = 30.0


class DemoFailed(Exception):
    """A phase did not do what it should; the text is one sentence for the person at the screen."""


@dataclass
class Console:
    """Runs commands in one folder and environment, and keeps the time of each phase."""

    folder: Path
    environment: Mapping[str, str]
    phases: list[tuple[str, float]] = field(default_factory=list)

    @contextmanager
    def phase(self, title: str) -> Iterator[None]:
        """Print a phase's title, and its time when it has ended well."""
        self.say(f"\n== {title}")
        started = time.monotonic()
        yield
        seconds = time.monotonic() - started
        self.phases.append((title, seconds))
        self.say(f"-- {seconds:.1f} s")

    def summary(self) -> None:
        """Print every phase's time and their sum."""
        self.say("\nPhases:")
        for title, seconds in [*self.phases, ("in all", sum(s for _, s in self.phases))]:
            self.say(f"{seconds:8.1f} s  {title}")

    def say(self, text: str) -> None:
        """Print a line at once, also into a pipe; with nobody left to read it, print no more."""
        try:
            print(text, flush=True)
        except OSError:
            to_nowhere()

    def run(self, *command: str, timeout: float, own_session: bool = False) -> None:
        """Run a command whose output goes to the screen.

        Raises DemoFailed when it fails or takes longer than ``timeout`` seconds. With
        ``own_session`` the terminal's Ctrl-C does not reach it.
        """
        self.say(f"$ {shown(command)}")
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            start_new_session=own_session,
        )
        code = _wait(process, command, timeout)
        if code:
            raise DemoFailed(f"{shown(command)}: exit code {code}")

    def output(self, *command: str, timeout: float, stdin: bytes = b"") -> bytes:
        """Run a command and return its stdout; DemoFailed carries the end of its stderr."""
        try:
            done = subprocess.run(
                command,
                cwd=self.folder,
                env=self.environment,
                input=stdin,
                capture_output=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise DemoFailed(f"{shown(command)}: no end after {timeout:.0f} s") from None
        if done.returncode:
            said = (done.stderr or done.stdout).decode(errors="replace").strip()[-2000:]
            raise DemoFailed(f"{shown(command)}: exit code {done.returncode}\n{said}")
        return done.stdout


def to_nowhere() -> None:
    """Send what this process and those it starts print to /dev/null from now on."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.dup2(nowhere, sys.stderr.fileno())


def shown(command: Sequence[str]) -> str:
    """Return a command as a person would type it: programs by their name alone."""
    return shlex.join([os.path.basename(command[0]), *command[1:]])


def _wait(process: subprocess.Popen[bytes], command: Sequence[str], timeout: float) -> int:
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        raise DemoFailed(f"{shown(command)}: no end after {timeout:.0f} s") from None
    finally:
        if process.poll() is None:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command that was interrupted or is too slow: politely first."""
    process.terminate()
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        print("demo: a command did not end and is killed", file=sys.stderr)
        process.kill()
        process.wait()
