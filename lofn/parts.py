"""Partial results of a reduce: whole files on a node, chunks of bytes between nodes."""

from __future__ import annotations

import os
import pickle
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lofn.errors import RecordError
from lofn.exchange import write_blocks
from lofn.metrics import Tally

# Bytes. pyspark's partitionBy holds up to 10 chunks for each group, 1,000 at most, before it
# writes any of them out.
CHUNK = 1 << 16

Chunk = tuple[tuple[int, int, bool], bytes]  # (order, number of the chunk, raw), bytes


@dataclass(frozen=True)
class Part:
    """One partial result, in a file of its own on this node.

    ``raw`` is true for an element that has not been through the command yet.
    """

    path: str
    raw: bool

    def blocks(self) -> Iterator[bytes]:
        """Yield the file's bytes in chunks."""
        with open(self.path, "rb", buffering=0) as file:
            while True:
                block = _full(file)
                if not block:
                    return
                yield block

    def bytes(self) -> bytes:
        """Return the whole file."""
        with open(self.path, "rb") as file:
            return file.read()

    def value(self) -> Any:
        """Return the Python value that `Scratch.value` kept."""
        with open(self.path, "rb") as file:
            return pickle.load(file)

    def chunks(self, order: int) -> Iterator[Chunk]:
        """Yield what travels to the next level; an empty result travels too."""
        number = 0
        for number, block in enumerate(self.blocks(), 1):
            yield (order, number - 1, self.raw), block
        if not number:
            yield (order, 0, self.raw), b""


def _full(file: Any) -> bytes:
    """Read CHUNK bytes, fewer only at the end of the file: the number of a chunk is its place."""
    block: bytes = file.read(CHUNK)
    while block and len(block) < CHUNK:
        more = file.read(CHUNK - len(block))
        if not more:
            break
        block += more
    return block


class Scratch:
    """A folder for the parts that one task holds."""

    def __init__(self, path: str) -> None:
        self.path = path

    def name(self) -> str:
        """Return a path that is free."""
        return os.path.join(self.path, uuid.uuid4().hex)

    def data(self, data: Any) -> Part:
        """Keep the bytes of an element. Raises RecordError for anything else."""
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise RecordError(
                f"reduce_binary takes bytes or (name, bytes), not {type(data).__name__}: read "
                "files with sc.binaryFiles"
            )
        return self._keep([bytes(data)])

    def value(self, value: Any) -> Part:
        """Keep any Python value as it is."""
        return self._keep([pickle.dumps(value, pickle.HIGHEST_PROTOCOL)])

    def _keep(self, blocks: Iterable[bytes]) -> Part:
        path = self.name()
        write_blocks(path, blocks, Tally())
        return Part(path, raw=True)

    def gather(self, chunks: Iterable[tuple[Any, bytes]]) -> list[Part]:
        """Write chunks to their files, in whatever order they come; return the parts in theirs.

        Keys are (group, order, number, raw).
        """
        found: dict[int, Part] = {}
        handle, current = -1, -1
        try:
            for (_group, order, number, raw), block in chunks:
                if order != current:
                    if handle >= 0:
                        os.close(handle)
                    part = found.setdefault(order, Part(self.name(), raw))
                    handle = os.open(part.path, os.O_CREAT | os.O_WRONLY, 0o666)
                    current = order
                _write_at(handle, block, number * CHUNK)
        finally:
            if handle >= 0:
                os.close(handle)
        return [found[order] for order in sorted(found)]


def _write_at(handle: int, block: bytes, offset: int) -> None:
    view = memoryview(block)
    while view:
        wrote = os.pwrite(handle, view, offset)
        view = view[wrote:]
        offset += wrote


@contextmanager
def scratch(folder: str) -> Iterator[Scratch]:
    """Give a folder for parts in ``folder``; it is gone after the block."""
    path = os.path.join(folder, f"parts-{uuid.uuid4().hex[:12]}")
    os.mkdir(path, 0o700)
    try:
        yield Scratch(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)
