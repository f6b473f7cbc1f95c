"""Results of a map that goes on past bad partitions: the good apart from the bad."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable

from lofn.errors import ContainerFailed, ContainerLost, Failure, RecordError

if TYPE_CHECKING:
    from pyspark import RDD

Tagged = tuple[bool, Any]
Compute = Callable[[int, Iterable[Any]], Iterator[Any]]


@dataclass(frozen=True)
class BadPartition:
    """A partition whose command failed. ``failure`` has the parts of a container's failure.

    It is None where a record could not be written or read; ``error`` says it in words always.
    """

    partition: int
    error: str
    failure: Failure | None = None


@dataclass(frozen=True)
class Quarantined:
    """What `DockerPipe.map` gives for ``on_error="quarantine"``.

    ``good`` is the RDD of results, ``bad`` one of BadPartition. Both come from one computation,
    which Spark keeps in memory and on disk until `unpersist`, so that no command runs twice.
    """

    good: RDD[Any]
    bad: RDD[BadPartition]
    computed: RDD[Any]

    def inputs(self, rdd: RDD[Any]) -> RDD[Any]:
        """Return the records of ``rdd``, which was mapped, that are in bad partitions.

        Runs the map if no action has. Partitions keep their numbers; good ones are empty.
        """
        numbers = {bad.partition for bad in self.bad.collect()}

        def only_bad(index: int, records: Iterable[Any]) -> Iterable[Any]:
            return records if index in numbers else ()

        return rdd.mapPartitionsWithIndex(only_bad, preservesPartitioning=True)

    def unpersist(self) -> None:
        """Let Spark forget the computation."""
        self.computed.unpersist()


def quarantined(rdd: RDD[Any], compute: Compute) -> Quarantined:
    """Map the partitions of ``rdd`` to lists of results by ``compute``, failures apart.

    ``compute`` must not yield before it is certain that nothing will fail.
    """
    from pyspark import StorageLevel

    def tagged(index: int, records: Iterable[Any]) -> Iterator[Tagged]:
        try:
            for results in compute(index, records):
                yield True, results
        except ContainerLost:
            raise  # Docker's or the node's fault: Spark shall try again
        except ContainerFailed as error:
            yield False, BadPartition(index, error.failure.text(), error.failure)
        except RecordError as error:
            yield False, BadPartition(index, f"partition {index}: {error}")

    computed = rdd.mapPartitionsWithIndex(tagged).persist(StorageLevel.MEMORY_AND_DISK)
    return Quarantined(
        good=computed.flatMap(lambda item: item[1] if item[0] else ()),
        bad=computed.filter(lambda item: not item[0]).map(lambda item: item[1]),
        computed=computed,
    )
