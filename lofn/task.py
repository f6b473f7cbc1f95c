"""One partition on an executor: its files written, its command run, its failures explained."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Callable

from lofn.box import Box, Ended
from lofn.command import Command
from lofn.containers import digest_of
from lofn.docker_handler import DockerFailure
from lofn.docker_http import ApiError
from lofn.errors import ContainerFailed, ContainerLost, ExchangeFailed, Failure, exit_reason
from lofn.exchange import inside, listing
from lofn.folders import own_file, take_over
from lofn.isolation import Pool, pool
from lofn.metrics import Tally
from lofn.plan import BoxPlan


@dataclass
class Task:
    """Which part of which job this is; read from Spark's own context on the executor."""

    stage: int | None = None
    partition: int | None = None
    attempt: int | None = None
    tally: Tally = field(default_factory=Tally)

    @classmethod
    def current(cls) -> Task:
        """Return the task that runs in this thread; outside of Spark all is unknown."""
        pyspark = sys.modules.get("pyspark")  # a task of Spark's has imported it
        context = pyspark.TaskContext.get() if pyspark is not None else None
        if context is None:
            return cls()
        return cls(context.stageId(), context.partitionId(), context.attemptNumber())

    def labels(self) -> dict[str, str]:
        """Return the labels that name this task on a container."""
        parts = {"stage": self.stage, "partition": self.partition, "attempt": self.attempt}
        return {f"lofn.{name}": str(value) for name, value in parts.items() if value is not None}


@dataclass(frozen=True)
class Run:
    """A command in a kind of container: what a task needs to know beside its data."""

    plan: BoxPlan
    command: Command


def with_box(
    run: Run,
    task: Task,
    more: bool,
    use: Callable[[Box, Pool], Iterator[Any]],
) -> Iterator[Any]:
    """Yield what ``use`` yields from a container of its own. Raises DockerFailure, OSError."""
    owned = pool(run.plan.parent)
    try:
        with owned.box(run.plan, run.command, task.labels(), more, task.tally) as box:
            yield from use(box, owned)
    except ApiError as error:
        reason = f"Docker Engine refused the container: {error.reason}"
        refused = failed(run, task, None, reason, code=_start_code(error))
        if error.is_of_the_node:
            raise ContainerLost(refused.failure, on_executor=True) from None
        raise refused from None


def _start_code(error: ApiError) -> int | None:
    """Return the exit code that a shell would give where a program could not be started."""
    if "executable file not found" in error.reason or "no such file" in error.reason:
        return 127
    return 126 if "permission denied" in error.reason else None


def execute(box: Box, owned: Pool, run: Run, task: Task) -> None:
    """Run the command to its end. Raises ContainerFailed where it does not end well."""
    for _ in stream(box, owned, run, task, None):
        pass


def stream(box: Box, owned: Pool, run: Run, task: Task, output: int | None) -> Iterator[bytes]:
    """Run the command and yield what it writes to the FIFO ``output`` as it comes.

    Raises ContainerFailed where the command does not end well.
    """
    start = time.monotonic()
    seconds = run.plan.timeout
    try:
        if box.waits:
            box.ask(run.command)
        else:
            box.run_without_shell(owned.docker)
        yield from box.events(None if seconds is None else start + seconds, output)
    except Ended:
        raise _gone(box, owned, run, task) from None
    except TimeoutError:
        raise failed(
            run, task, box, f"the command was stopped: it ran longer than timeout={seconds:g} s"
        ) from None
    finally:
        task.tally.add(seconds_in_container=time.monotonic() - start)
    if box.status:
        raise _bad_exit(box, owned, run, task, box.status)


def _bad_exit(box: Box, owned: Pool, run: Run, task: Task, code: int) -> ContainerFailed:
    killed = box.memory_kills > 0
    if code == 137 and not box.waits:
        killed = owned.docker.ending(box.container, box.started_at)[1]
    return failed(
        run, task, box, exit_reason(code, out_of_memory=killed), code=code, out_of_memory=killed
    )


def _gone(box: Box, owned: Pool, run: Run, task: Task) -> ContainerFailed:
    """Say why a container ended under a command: memory, Docker itself, or somebody's kill."""
    try:
        code, killed = owned.docker.ending(box.container, box.started_at)
    except DockerFailure as error:
        lost = failed(run, task, box, f"the container was lost: {error}")
        return ContainerLost(lost.failure, on_executor=True)
    if killed:
        reason = exit_reason(137, out_of_memory=True)
        return failed(run, task, box, reason, code=code, out_of_memory=True)
    end = "no exit code" if code is None else exit_reason(code, out_of_memory=False)
    reason = (
        f"the container was ended from outside before the command was through ({end}): a restart "
        "of Docker, or somebody removed it"
    )
    lost = failed(run, task, box, reason, code=code)
    return ContainerLost(lost.failure, on_executor=True)


def output_path(box: Box, owned: Pool, run: Run, task: Task, name: str) -> str:
    """Return where a command's output is, readable by this user whoever wrote it.

    Raises ContainerFailed, with what lies in the shared folder, where there is none, or where it
    is a link that leads out of that folder: to a file of the node, that is.
    """
    path = os.path.realpath(inside(box.shared, name))
    if not path.startswith(os.path.realpath(box.shared) + os.sep):
        place = os.path.join(run.plan.mountpoint, name)
        reason = f"the command's output {place} is a link that leads out of the shared folder"
        raise failed(run, task, box, reason, code=0)
    try:
        if not os.path.isfile(path) and os.path.dirname(path) != os.path.realpath(box.shared):
            take_over(box.shared, owned.docker, run.plan.image)
        if os.path.isfile(path) and not os.access(path, os.R_OK):
            own_file(path, owned.docker, run.plan.image)
    except (DockerFailure, OSError) as error:
        raise ExchangeFailed(
            f"the command's output {os.path.join(run.plan.mountpoint, name)} cannot be read by "
            f"uid {os.getuid()}: {error}"
        ) from None
    if not os.path.isfile(path):
        raise missing_output(box, run, task, name)
    return path


def missing_output(box: Box, run: Run, task: Task, name: str) -> ContainerFailed:
    """Make the failure of a command that ended well and left no output."""
    place = os.path.join(run.plan.mountpoint, name)
    error = failed(run, task, box, f"the command ended well but did not write {place}", code=0)
    return ContainerFailed(replace(error.failure, listing=listing(box.shared)), on_executor=True)


def failed(
    run: Run,
    task: Task,
    box: Box | None,
    reason: str,
    *,
    code: int | None = None,
    out_of_memory: bool = False,
) -> ContainerFailed:
    """Make the exception that tells a failure with its place and evidence."""
    digest = ""
    # The failure to tell is another one; without a daemon there is no digest.
    with suppress(DockerFailure, OSError):
        digest = digest_of(pool(run.plan.parent).docker.image(run.plan.image))
    return ContainerFailed(
        Failure(
            reason=reason,
            image=run.plan.image,
            digest=digest,
            command=run.command.shown,
            node=socket.gethostname(),
            exit_code=code,
            out_of_memory=out_of_memory,
            stage=task.stage,
            partition=task.partition,
            attempt=task.attempt,
            stderr=box.take_stderr() if box is not None else "",
        ),
        on_executor=True,
    )


def peek(records: Iterable[Any]) -> Iterator[Any] | None:
    """Return an iterator over all of ``records``, None if there are none."""
    iterator = iter(records)
    for first in iterator:
        return chain((first,), iterator)
    return None
