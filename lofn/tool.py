"""A command in an image as one value that RDDs and DataFrames are sent through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from lofn import frames
from lofn.api import DockerPipe

if TYPE_CHECKING:
    from pyspark import RDD
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType


@dataclass(frozen=True)
class Tool:
    r"""An image, a command and how its containers run.

    >>> words = Tool("debian:bookworm-slim", "tr ' ' '\n' < /shared/input.txt > /shared/output.txt")
    >>> words.map(sc.textFile("hdfs:///texts"))  # an RDD of str
    >>> caps = Tool("debian:bookworm-slim", "tr a-z A-Z < /shared/input.csv > /shared/output.csv")
    >>> caps.map_rows(people, "name string, age int")  # a DataFrame

    ``command`` is a string for the image's shell or a list, the exact argv. ``volumes``,
    ``network``, ``reuse``, ``timeout`` (seconds for one partition) and ``docker_options`` are as
    `lofn.api.DockerPipe` has them. Wrong values raise UsageError when the tool is used, on the
    driver.
    """

    image: str
    command: str | Sequence[str]
    volumes: Mapping[str, Mapping[str, str]] | None = None
    network: str = "bridge"
    reuse: bool = False
    timeout: float | None = None
    docker_options: Sequence[str] = ()
    temporary_directory_parent: str | None = None

    def map(
        self,
        rdd: RDD[Any],
        *,
        delimiter: str | bytes = "\n",
        encoding: str | None = "utf-8",
        streaming: bool = False,
    ) -> RDD[Any]:
        """Return the RDD of records that the command makes of each partition's records.

        Records are str, or bytes where ``encoding`` is None, in ``/shared/input.txt`` and
        ``/shared/output.txt``, each ended by ``delimiter``. ``streaming`` makes both pipes.
        """
        made = self.pipe().map(
            rdd,
            self.image,
            self.command,
            delimiter=delimiter,
            encoding=encoding,
            streaming=streaming,
            **self.options(),
        )
        return cast("RDD[Any]", made)

    def reduce(
        self,
        rdd: RDD[Any],
        *,
        delimiter: str | bytes = "\n",
        encoding: str | None = "utf-8",
        fan_in: int | None = None,
    ) -> list[Any]:
        """Reduce all records to one result, a list of records; see `DockerPipe.reduce`."""
        return self.pipe().reduce(
            rdd,
            self.image,
            self.command,
            delimiter=delimiter,
            encoding=encoding,
            fan_in=fan_in,
            **self.options(),
        )

    def map_rows(
        self,
        frame: DataFrame,
        schema: StructType | str,
        *,
        form: str = "csv",
        header: bool = False,
    ) -> DataFrame:
        """Return the DataFrame that the command makes of each partition's rows.

        The command reads ``/shared/input.<form>`` and writes ``/shared/output.<form>``, whose
        columns are those of ``schema`` (Spark's own DDL text, or a StructType). ``form`` is
        "csv" (no package needed; ``header`` says whether both files begin with the columns'
        names; CSV cannot tell empty text from null: both come back as null), "parquet" or
        "arrow" (Arrow's file format). The last two take pyarrow and pandas on the driver and on
        every node. Raises UsageError for another form, or without them.
        """
        return frames.map_rows(self, frame, schema, form, header)

    def pipe(self) -> DockerPipe:
        """Return the engine's entry point for this tool's folders."""
        return DockerPipe(
            volumes=self.volumes, temporary_directory_parent=self.temporary_directory_parent
        )

    def options(self) -> dict[str, Any]:
        """Return what every method of the engine is told about containers."""
        return {
            "network": self.network,
            "reuse": self.reuse,
            "timeout": self.timeout,
            "docker_options": list(self.docker_options),
        }
