"""A remote folder on a node, fetched once however many tasks, executors and jobs want it."""

from __future__ import annotations

import os
import random
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from lofn import hdfs
from lofn.cache_space import make_room, remove_leftovers
from lofn.hdfs import VolumeFailed
from lofn.listing import RemoteListing
from lofn.locks import lock_folder

__all__ = ["CachePlace", "VolumeFailed", "mounted"]

_START_SECONDS = 300  # for Hadoop's JVM, a busy node, a NameNode that is slow to answer
_SLOWEST_BYTES_PER_SECOND = 2_000_000


@dataclass(frozen=True)
class CachePlace:
    """Where a node keeps its copies, and how it reads remote file systems.

    The folder is ``$LOFN_CACHE_DIR``, else ``lofn-cache-<uid>`` in ``parent`` (the API's
    ``temporary_directory_parent``) or in ``/var/tmp``: one for each user of the node. An
    administrator who makes ``$LOFN_CACHE_DIR`` for a group (``root:docker``, mode 2770) lets all
    users of that group share one copy. ``settings`` are Hadoop properties of the job.
    """

    parent: str | None = None
    settings: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def open(self) -> str:
        """Make the folder if need be and return its path; never follow somebody else's.

        Raises VolumeFailed if it is a link, is owned by another user than this one or root, or
        if everybody may write to it: others could then change what containers read.
        """
        path = self._path()
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if not os.path.lexists(path):
                _mkdir(path, 0o700)
            held = os.lstat(path)
        except OSError as error:
            raise VolumeFailed(
                f"the cache folder {path} cannot be made on {socket.gethostname()}: "
                f"{error.strerror}; set LOFN_CACHE_DIR for the executors to one that can"
            ) from None
        if os.path.islink(path) or held.st_uid not in (os.getuid(), 0) or held.st_mode & 0o002:
            raise VolumeFailed(
                f"the cache folder {path} on {socket.gethostname()} is a link, belongs to "
                f"another user (uid {held.st_uid}) or can be written by everybody: remove it, or "
                "set LOFN_CACHE_DIR for the executors"
            )
        return path

    def _path(self) -> str:
        chosen = os.environ.get("LOFN_CACHE_DIR")
        if chosen:
            return os.path.abspath(chosen)
        return os.path.join(os.path.abspath(self.parent or "/var/tmp"), f"lofn-cache-{os.getuid()}")


@contextmanager
def mounted(place: CachePlace, listing: RemoteListing) -> Iterator[str]:
    """Give the path of this node's copy of ``listing``, complete and unchanging.

    The first task to come fetches it; the others wait for that one. While the block runs the copy
    is counted as used and is not evicted. Raises VolumeFailed with the reason, also when the wait
    for another task's download passes its deadline.
    """
    root = place.open()
    version = os.path.join(root, listing.key, listing.version)
    handle = lock_folder(version, exclusive=False)
    deadline = time.monotonic() + _allowance(listing) + 60
    while handle is None:
        _fetch_or_wait(root, place, listing, deadline)
        handle = lock_folder(version, exclusive=False)
    try:
        _touch(version)
        yield os.path.join(version, "data")
    finally:
        os.close(handle)


def _allowance(listing: RemoteListing) -> float:
    return _START_SECONDS + listing.size / _SLOWEST_BYTES_PER_SECOND


def _touch(version: str) -> None:
    """Note the use, for eviction by least recent use; without the right it only looks older."""
    with suppress(PermissionError):
        os.utime(version)


def _fetch_or_wait(root: str, place: CachePlace, listing: RemoteListing, deadline: float) -> None:
    """Return when the copy is there: fetched by this task, or by the one that holds the lock."""
    entry = os.path.join(root, listing.key)
    version = os.path.join(entry, listing.version)
    while not os.path.isdir(version):
        if not os.path.isdir(entry):
            _mkdir(entry, os.stat(root).st_mode)
        handle = lock_folder(entry, exclusive=True)
        if handle is not None:
            try:
                if not os.path.isdir(version):
                    _fetch(root, entry, place, listing)
            finally:
                os.close(handle)
            return
        if time.monotonic() > deadline:
            raise VolumeFailed(
                f"volume {listing.source}: another task on {socket.gethostname()} has held its "
                f"download for more than {_allowance(listing):.0f} s"
            )
        time.sleep(random.uniform(0.05, 0.15))


def _fetch(root: str, entry: str, place: CachePlace, listing: RemoteListing) -> None:
    """Download aside, verify, and rename; the caller holds the entry's lock."""
    remove_leftovers(entry)
    make_room(root, entry, listing)
    partial = tempfile.mkdtemp(prefix=".partial-", dir=entry)
    data = os.path.join(partial, "data")
    try:
        hdfs.get(
            listing.source,
            data,
            settings=place.settings,
            deadline_seconds=_allowance(listing),
        )
        _verify(data, listing)
        _open_for_reading(data, group_writes=bool(os.stat(root).st_mode & 0o020))
        with open(os.path.join(partial, "listing.json"), "w", encoding="utf-8") as file:
            file.write(listing.to_json())
        os.chmod(partial, os.stat(root).st_mode & 0o7777)
        os.rename(partial, os.path.join(entry, listing.version))
    except (VolumeFailed, OSError) as error:
        remove_leftovers(entry)
        raise VolumeFailed(
            f"volume {listing.source} could not be fetched to {socket.gethostname()}: {error}"
        ) from None


def _verify(data: str, listing: RemoteListing) -> None:
    """Compare names and sizes with the driver's listing: the source may have changed since."""
    found = {}
    if os.path.isfile(data):
        found[""] = os.path.getsize(data)
    for folder, _, names in os.walk(data):
        for name in names:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, data)] = os.path.getsize(path)
    wanted = {file.path: file.size for file in listing.files}
    differing = sorted(found.items() ^ wanted.items())
    if differing:
        raise VolumeFailed(
            f"it changed after the job began ({len({name for name, _ in differing})} files "
            f"differ, {differing[0][0] or listing.source!r} is one): run the job again"
        )


def _open_for_reading(data: str, *, group_writes: bool) -> None:
    """Let any user inside a container read, and the cache's group remove."""
    folder_mode = 0o775 if group_writes else 0o755
    if os.path.isfile(data):
        os.chmod(data, 0o644)
    for folder, _, names in os.walk(data):
        os.chmod(folder, folder_mode)
        for name in names:
            os.chmod(os.path.join(folder, name), 0o644)


def _mkdir(path: str, mode: int) -> None:
    with suppress(FileExistsError):
        os.mkdir(path, 0o700)
        os.chmod(path, mode & 0o7777)  # mkdir's own mode is cut by the umask
