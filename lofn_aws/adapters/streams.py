"""Streams to send over SSH: compressed pieces, a counted file, a folder as a tar archive."""

from __future__ import annotations

import os
import tarfile
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import IO

OnBytes = Callable[[int], None]


class Compressed:
    """Pieces of bytes as one gzip stream to read from; ``progress`` gets the plain bytes so far.

    Level 1: most of the gain, at a rate that an uplink does not reach.
    """

    def __init__(self, pieces: Iterable[bytes], progress: OnBytes) -> None:
        self._pieces = self._compress(pieces, progress)
        self._rest = b""

    def _compress(self, pieces: Iterable[bytes], progress: OnBytes) -> Iterator[bytes]:
        packer = zlib.compressobj(1, wbits=31)
        done = 0
        for piece in pieces:
            yield packer.compress(piece)
            done += len(piece)
            progress(done)
        yield packer.flush()

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; empty at the end alone."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = piece
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


class Counted:
    """A file to read from, followed by ``tail``; ``progress`` gets the file's bytes so far.

    Raises OSError where the file has another size than ``size`` when it is read: what is sent
    would not be what was promised.
    """

    def __init__(self, handle: IO[bytes], size: int, tail: bytes, progress: OnBytes) -> None:
        self._handle = handle
        self._left = size
        self._size = size
        self._tail = tail
        self._progress = progress

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; empty at the end alone."""
        if self._left:
            data = self._handle.read(min(size, self._left))
            if not data:
                raise OSError(f"it became shorter than {self._size} bytes while it was read")
            self._left -= len(data)
            self._progress(self._size - self._left)
            return data
        taken, self._tail = self._tail[:size], self._tail[size:]
        return taken


class TarStream:
    """Files below a folder as a tar archive to read from, made by a thread as it is read.

    The archive's last member is an empty file ``sentinel``: where it arrives, everything did.
    A file that cannot be read raises its error in ``read``, never a clean end. Links are
    followed. Use as a context manager, so that the thread ends with it.
    """

    def __init__(
        self, folder: Path, files: Sequence[str], sentinel: str, progress: OnBytes
    ) -> None:
        self._folder = folder
        self._files = files
        self._sentinel = sentinel
        self._progress = progress
        self._error: BaseException | None = None
        reading, self._writing = os.pipe()
        self._reading = os.fdopen(reading, "rb", buffering=0)
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self) -> TarStream:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # The thread's next write fails once nobody reads.
        self._reading.close()
        self._thread.join(10)

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; empty at the end alone."""
        data = self._reading.read(size) or b""
        if not data:
            self._thread.join()
            if self._error is not None:
                raise self._error
        return data

    def _write(self) -> None:
        done = 0
        try:
            with (
                os.fdopen(self._writing, "wb") as out,
                tarfile.open(
                    fileobj=out, mode="w|", format=tarfile.PAX_FORMAT, dereference=True
                ) as tar,
            ):
                for name in self._files:
                    tar.add(self._folder / name, arcname=f"./{name}", recursive=False)
                    done += (self._folder / name).stat().st_size
                    self._progress(done)
                tar.addfile(tarfile.TarInfo(f"./{self._sentinel}"), BytesIO())
        except BaseException as error:
            self._error = error
