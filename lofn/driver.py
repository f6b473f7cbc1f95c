"""What the driver does around a job: checks ahead, Spark's failures told as the engine's."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Callable

from lofn import arguments as args
from lofn.containers import Docker
from lofn.errors import DockerUnavailable, ImageMissing, UsageError, from_traceback
from lofn.mapping import MapJob

if TYPE_CHECKING:
    from pyspark import SparkContext


def tell_failures() -> None:
    """From now on, have this driver's Spark calls raise the engine's own exceptions.

    A lazy RDD fails in whatever action comes last, in code that is not the engine's, and py4j
    would raise one exception for everything that went wrong in Java. So the function in which
    py4j makes it is wrapped, as pyspark.sql does for its own errors. Calling it again does no
    harm and is needed after a SparkSession was made, which puts pyspark's wrapper in its place.
    """
    from py4j import java_gateway
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PythonException  # what pyspark.sql makes of a task's failure

    inner = java_gateway.get_return_value
    if getattr(inner, "tells_lofn_failures", False):
        return

    def get_return_value(*answer: Any, **keywords: Any) -> Any:
        try:
            return inner(*answer, **keywords)
        except (Py4JJavaError, PythonException) as error:
            found = from_traceback(str(error))
            if found is None:
                raise
        raise found

    get_return_value.tells_lofn_failures = True  # type: ignore[attr-defined]
    java_gateway.get_return_value = get_return_value


def check_image(context: SparkContext, name: str) -> None:
    """Refuse an image that the nodes cannot have, with one error before anything runs.

    Asks Docker Engine of the driver's machine and, through it, the image's registry. What is
    unknown there may still be on the nodes: then they are asked, by a job of a few tasks.
    Raises ImageMissing.
    """
    try:
        _check_here(name)
    except DockerUnavailable:
        return  # a driver without Docker; executors find out
    except ImageMissing:
        if (context.master or "").startswith("local"):
            raise
        tasks = max(1, context.defaultParallelism)
        context.parallelize(range(tasks), tasks).foreach(lambda _: _check_here(name))


def _check_here(name: str) -> None:
    docker = Docker(20.0)
    try:
        docker.check_image(name)
    finally:
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
