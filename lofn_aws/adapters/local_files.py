"""Files of this machine: what is at a path, and files that have their name when complete."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from lofn_aws.model.copy import Entry, Found


def look(path: Path) -> Found:
    """Return what is at a path, with every file below a folder; links are followed.

    Raises OSError for what cannot be read. A loop of links raises OSError, too.
    """
    if path.is_file():
        return Found("file", path.stat().st_size)
    if not path.is_dir():
        return Found()
    files = tuple(sorted(_below(path), key=lambda entry: entry.name))
    return Found("folder", sum(entry.size for entry in files), files)


def _below(folder: Path) -> Iterator[Entry]:
    def refuse(error: OSError) -> None:
        raise error

    seen = {os.path.realpath(folder)}
    for here, folders, names in os.walk(folder, followlinks=True, onerror=refuse):
        for name in folders:
            real = os.path.realpath(os.path.join(here, name))
            if os.path.realpath(here).startswith(real + os.sep) or real in seen:
                raise OSError(f"{os.path.join(here, name)} leads back to {real}")
            seen.add(real)
        for name in names:
            path = Path(here, name)
            if path.is_file():
                yield Entry(path.relative_to(folder).as_posix(), path.stat().st_size)


class SplitFiles:
    """Cuts one stream of bytes into files of known sizes, in order; a place to write to.

    ``progress`` gets the bytes so far. ``finish`` raises OSError where the stream was shorter
    than the sizes say; a longer one raises when it gets too long.
    """

    def __init__(
        self, folder: Path, entries: Sequence[Entry], progress: Callable[[int], None]
    ) -> None:
        self._folder = folder
        self._entries = list(entries)
        self._progress = progress
        self._open: IO[bytes] | None = None
        self._left = 0
        self._done = 0
        self._next()

    def write(self, data: bytes, /) -> None:
        """Take all of ``data``."""
        while data:
            if self._open is None:
                raise OSError("more came than the files' sizes: one grew while it was read")
            taken = data[: self._left]
            self._open.write(taken)
            data = data[len(taken) :]
            self._left -= len(taken)
            self._done += len(taken)
            if not self._left:
                self._next()
        self._progress(self._done)

    def finish(self) -> None:
        """Check that every file is complete."""
        if self._open is not None:
            name = self._open.name
            self._open.close()
            raise OSError(f"{name} lacks {self._left} bytes: it shrank while it was read")

    def _next(self) -> None:
        """Go on to the next file; empty ones are made in passing."""
        if self._open is not None:
            self._open.close()
            self._open = None
        while self._entries and self._open is None:
            entry = self._entries.pop(0)
            path = self._folder / entry.name
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = path.open("wb")
            if entry.size:
                self._open, self._left = handle, entry.size
            else:
                handle.close()


@contextlib.contextmanager
def arriving(target: Path, token: str) -> Iterator[Path]:
    """Give a hidden folder beside ``target`` to write into; it is gone after the block."""
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = target.parent / f".lofn-{token}.part"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def settle(arrived: Path, target: Path) -> None:
    """Give what arrived its name: a file replaces a file, a folder is merged into a folder."""
    if arrived.is_dir() and target.is_dir():
        for child in arrived.iterdir():
            settle(child, target / child.name)
    else:
        os.replace(arrived, target)
