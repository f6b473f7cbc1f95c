"""What the driver does around a job: checks ahead, Spark's failures told as the engine's."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Callable

from lofn import arguments as args
from lofn.containers import Docker
from lofn.errors import DockerUnavailable, UsageError, from_traceback
from lofn.mapping import MapJob


@contextmanager
def failures() -> Iterator[None]:
    """Raise the container's own failure instead of the Spark exception that carries it."""
    from py4j.protocol import Py4JJavaError

    try:
        yield
    except Py4JJavaError as error:
        found = from_traceback(str(error))
        if found is None:
            raise
        raise found from None


def check_image(name: str) -> None:
    """Refuse an image that no node can have, before anything runs.

    Asks Docker Engine of the driver's machine, and its registry. Where there is none, or it may
    not be used, executors find out. Raises ImageMissing.
    """
    try:
        docker = Docker(20.0)
        docker.check_image(name)
    except DockerUnavailable:
        return
    docker.close()


def named_bytes(job: MapJob) -> Callable[[int, Iterable[Any]], Iterator[tuple[str, bytes]]]:
    """Return what a task does to give its output file as (name, bytes)."""
    stem, ending = os.path.splitext(os.path.basename(job.output_name))

    def read(index: int, records: Iterable[Any]) -> Iterator[tuple[str, bytes]]:
        return job.file(index, records, lambda path: (f"{stem}-{index:05d}{ending}", _bytes(path)))

    return read


def _bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def input_names(given: dict[str, Any]) -> tuple[str, ...]:
    """Return the names of a binary reduce's input files, as many as one command may find.

    The third and later ones are the second's with its last number counted on.
    """
    names = [
        args.file_name(argument, given[argument])
        for argument in ("container_binary_input_1_name", "container_binary_input_2_name")
    ]
    width = args.fan_in(given["fan_in"]) or 2
    if width > 2:
        found = re.search(r"2(?=\D*$)", names[1])
        if found is None:
            raise UsageError(
                f"container_binary_input_2_name={names[1]!r} has no 2 to count on from, which "
                f"fan_in={width} needs"
            )
        before, after = names[1][: found.start()], names[1][found.end() :]
        names += [f"{before}{number}{after}" for number in range(3, width + 1)]
    return tuple(names)
