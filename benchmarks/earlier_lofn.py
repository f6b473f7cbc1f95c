"""The earlier lofn's way of running a partition, re-created from its documentation as a peer.

One temporary folder and one ``docker run`` through the host's shell, with Docker's default bridge
network, for each partition of a map and for each rolling pair of a reduce.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark import RDD


def _run(image: str, command: str, lines: Iterable[str]) -> list[str]:
    folder = tempfile.mkdtemp()
    try:
        with open(os.path.join(folder, "input.txt"), "w", encoding="utf-8") as file:
            for line in lines:
                file.write(f"{line}\n")
        call = f'docker run --rm -v {folder}:/shared/ {image} sh -c "{command}"'
        subprocess.run(call, shell=True, check=True, capture_output=True)
        with open(os.path.join(folder, "output.txt"), encoding="utf-8") as file:
            return file.read().splitlines()
    finally:
        shutil.rmtree(folder)


def map_partitions(rdd: RDD[str], image: str, command: str) -> RDD[str]:
    """Map: one container per partition."""

    def run(partition: Iterator[str]) -> list[str]:
        return _run(image, command, partition)

    return rdd.mapPartitions(run)


def reduce_pairs(rdd: RDD[Any], image: str, command: str) -> list[str]:
    """Reduce: one container per rolling pair of the RDD's elements (a record, or a list of them).

    Spark's own ``reduce``: pairs inside each partition on the executors, then the partitions'
    results pair by pair on the driver.
    """

    def pair(left: Any, right: Any) -> list[str]:
        return _run(image, command, [*_lines(left), *_lines(right)])

    return _lines(rdd.reduce(pair))


def _lines(element: Any) -> list[str]:
    return [element] if isinstance(element, str) else list(element)
