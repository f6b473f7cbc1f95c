"""What can go wrong in the engine, each kind one class that says where, why and what to do."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from lofn.docker_handler import DockerFailure
from lofn.hdfs import VolumeFailed

_MARK = "lofn-failure:"


class UsageError(ValueError):
    """An argument is wrong; raised on the driver before anything runs."""


class RecordError(ValueError):
    """A record cannot be written or read as the exchange format says."""


class DockerUnavailable(DockerFailure):
    """Docker Engine does not answer, or refuses what every task needs."""


class ImageMissing(DockerFailure):
    """The image is neither on the node nor to be had from its registry."""


class ExchangeFailed(DockerFailure):
    """A partition could not be written to, or read from, the shared folder."""


@dataclass(frozen=True)
class Failure:
    """Everything known about one failed container; plain values, so that it can travel.

    ``exit_code`` is as the shell reports it (128 + signal number for a signal) and None where
    there was none; ``listing`` is what lay in the shared folder when an output was missing.
    """

    reason: str
    image: str
    digest: str
    command: str
    node: str
    exit_code: int | None = None
    out_of_memory: bool = False
    stage: int | None = None
    partition: int | None = None
    attempt: int | None = None
    stderr: str = ""
    listing: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the message a person reads: the reason first, then where, then the evidence."""
        where = (
            f"node {self.node}, stage {_or_none(self.stage)}, "
            f"partition {_or_none(self.partition)}, attempt {_or_none(self.attempt)}"
        )
        lines = [
            self.reason,
            f"  image:   {self.image} ({self.digest})"
            if self.digest
            else f"  image:   {self.image}",
            f"  command: {self.command}",
            f"  where:   {where}",
        ]
        if self.listing:
            lines += ["  in the shared folder:", *(f"    {entry}" for entry in self.listing)]
        if self.stderr:
            lines += ["  last lines of stderr:", *(f"    {ln}" for ln in self.stderr.splitlines())]
        return "\n".join(lines)


def _or_none(value: int | None) -> str:
    return "none" if value is None else str(value)


class ContainerFailed(DockerFailure):
    """A command failed in its container. ``failure`` has the parts, ``str()`` the whole story."""

    def __init__(self, failure: Failure, *, on_executor: bool = False) -> None:
        self.failure = failure
        self.on_executor = on_executor
        super().__init__(failure)

    def __str__(self) -> str:
        if not self.on_executor:
            return self.failure.text()
        # The second part lets the driver rebuild the exception from a traceback's text.
        return f"{self.failure.text()}\n  {_MARK}{json.dumps(asdict(self.failure))}"


class ContainerLost(ContainerFailed):
    """The node or Docker is at fault: the container went away under its command, or the node had
    no room for one. Another attempt may go well.
    """


def exit_reason(code: int, *, out_of_memory: bool, limit: str = "") -> str:
    """Say in words how a command ended: its code, the signal if one, and memory if that was it."""
    if out_of_memory:
        return f"the container ran out of memory{limit} and was killed (exit code {code})"
    if code > 128:
        try:
            name = signal.Signals(code - 128).name
        except ValueError:
            return f"the command ended with exit code {code}"
        return f"the command was killed by {name} (exit code {code})"
    hints = {126: ": it was found but cannot be run", 127: ": it was not found in the image"}
    return f"the command ended with exit code {code}{hints.get(code, '')}"


def shown_command(command: str | Sequence[str], limit: int = 2000) -> str:
    """Return a command as one bounded text for a message."""
    text = command if isinstance(command, str) else " ".join(map(repr, command))
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"


def from_traceback(text: str) -> Exception | None:
    """Find a failure of the engine's in the text of a Spark failure and rebuild it.

    Spark hands a task's exception to the driver as the text of its traceback. Returns None where
    the failure was another.
    """
    found = re.search(rf"^lofn\.\w+\.({'|'.join(_KINDS)}): ", text, re.MULTILINE)
    if found is None:
        return None
    rest = text[found.end() :]
    # After Python's traceback comes Java's, set off by an empty line and a tab.
    message = re.split(r"\n+\s*at [\w.$]+\(", rest, maxsplit=1)[0].strip()
    kind = _KINDS[found[1]]
    if issubclass(kind, ContainerFailed):
        return _rebuilt(kind, rest) or DockerFailure(message)
    return kind(message)


def _rebuilt(kind: type[ContainerFailed], text: str) -> ContainerFailed | None:
    # Two spaces and no more: what a tool wrote to stderr is indented by four.
    mark = re.search(rf"^  {_MARK}", text, re.MULTILINE)
    try:
        parts, _ = json.JSONDecoder().raw_decode(text[mark.end() :] if mark else "")
        parts["listing"] = tuple(parts["listing"])
        return kind(Failure(**parts))
    except (ValueError, TypeError, KeyError):
        return None


_KINDS: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (
        ContainerFailed,
        ContainerLost,
        DockerUnavailable,
        ExchangeFailed,
        ImageMissing,
        RecordError,
        UsageError,
        VolumeFailed,
    )
}
