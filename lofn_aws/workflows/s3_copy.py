"""Copies between this machine and S3, and inside S3; no cluster is needed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lofn_aws.adapters.local_files import arriving, settle
from lofn_aws.adapters.local_files import look as look_local
from lofn_aws.errors import NotFoundError
from lofn_aws.model.copy import Entry, Found
from lofn_aws.model.uris import HdfsUri, LocalPath, Location, S3Uri
from lofn_aws.workflows.context import Context

# Objects under way at once; boto3 sends the parts of a large one at once by itself.
_PARALLEL = 8


class S3Copy:
    """Looks at and copies local and S3 places."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def look(self, place: Location, *, whole: bool = False) -> Found:
        """Return what is at a place; ``whole`` wants every file below a folder."""
        if isinstance(place, LocalPath):
            return look_local(place.path)
        if isinstance(place, HdfsUri):
            raise TypeError(f"{place} is in HDFS")
        return look_s3(self._ctx, place, whole=whole)

    def copy(
        self, source: Location, at_source: Found, target: Location, *, merge: bool, token: str
    ) -> None:
        """Copy; both places have been looked at and checked."""
        entries = at_source.files or (Entry("", at_source.size),)
        with self._ctx.reporter.bars() as bars:
            count = _Count(lambda done: bars.update(str(target), done, at_source.size))
            if isinstance(source, LocalPath) and isinstance(target, S3Uri):
                _all(entries, lambda entry: self._send(source, target, entry, count))
            elif isinstance(source, S3Uri) and isinstance(target, S3Uri):
                _all(entries, lambda entry: self._inside(source, target, entry, count))
            elif isinstance(source, S3Uri) and isinstance(target, LocalPath):
                self._fetch(source, target.path, entries, count, token)

    def _send(self, source: LocalPath, target: S3Uri, entry: Entry, count: _Count) -> None:
        path = source.path / entry.name if entry.name else source.path
        place = _member(target, entry)
        self._ctx.s3.put_file(place.bucket, place.key, path, count.add)

    def _inside(self, source: S3Uri, target: S3Uri, entry: Entry, count: _Count) -> None:
        origin, place = _member(source, entry), _member(target, entry)
        self._ctx.s3.copy((origin.bucket, origin.key), (place.bucket, place.key))
        count.add(entry.size)

    def _fetch(
        self,
        source: S3Uri,
        target: Path,
        entries: tuple[Entry, ...],
        count: _Count,
        token: str,
    ) -> None:
        with arriving(target, token) as folder:

            def fetch(entry: Entry) -> None:
                origin = _member(source, entry)
                path = folder / "whole" / entry.name if entry.name else folder / "whole"
                path.parent.mkdir(parents=True, exist_ok=True)
                if not self._ctx.s3.get_file(origin.bucket, origin.key, path, count.add):
                    raise NotFoundError(f"{origin} was removed while it was copied")

            _all(entries, fetch)
            settle(folder / "whole", target)


def look_s3(ctx: Context, place: S3Uri, *, whole: bool) -> Found:
    """Return what is at an S3 place: an object, or a folder, which is a prefix with objects."""
    if not place.says_folder:
        size = ctx.s3.size(place.bucket, place.key)
        if size is not None:
            return Found("file", size)
    prefix = f"{place.key.rstrip('/')}/" if place.key else ""
    found = []
    for item in ctx.s3.list(place.bucket, prefix):
        # An object whose key ends with a slash is how consoles and Hadoop mark an empty folder.
        if not item.key.endswith("/"):
            found.append(Entry(item.key[len(prefix) :], item.size))
        elif not whole:
            return Found("folder")
        if found and not whole:
            break
    if not found:
        return Found()
    return Found("folder", sum(entry.size for entry in found), tuple(found))


class _Count:
    """Adds up bytes from several threads and tells the sum."""

    def __init__(self, tell: Callable[[int], None]) -> None:
        self._tell = tell
        self._done = 0
        self._lock = threading.Lock()

    def add(self, size: int) -> None:
        with self._lock:
            self._done += size
            self._tell(self._done)


def _member(place: S3Uri, entry: Entry) -> S3Uri:
    return place.child(entry.name) if entry.name else place


def _all(entries: Iterable[Entry], call: Callable[[Entry], None]) -> None:
    """Call for every entry, several at once; the first error ends it."""
    with ThreadPoolExecutor(_PARALLEL, "s3") as pool:
        futures = [pool.submit(call, entry) for entry in entries]
        try:
            for future in futures:
                future.result()
        except BaseException:
            for future in futures:
                future.cancel()
            raise
