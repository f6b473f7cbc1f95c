"""Rows of a DataFrame through a container: as CSV by Spark's own means, or as Arrow or Parquet."""

from __future__ import annotations

import importlib.util
import os
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from lofn import arguments as args
from lofn.driver import tell_failures
from lofn.errors import RecordError, UsageError
from lofn.metrics import send
from lofn.rawtext import as_bytes_rdd, as_text_dataset
from lofn.task import Run, Task, execute, output_path, with_box

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType

    from lofn.box import Box
    from lofn.isolation import Pool
    from lofn.tool import Tool

FORMS = ("csv", "parquet", "arrow")


def map_rows(
    tool: Tool, frame: DataFrame, schema: StructType | str, form: str, header: bool
) -> DataFrame:
    """Do what `lofn.tool.Tool.map_rows` says."""
    if form not in FORMS:
        raise UsageError(f"form must be one of {', '.join(FORMS)}, not {form!r}")
    if header and form != "csv":
        raise UsageError(f"header=True is for form='csv'; {form} files name their columns anyway")
    csv = form == "csv"
    made = _csv(tool, frame, schema, header) if csv else _arrow(tool, frame, schema, form)
    tell_failures()  # making a DataFrame may have put pyspark's own wrapper in place again
    return made


# -- CSV ----------------------------------------------------------------------------------------


def _csv(tool: Tool, frame: DataFrame, schema: StructType | str, header: bool) -> DataFrame:
    """Let Spark write and parse the lines; the engine carries them as bytes."""
    lines = as_bytes_rdd(frame.selectExpr("to_csv(struct(*)) as value"))
    if header:
        names = frame.sparkSession.createDataFrame([tuple(frame.columns)], frame.columns)
        first = as_bytes_rdd(names.selectExpr("to_csv(struct(*)) as value")).first()
        lines = lines.mapPartitions(lambda rows: _with_header(first, rows))
    made: Any = tool.pipe().map(
        lines,
        tool.image,
        tool.command,
        encoding=None,
        container_input_name="input.csv",
        container_output_name="output.csv",
        **tool.options(),
    )
    if header:
        made = made.mapPartitions(lambda rows: islice(rows, 1, None))
    dataset = as_text_dataset(frame.sparkSession, made)
    reader: Any = frame.sparkSession.read.schema(schema).option("mode", "FAILFAST")
    return reader._df(reader._jreader.csv(dataset))  # type: ignore[no-any-return]


def _with_header(header: bytes, rows: Iterable[bytes]) -> Iterator[bytes]:
    """Put the header before the rows; a partition without rows stays empty."""
    for row in rows:
        yield from chain([header, row], rows)


# -- Arrow and Parquet ---------------------------------------------------------------------------


def _arrow(tool: Tool, frame: DataFrame, schema: StructType | str, form: str) -> DataFrame:
    _need_pyarrow(form)
    pipe = tool.pipe()
    rdd = frame.rdd
    given = args.merged("map_rows", tool.options(), args.COMMON)
    job = RowsJob(
        run=pipe._run(rdd, tool.image, tool.command, given),
        form=form,
        partitions=rdd.getNumPartitions(),
        accumulator=pipe.counters.accumulator(rdd.context),
    )
    return frame.mapInArrow(job.batches, schema)


def _need_pyarrow(form: str) -> None:
    for name in ("pyarrow", "pandas"):
        if importlib.util.find_spec(name) is None:
            raise UsageError(
                f"form={form!r} needs pyarrow and pandas, and {name} is not installed on "
                f"{socket.gethostname()}: run `pip install pyarrow pandas` for the Python of the "
                "driver and of every node, or use form='csv', which needs neither"
            )


@dataclass(frozen=True)
class RowsJob:
    """What a task does with its Arrow batches; travels to executors."""

    run: Run
    form: str
    partitions: int
    accumulator: Any

    def batches(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Yield the batches the command makes of a partition's; an empty one starts nothing.

        One batch at a time is in memory. Raises ContainerFailed, and RecordError where the
        output is not of the form.
        """
        _need_pyarrow(self.form)
        task = Task.current()
        source = iter(batches)
        first = next((batch for batch in source if batch.num_rows), None)
        if first is None:
            return

        def use(box: Box, owned: Pool) -> Iterator[Any]:
            given = os.path.join(box.shared, f"input.{self.form}")
            self._write(given, chain([first], source))
            task.tally.add(bytes_in=os.path.getsize(given))
            execute(box, owned, self.run, task)
            path = output_path(box, owned, self.run, task, f"output.{self.form}")
            task.tally.add(bytes_out=os.path.getsize(path))
            yield from self._read(path)

        task.tally.add(partitions=1)
        more = (task.partition or 0) + self.run.plan.slots < self.partitions
        yield from with_box(self.run, task, more, use)
        send(task.tally, self.accumulator)

    def _write(self, path: str, batches: Iterator[Any]) -> None:
        import pyarrow.ipc
        import pyarrow.parquet

        first = next(batches)
        if self.form == "arrow":
            writer: Any = pyarrow.ipc.new_file(path, first.schema)
        else:
            writer = pyarrow.parquet.ParquetWriter(path, first.schema)
        with writer:
            for batch in chain([first], batches):
                writer.write_batch(batch)
        os.chmod(path, 0o666)

    def _read(self, path: str) -> Iterator[Any]:
        import pyarrow.ipc
        import pyarrow.parquet

        try:
            if self.form == "parquet":
                with pyarrow.parquet.ParquetFile(path) as file:
                    yield from file.iter_batches()
            else:
                with pyarrow.memory_map(path) as source:
                    opened = pyarrow.ipc.open_file(source)
                    for number in range(opened.num_record_batches):
                        yield opened.get_batch(number)
        except pyarrow.ArrowInvalid as error:
            raise RecordError(
                f"the command's output.{self.form} is no {self.form} file: {error}"
            ) from None
