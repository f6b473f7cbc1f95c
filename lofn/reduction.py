"""What a reduce does on executors: each partition first, then groups of partial results."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Callable

from lofn.box import Box
from lofn.errors import ContainerFailed
from lofn.exchange import inside, write_blocks, write_contents
from lofn.isolation import Pool, pool
from lofn.metrics import send
from lofn.parts import Chunk, Part, Scratch, scratch
from lofn.records import Format
from lofn.task import Run, Task, execute, output_path, peek, with_box

Udf = Callable[[Any, Any], Any]
_ROLLING = 2  # the fan_in that asks for pairs, one after the other, as the earlier lofn had them
_NOT_STARTED = (126, 127)
_SIGNALS = 128  # codes from here on: the command was killed


@dataclass(frozen=True)
class ReduceJob:
    """Everything a reduce needs beside its data; travels to executors.

    ``inputs`` are the names of the input files: one for records, which are put one after the
    other into it, several for whole files. ``fan_in`` is how many inputs one command merges.
    Records of a partition are put into one file and go through the command at once, however many
    they are, unless ``fan_in`` is 2: then one after the other joins what there is.
    """

    run: Run
    binary: bool
    inputs: tuple[str, ...]
    output_name: str
    into: Format
    out: Format
    fan_in: int | None = None
    udf: Udf | None = None
    accumulator: Any = None

    def first(self, index: int, elements: Iterable[Any], partitions: int) -> Iterator[Chunk]:
        """Reduce one partition to the chunks of one partial result; an empty one gives none."""
        present = peek(elements)
        if present is None:
            return
        task, owned = Task.current(), pool(self.run.plan.parent)
        task.tally.add(partitions=1)
        with scratch(owned.folder.path) as room:
            work = _Work(self, task, room, index + self.run.plan.slots < partitions)
            part = work.partition(present)
            if partitions == 1:
                part = work.last(part)
            yield from part.chunks(index)
        send(task.tally, self.accumulator)

    def merge(
        self, group: int, chunks: Iterable[tuple[Any, bytes]], groups: int
    ) -> Iterator[Chunk]:
        """Reduce the partial results of one group to one; what is alone passes through."""
        task, owned = Task.current(), pool(self.run.plan.parent)
        with scratch(owned.folder.path) as room:
            parts = room.gather(chunks)
            if not parts:
                return
            work = _Work(self, task, room, group + self.run.plan.slots < groups)
            part = parts[0] if len(parts) == 1 else work.combine(parts)
            if groups == 1:
                part = work.last(part)
            yield from part.chunks(group)
        send(task.tally, self.accumulator)


class _Work:
    """One task's reducing, with its scratch folder."""

    def __init__(self, job: ReduceJob, task: Task, room: Scratch, more: bool) -> None:
        self._job = job
        self._task = task
        self._room = room
        self._more = more

    def partition(self, elements: Iterator[Any]) -> Part:
        """Reduce the elements of a partition, as many at a time as the job says."""
        job = self._job
        if job.udf is None and not job.binary and job.fan_in != _ROLLING:
            return self._launch(lambda box: self._write_lines(box, _records(elements)))
        kept = self._elements(elements)
        width = job.fan_in or 2
        batch = list(islice(kept, width))
        if len(batch) == 1:
            # Lines alone go through the command; for whole files and pairs that waits for more.
            return batch[0] if job.binary or job.udf else self.combine(batch)
        part = self.combine(batch)
        while True:
            batch = [part, *islice(kept, width - 1)]
            if len(batch) == 1:
                return part
            part = self.combine(batch)

    def _elements(self, elements: Iterator[Any]) -> Iterator[Part]:
        job = self._job
        if job.binary:
            for element in elements:
                named = isinstance(element, tuple) and len(element) == 2
                yield self._room.data(element[1] if named else element)
        elif job.udf is not None and job.fan_in is None:
            yield from self._joined_lines(elements)
        else:
            for element in elements:
                yield self._room.value(element)

    def _joined_lines(self, elements: Iterator[Any]) -> Iterator[Part]:
        """Keep nested partitions one by one, and single lines next to each other as one list."""
        lines: list[Any] = []
        for element in elements:
            if isinstance(element, (str, bytes)):
                lines.append(element)
                continue
            if lines:
                yield self._room.value(lines)
                lines = []
            yield self._room.value(element)
        if lines:
            yield self._room.value(lines)

    def combine(self, parts: Sequence[Part]) -> Part:
        """Merge parts, in their order, by one command."""
        made = self._launch(lambda box: self._write(box, parts))
        for part in parts:
            os.unlink(part.path)
        return made

    def last(self, part: Part) -> Part:
        """Send the only element there is through the command, if it has not been.

        A function of two inputs gets nothing as the second, a command that names two files an
        empty second one. Many tools refuse an empty file; then the element itself is the result.
        """
        job = self._job
        if not part.raw:
            return part
        if not job.binary or job.udf is not None:
            return self.combine([part])
        if (job.fan_in or 2) > 2 or job.inputs[1] not in job.run.command.script:
            return self.combine([part])
        try:
            return self.combine([part, self._room.data(b"")])
        except ContainerFailed as error:
            code = error.failure.exit_code
            # None or 0: it was stopped, or wrote nothing; then its words are not about the input.
            if not code or code in _NOT_STARTED or code >= _SIGNALS:
                raise
            return part

    def _launch(self, write: Callable[[Box], None]) -> Part:
        job, task, room = self._job, self._task, self._room

        def use(box: Box, owned: Pool) -> Iterator[Part]:
            write(box)
            execute(box, owned, job.run, task)
            path = output_path(box, owned, job.run, task, job.output_name)
            kept = room.name()
            os.rename(path, kept)
            task.tally.add(bytes_out=os.path.getsize(kept))
            yield Part(kept, raw=False)

        parts: list[Part] = list(with_box(job.run, task, self._more, use))
        return parts[0]

    def _write(self, box: Box, parts: Sequence[Part]) -> None:
        job = self._job
        if job.udf is not None:
            values = [self._read(part) for part in parts]
            if len(values) == 1:
                values.append(b"" if job.binary else [])
            write_contents(box.shared, job.udf(*values), job.into, self._task.tally)
        elif job.binary:
            for name, part in zip(job.inputs, parts):
                path = inside(box.shared, name)
                write_blocks(path, part.blocks(), self._task.tally)
        else:
            self._write_lines(box, (line for part in parts for line in self._lines(part)))

    def _read(self, part: Part) -> Any:
        if self._job.binary:
            return part.bytes()
        return part.value() if part.raw else list(self._job.out.decode(part.blocks()))

    def _lines(self, part: Part) -> Iterable[Any]:
        if part.raw:
            return _records([part.value()])
        return self._job.out.decode(part.blocks())

    def _write_lines(self, box: Box, lines: Iterable[Any]) -> None:
        path = inside(box.shared, self._job.inputs[0])
        write_blocks(path, self._job.into.encode(lines), self._task.tally)


def _records(elements: Iterable[Any]) -> Iterator[Any]:
    """Yield the lines of elements that are lines, or lists of lines."""
    for element in elements:
        if isinstance(element, (str, bytes, bytearray)) or not isinstance(element, Iterable):
            yield element
        else:
            yield from element
