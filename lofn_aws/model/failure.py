"""Why a step failed: the Python traceback, the container behind it, and where it ran."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

# Frames in these are the machinery's, not the script's.
_MACHINERY = ("/pyspark", "py4j", "/site-packages/", "/lib/python3", "/lib64/python3", "<frozen")


@dataclass(frozen=True)
class Frame:
    """One line of a Python traceback."""

    file: str
    line: int
    function: str
    code: str = ""

    @property
    def is_machinery(self) -> bool:
        """Whether this is Spark's or Python's own code."""
        return any(part in self.file for part in _MACHINERY)

    def __str__(self) -> str:
        inside = f", in {self.function}" if self.function else ""
        return f"{posixpath.basename(self.file)}, line {self.line}{inside}"


@dataclass(frozen=True)
class Traceback:
    """A Python traceback: its frames, outermost first, and the exception with its message."""

    frames: tuple[Frame, ...]
    error: str

    @property
    def place(self) -> Frame | None:
        """The innermost frame that is the script's own, else the innermost one."""
        frames = [frame for frame in self.frames if not frame.is_machinery] or list(self.frames)
        return frames[-1] if frames else None

    def __str__(self) -> str:
        where = f" ({self.place})" if self.place else ""
        return f"{' '.join(self.error.split())}{where}"


@dataclass(frozen=True)
class ContainerFailure:
    """The engine's report of a container that failed; None where it did not know.

    ``exit_code`` is as the shell reports it: 128 + the signal's number for a signal.
    """

    reason: str
    image: str
    digest: str
    command: str
    node: str
    exit_code: int | None = None
    stage: int | None = None
    partition: int | None = None
    attempt: int | None = None
    stderr: str = ""


@dataclass(frozen=True)
class StepFailure:
    """All that a step's own output tells about its end.

    ``reason`` is one sentence. ``driver`` is what stopped the script, ``executor`` what went
    wrong in a task of it, ``container`` what went wrong in a task's container. ``lines`` are the
    last lines of the output that are not Spark's usual ones.
    """

    reason: str
    driver: Traceback | None = None
    executor: Traceback | None = None
    container: ContainerFailure | None = None
    node: str = ""
    lines: tuple[str, ...] = ()
