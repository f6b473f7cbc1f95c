"""A partition that may be read more than once, on disk beyond what fits in memory."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any, overload

_IN_MEMORY = 32 << 20  # bytes of pickled records
_BATCH = 512


class Spooled(Sequence[Any]):
    """Records in a file, in their order; reading it again starts again.

    Takes the place of a list for a large partition: it has a length, may be iterated any number
    of times, also by several iterators at once, and indexed (an index reads one batch of 512).
    """

    def __init__(self, path: str, first: list[Any], rest: Iterator[Any]) -> None:
        self._path = path
        self._offsets: list[int] = []
        self._length = 0
        with open(path, "wb") as file:
            records = chain(first, rest)
            while True:
                batch = list(islice(records, _BATCH))
                if not batch:
                    break
                self._offsets.append(file.tell())
                self._length += len(batch)
                pickle.dump(batch, file, pickle.HIGHEST_PROTOCOL)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Any]:
        with open(self._path, "rb") as file:
            for _ in self._offsets:
                yield from pickle.load(file)

    @overload
    def __getitem__(self, index: int) -> Any: ...

    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self._length))]
        if index < 0:
            index += self._length
        if not 0 <= index < self._length:
            raise IndexError(f"record {index} of {self._length}")
        with open(self._path, "rb") as file:
            file.seek(self._offsets[index // _BATCH])
            return pickle.load(file)[index % _BATCH]


def _size(record: Any) -> int:
    """Return about how many bytes a record takes; one inside another is pickled to see."""
    if isinstance(record, (str, bytes, bytearray)):
        return len(record)
    return len(pickle.dumps(record, pickle.HIGHEST_PROTOCOL))


@contextmanager
def reiterable(records: Iterator[Any], folder: str) -> Iterator[Sequence[Any]]:
    """Give ``records`` as a list, or from a file in ``folder`` if they are more than 32 MiB."""
    first: list[Any] = []
    size = 0
    while size < _IN_MEMORY:
        batch = list(islice(records, _BATCH))
        if not batch:
            yield first
            return
        size += sum(map(_size, batch))
        first += batch
    path = os.path.join(folder, "partition")
    try:
        yield Spooled(path, first, records)
    finally:
        os.unlink(path)
