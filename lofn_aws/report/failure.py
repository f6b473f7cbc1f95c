"""Why a step failed, as text for a person."""

from __future__ import annotations

from collections.abc import Iterator

from lofn_aws.model.failure import ContainerFailure, StepFailure, Traceback

_STDERR_LINES = 20


def failure_text(failure: StepFailure) -> str:
    """Return the story below the one sentence: container, tracebacks, or the last lines."""
    parts = list(_parts(failure))
    return "\n".join(f"  {line}" for part in parts for line in part)


def _parts(failure: StepFailure) -> Iterator[list[str]]:
    if failure.container is not None:
        yield list(_container(failure.container))
    elif failure.executor is not None:
        where = f" on {failure.node}" if failure.node else ""
        yield [f"in a task{where}:", *_traceback(failure.executor)]
    if failure.driver is not None:
        yield ["in the script:", *_traceback(failure.driver, short=failure.executor is not None)]
    if failure.container is None and failure.executor is None and failure.driver is None:
        yield ["last lines:", *(f"  {line}" for line in failure.lines)] if failure.lines else []


def _container(found: ContainerFailure) -> Iterator[str]:
    yield f"image:   {found.image}" + (f" ({found.digest})" if found.digest else "")
    yield f"command: {found.command}"
    where = [f"node {found.node}"] + [
        f"{word} {value}"
        for word, value in (
            ("stage", found.stage),
            ("partition", found.partition),
            ("attempt", found.attempt),
            ("exit code", found.exit_code),
        )
        if value is not None
    ]
    yield f"where:   {', '.join(where)}"
    if found.stderr:
        yield "stderr of the command, its last lines:"
        yield from (f"  {line}" for line in found.stderr.splitlines()[-_STDERR_LINES:])


def _traceback(found: Traceback, *, short: bool = False) -> Iterator[str]:
    """The frames that are the script's own (all of them where none is), then the exception."""
    own = [frame for frame in found.frames if not frame.is_machinery] or list(found.frames)
    for frame in own:
        yield f"  {frame.file}, line {frame.line}" + (
            f", in {frame.function}" if frame.function else ""
        )
        if frame.code:
            yield f"      {frame.code}"
    if not short:
        lines = found.error.splitlines()
        yield from (f"  {line}" for line in lines[:10])
