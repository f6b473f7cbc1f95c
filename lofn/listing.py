"""What a remote folder holds (path, size, time), listed by the driver through Spark's own JVM."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lofn.hdfs import VolumeFailed

if TYPE_CHECKING:
    from pyspark import SparkContext


@dataclass(frozen=True)
class RemoteFile:
    """One file: path relative to its source ("" if the source is a file), bytes, ms since 1970."""

    path: str
    size: int
    mtime: int


@dataclass(frozen=True)
class RemoteListing:
    """What ``source`` (a fully qualified URI) held when the driver looked."""

    source: str
    is_file: bool
    files: tuple[RemoteFile, ...]

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(file.size for file in self.files)

    @property
    def key(self) -> str:
        """A folder name that stands for the source."""
        return hashlib.sha256(self.source.encode()).hexdigest()[:20]

    @property
    def version(self) -> str:
        """A folder name that stands for the source as it was: it changes with any file's."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:20]

    def to_json(self) -> str:
        """Give the listing as text that is the same for the same listing."""
        return json.dumps(asdict(self), sort_keys=True)


def snapshot(context: SparkContext, source: str) -> RemoteListing:
    """List ``source``, a folder or a file in HDFS or S3, on the driver; no JVM is started.

    Raises VolumeFailed with the file system's reason where it cannot be listed.
    """
    from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]

    jvm: Any = context._jvm
    path = jvm.org.apache.hadoop.fs.Path(source)
    try:
        system = path.getFileSystem(context._jsc.hadoopConfiguration())
        status = system.getFileStatus(path)
        root = system.makeQualified(path).toString().rstrip("/")
        files = [_entry(status, root)] if status.isFile() else _walk(system, path, root)
    except Py4JJavaError as error:
        raise VolumeFailed(f"volume {source!r} cannot be read: {_reason(error)}") from None
    return RemoteListing(root, status.isFile(), tuple(sorted(files, key=lambda file: file.path)))


def _walk(system: Any, path: Any, root: str) -> list[RemoteFile]:
    found = []
    remaining = system.listFiles(path, True)
    while remaining.hasNext():
        found.append(_entry(remaining.next(), root))
    return found


def _entry(status: Any, root: str) -> RemoteFile:
    full = status.getPath().toString()
    return RemoteFile(full[len(root) :].lstrip("/"), status.getLen(), status.getModificationTime())


def _reason(error: Any) -> str:
    """Turn a Java exception into one line; 'not found' says how to put the files there."""
    raised = error.java_exception
    name = raised.getClass().getSimpleName()
    text = (raised.getMessage() or "no message").strip().splitlines()[0]
    if name == "FileNotFoundException":
        return f"{text}: put it there with `hdfs dfs -put` or `aws s3 cp`, or correct the path"
    return f"{name}: {text}"
