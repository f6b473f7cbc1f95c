"""The Spark side of a reduce: partitions, then levels of groups, then one result on the driver."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from lofn.parts import Chunk
from lofn.reduction import ReduceJob
from lofn.tree import levels

if TYPE_CHECKING:
    from pyspark import RDD


def run(rdd: RDD[Any], job: ReduceJob) -> list[bytes]:
    """Reduce ``rdd`` and return the result's bytes in blocks.

    Every container runs on an executor. Raises ValueError for an RDD without elements.
    """
    count = rdd.getNumPartitions()
    if not count:
        raise ValueError("an RDD without partitions cannot be reduced")
    parts: RDD[Chunk] = rdd.mapPartitionsWithIndex(_first(job, count))
    for groups in levels(count, job.fan_in or default_fan_in(count, job)):
        parts = _merged(parts, job, groups)
    chunks = parts.collect()
    if not chunks:
        raise ValueError("an RDD without elements cannot be reduced")
    return [block for _, block in sorted(chunks, key=lambda chunk: chunk[0])]


def default_fan_in(partitions: int, job: ReduceJob) -> int:
    """Return how many partial results one command merges where the user does not say.

    Whole files and functions of two inputs come in pairs. Lines go into one file however many
    they are, so two levels will do.
    """
    if job.binary or job.udf is not None:
        return 2
    return max(8, math.isqrt(partitions - 1) + 1)


def _first(job: ReduceJob, count: int) -> Any:
    def reduce_partition(index: int, elements: Iterable[Any]) -> Iterator[Chunk]:
        return job.first(index, elements, count)

    return reduce_partition


def _merged(parts: RDD[Chunk], job: ReduceJob, groups: list[tuple[int, ...]]) -> RDD[Chunk]:
    place = {order: group for group, orders in enumerate(groups) for order in orders}
    count = len(groups)

    def address(chunk: Chunk) -> Any:
        (order, number, raw), block = chunk
        return (place[order], order, number, raw), block

    def reduce_group(group: int, chunks: Iterable[Any]) -> Iterator[Chunk]:
        return job.merge(group, chunks, count)

    sent: Any = parts.map(address).partitionBy(count, lambda key: key[0])
    merged: RDD[Chunk] = sent.mapPartitionsWithIndex(reduce_group)
    return merged
