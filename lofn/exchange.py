"""A partition becomes files or a stream in the shared folder, and comes back from there."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from lofn.errors import ExchangeFailed, RecordError
from lofn.metrics import Tally
from lofn.records import BLOCK, Format

_SET_PIPE_SIZE = 1031  # Linux's F_SETPIPE_SZ, which Python names since 3.10


def write_records(path: str, records: Iterable[Any], form: Format, tally: Tally) -> None:
    """Write records to a file. Raises RecordError, ExchangeFailed where the disk is full."""
    write_blocks(path, form.encode(records), tally)


def write_blocks(path: str, blocks: Iterable[bytes], tally: Tally) -> None:
    """Write blocks of bytes to a file that any user of the container may change."""
    size = 0
    try:
        with open(path, "wb", buffering=BLOCK) as file:
            for block in blocks:
                file.write(block)
                size += len(block)
        os.chmod(path, 0o666)
    except OSError as error:
        raise _disk(path, error) from None
    tally.add(bytes_in=size)


def write_contents(folder: str, contents: Any, form: Format, tally: Tally) -> None:
    """Write what a user's function returned: file names and their contents.

    Contents are one text or one bytes object, written as they are, or an iterable of records. An
    iterable is read file by file in the dictionary's order. Raises RecordError with the file's
    name where something is of the wrong form.
    """
    if not isinstance(contents, Mapping):
        raise RecordError(
            "the user's function must return a dictionary of file names and contents, not "
            f"{type(contents).__name__}"
        )
    for name, value in contents.items():
        path = inside(folder, name)
        os.makedirs(os.path.dirname(path), mode=0o777, exist_ok=True)
        try:
            write_blocks(path, _content_blocks(value, form), tally)
        except RecordError as error:
            raise RecordError(f"file {name!r}: {error}") from None


def _content_blocks(value: Any, form: Format) -> Iterable[bytes]:
    if isinstance(value, str):
        return [value.encode(form.encoding or "utf-8", form.errors)]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return [bytes(value)]
    if not isinstance(value, Iterable):
        raise RecordError(f"contents are {type(value).__name__}, not text, bytes or an iterable")
    return form.encode(value)


def inside(folder: str, name: Any) -> str:
    """Return the path of a file in the shared folder; RecordError for one that is not in it."""
    if not isinstance(name, str) or not name:
        raise RecordError(f"file name {name!r} must be text")
    path = os.path.normpath(os.path.join(folder, name))
    if not path.startswith(folder + os.sep):
        raise RecordError(f"file name {name!r} does not stay in the shared folder")
    return path


def read_blocks(path: str, tally: Tally) -> Iterator[bytes]:
    """Yield a file's bytes, a block at a time. Raises ExchangeFailed where it cannot be read."""
    try:
        with open(path, "rb", buffering=0) as file:
            while True:
                block = file.read(BLOCK)
                if not block:
                    return
                tally.add(bytes_out=len(block))
                yield block
    except OSError as error:
        raise ExchangeFailed(f"{path} cannot be read: {error.strerror}") from None


def listing(folder: str, most: int = 50) -> tuple[str, ...]:
    """List what lies in a folder, with sizes: evidence for when an output is missing."""
    found = []
    for where, folders, files in os.walk(folder):
        for name in sorted(files):
            path = os.path.join(where, name)
            with suppress(OSError):
                found.append(f"{os.path.relpath(path, folder)} ({os.lstat(path).st_size} bytes)")
        found += [os.path.relpath(os.path.join(where, name), folder) + "/" for name in folders]
        if len(found) > most:
            return (*found[:most], f"... and more than {most} in all")
    return tuple(found) or ("nothing",)


def _disk(path: str, error: OSError) -> ExchangeFailed:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        folder = os.path.dirname(path)
        free = shutil.disk_usage(folder).free >> 20
        return ExchangeFailed(
            f"the disk under {folder} is full ({free} MiB free): the partition does not fit; use "
            "more partitions, or temporary_directory_parent= on a larger disk"
        )
    return ExchangeFailed(f"{path} cannot be written: {error.strerror}")


def widen(pipe: int) -> None:
    """Let a pipe hold a block instead of 64 KiB, so that reader and writer wait less in turn."""
    with suppress(OSError):  # the user's share of pipe memory may be used up
        fcntl.fcntl(pipe, _SET_PIPE_SIZE, BLOCK)


class Feeder:
    """Writes blocks to a FIFO from a thread while the command reads it."""

    def __init__(self, path: str, blocks: Iterable[bytes], tally: Tally) -> None:
        self.error: BaseException | None = None
        self._path = path
        self._blocks = blocks
        self._tally = tally
        self._on_error: Callable[[], object] = int
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self, on_error: Callable[[], object]) -> None:
        """Start writing; ``on_error`` is called if the blocks cannot be had."""
        self._on_error = on_error
        self._thread.start()

    def _run(self) -> None:
        size = 0
        try:
            # Waits until the command opens its input; `finish` ends that wait.
            with open(self._path, "wb", buffering=0) as pipe:
                widen(pipe.fileno())
                for block in self._blocks:
                    view = memoryview(block)
                    while view:
                        view = view[pipe.write(view) :]
                    size += len(block)
        except BrokenPipeError:
            pass  # the command did not want the rest, e.g. `head`
        except BaseException as error:
            self.error = error
            self._on_error()
        finally:
            self._tally.add(bytes_in=size)

    def finish(self) -> None:
        """End the writing, whatever was left to write, and wait until the thread is through."""
        while self._thread.is_alive():
            # Being a reader for a moment lets a waiting open go on, and the write then fails.
            with suppress(OSError):
                os.close(os.open(self._path, os.O_RDONLY | os.O_NONBLOCK))
            self._thread.join(0.05)
