"""What a map does with one partition on an executor."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Any, Callable

from lofn.box import Box
from lofn.docker_handler import DockerFailure
from lofn.exchange import (
    Feeder,
    read_blocks,
    widen,
    write_contents,
    write_records,
)
from lofn.isolation import Pool
from lofn.metrics import Tally, send
from lofn.records import Format
from lofn.spool import reiterable
from lofn.task import Run, Task, execute, output_path, peek, stream, with_box

Udf = Callable[[Any], Any]


@dataclass(frozen=True)
class MapJob:
    """Everything a map needs beside its data; travels to executors.

    ``partitions`` is how many there are in all, so that no container is prepared in vain after
    the last ones. ``streaming`` makes input and output FIFOs instead of files.
    """

    run: Run
    input_name: str
    output_name: str
    into: Format
    out: Format
    partitions: int
    udf: Udf | None = None
    streaming: bool = False
    accumulator: Any = None

    def expects_more(self, index: int) -> bool:
        """Tell whether a worker that has partition ``index`` will probably get another."""
        return index + self.run.plan.slots < self.partitions

    def lines(self, index: int, records: Iterable[Any]) -> Iterator[Any]:
        """Return the records the command makes of a partition; an empty one starts nothing.

        The generators below hand on lists of records, so that a record costs one step in C.
        """
        return chain.from_iterable(self._batches(index, records))

    def _batches(self, index: int, records: Iterable[Any]) -> Iterator[Sequence[Any]]:
        present = peek(records)
        if present is None:
            return
        task = Task.current()

        def use(box: Box, owned: Pool) -> Iterator[Sequence[Any]]:
            blocks = self._output(box, owned, task, present)
            yield from self.out.decode_batches(blocks)

        yield from self._through(task, index, use)

    def certain_batches(self, index: int, records: Iterable[Any]) -> Iterator[Sequence[Any]]:
        """Yield the records of a partition in lists, once all of them are known to be right."""
        present = peek(records)
        if present is None:
            return
        task = Task.current()

        def use(box: Box, owned: Pool) -> Iterator[Sequence[Any]]:
            path = self._run_files(box, owned, task, present)
            for _ in self.out.decode_batches(read_blocks(path, Tally())):
                pass
            yield from self.out.decode_batches(read_blocks(path, task.tally))

        yield from self._through(task, index, use)

    def file(self, index: int, records: Iterable[Any], keep: Callable[[str], Any]) -> Iterator[Any]:
        """Yield ``keep(path)`` of the output file, called while the file is there."""
        present = peek(records)
        if present is None:
            return
        task = Task.current()

        def use(box: Box, owned: Pool) -> Iterator[Any]:
            path = self._run_files(box, owned, task, present)
            task.tally.add(bytes_out=os.path.getsize(path))
            yield keep(path)

        yield from self._through(task, index, use)

    def _through(
        self, task: Task, index: int, use: Callable[[Box, Pool], Iterator[Any]]
    ) -> Iterator[Any]:
        task.tally.add(partitions=1)
        yield from with_box(self.run, task, self.expects_more(index), use)
        send(task.tally, self.accumulator)

    def _output(self, box: Box, owned: Pool, task: Task, records: Iterator[Any]) -> Iterator[bytes]:
        if self.streaming:
            return self._run_streaming(box, owned, task, records)
        return read_blocks(self._run_files(box, owned, task, records), task.tally)

    def _run_files(self, box: Box, owned: Pool, task: Task, records: Iterator[Any]) -> str:
        """Write the partition, run the command and return the path of its output."""
        start = time.monotonic()
        if self.udf is None:
            write_records(os.path.join(box.shared, self.input_name), records, self.into, task.tally)
        else:
            with reiterable(records, box.path) as partition:
                write_contents(box.shared, self.udf(partition), self.into, task.tally)
        task.tally.add(seconds_in_exchange=time.monotonic() - start)
        execute(box, owned, self.run, task)
        return output_path(box, owned, self.run, task, self.output_name)

    def _run_streaming(
        self, box: Box, owned: Pool, task: Task, records: Iterator[Any]
    ) -> Iterator[bytes]:
        paths = [os.path.join(box.shared, name) for name in (self.input_name, self.output_name)]
        for path in paths:
            os.mkfifo(path)
            os.chmod(path, 0o666)
        # Open for both ways: the command's open never waits, and its closing is no end of file.
        output = os.open(paths[1], os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        widen(output)
        feeder = Feeder(paths[0], self.into.encode(records), task.tally)
        feeder.start(box.kill)
        try:
            for block in stream(box, owned, self.run, task, output):
                task.tally.add(bytes_out=len(block))
                yield block
        except BaseException:
            # Also when nobody wants the rest. While the command could still read, the feeder
            # might wait for it for ever.
            with suppress(DockerFailure):
                box.kill()
            raise
        finally:
            feeder.finish()
            os.close(output)
            if feeder.error is not None:
                raise feeder.error from None
