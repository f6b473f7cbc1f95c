"""The folder of map_binary: one output file per partition, local or in HDFS, for one block."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable

from lofn import hdfs
from lofn.errors import UsageError
from lofn.mapping import MapJob
from lofn.volumes import hadoop_settings

if TYPE_CHECKING:
    from pyspark import RDD, SparkContext


@dataclass(frozen=True)
class Folder:
    """Where the files go: ``path`` as sc.binaryFiles takes it."""

    path: str
    remote: bool
    settings: tuple[tuple[str, str], ...] = ()

    def saver(self, job: MapJob) -> Callable[[int, Iterable[Any]], Iterator[str]]:
        """Return what a task does to put its output file in the folder."""
        ending = os.path.splitext(job.output_name)[1]

        def save(index: int, records: Iterable[Any]) -> Iterator[str]:
            target = os.path.join(self.path, f"part-{index:05d}{ending}")
            return job.file(index, records, lambda path: self._put(path, target))

        return save

    def tidy(self, context: SparkContext) -> None:
        """Remove what attempts that were killed half-way left in a remote folder."""
        if not self.remote:
            return
        jvm: Any = context._jvm
        path = jvm.org.apache.hadoop.fs.Path(self.path)
        system = path.getFileSystem(context._jsc.hadoopConfiguration())  # type: ignore[attr-defined]
        for status in system.listStatus(path):
            if status.getPath().getName().endswith("._COPYING_"):
                system.delete(status.getPath(), False)

    def _put(self, path: str, target: str) -> str:
        if self.remote:
            # Aside and renamed by Hadoop's shell; a second attempt of a task replaces the first.
            hdfs.fs("-put", "-f", path, target, settings=self.settings)
            return target
        # A name with a dot in front is none of the folder's files to Spark, should it stay.
        folder, name = os.path.split(target)
        aside = os.path.join(folder, f".{name}.{uuid.uuid4().hex}")
        try:
            shutil.copyfile(path, aside)
            os.replace(aside, target)
        finally:
            if os.path.exists(aside):
                os.unlink(aside)
        return target


@contextmanager
def binary_folder(rdd: RDD[Any], hdfs_tempdir: str | None, parent: str | None) -> Iterator[Folder]:
    """Make a new folder for map_binary and remove it after the block.

    On YARN, and where ``hdfs_tempdir`` is given, it is in Spark's file system, below that or the
    user's home folder. Raises UsageError where it cannot be made.
    """
    context = rdd.context
    if hdfs_tempdir is None and not (context.master or "").startswith("yarn"):
        if parent:
            os.makedirs(parent, exist_ok=True)
        path = tempfile.mkdtemp(prefix="lofn-binary-", dir=parent)
        os.chmod(path, 0o777)  # executors of a standalone cluster may run as another user
        try:
            yield Folder(path, remote=False)
        finally:
            shutil.rmtree(path, ignore_errors=True)
        return
    with _remote_folder(context, hdfs_tempdir) as path:
        yield Folder(path, remote=True, settings=hadoop_settings(context))


@contextmanager
def _remote_folder(context: SparkContext, parent: str | None) -> Iterator[str]:
    from py4j.protocol import Py4JJavaError

    if parent is not None and (not isinstance(parent, str) or ("/" not in parent)):
        raise UsageError(f"hdfs_tempdir must be an absolute path, not {parent!r}")
    jvm: Any = context._jvm
    configuration = context._jsc.hadoopConfiguration()  # type: ignore[attr-defined]
    name = f"lofn-binary-{uuid.uuid4().hex[:16]}"
    try:
        if parent is None:
            system = jvm.org.apache.hadoop.fs.FileSystem.get(configuration)
            above = system.getHomeDirectory()
        else:
            above = jvm.org.apache.hadoop.fs.Path(parent)
            system = above.getFileSystem(configuration)
        path = system.makeQualified(jvm.org.apache.hadoop.fs.Path(above, name))
        system.mkdirs(path)
        system.deleteOnExit(path)
    except Py4JJavaError as error:
        reason = str(error.java_exception.getMessage()).splitlines()[0]
        raise UsageError(
            f"no folder for binary files can be made in {parent or 'the home folder'}: {reason}; "
            "give hdfs_tempdir= a folder that you may write to"
        ) from None
    try:
        yield str(path.toString())
    finally:
        system.delete(path, True)
