"""Results put at a local, HDFS or S3 path by the driver, whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lofn.errors import UsageError

if TYPE_CHECKING:
    from pyspark import SparkContext


def qualify(context: SparkContext, path: str) -> str:
    """Give the full URI of ``path`` on the job's file systems.

    Raises UsageError if something is there already, or if its file system cannot be reached.
    """
    from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]

    where = _path(context, path)
    try:
        system = where.getFileSystem(_configuration(context))
        if system.exists(where):
            raise UsageError(
                f"the output {path} exists already: remove it (`hdfs dfs -rm -r {path}`) or "
                "choose another"
            )
        return str(system.makeQualified(where).toString())
    except Py4JJavaError as error:
        reason = str(error.java_exception.getMessage()).splitlines()[0]
        raise UsageError(f"the output {path} cannot be written: {reason}") from None


def write_file(context: SparkContext, uri: str, blocks: Iterable[bytes]) -> None:
    """Write ``blocks`` to the new file ``uri`` from the driver, at once or not at all."""
    local = local_path(uri)
    folder = os.path.dirname(local) if local else None
    if folder:
        os.makedirs(folder, exist_ok=True)
    handle, path = tempfile.mkstemp(prefix=".lofn-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(blocks)
        if local:
            os.chmod(path, 0o644)
            os.rename(path, local)
        else:
            target = _path(context, uri)
            system = target.getFileSystem(_configuration(context))
            system.copyFromLocalFile(False, False, _path(context, f"file:{path}"), target)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(path)


def move_folder(context: SparkContext, source: str, uri: str) -> None:
    """Give the folder ``source`` the name ``uri``, from the driver; both local, or both remote.

    Raises UsageError where the file system refuses.
    """
    local = local_path(uri)
    if local:
        os.makedirs(os.path.dirname(local), exist_ok=True)
        os.chmod(source, 0o755)
        shutil.move(source, local)
        return
    target = _path(context, uri)
    if not target.getFileSystem(_configuration(context)).rename(_path(context, source), target):
        raise UsageError(f"the results in {source} cannot be renamed to {uri}: was it just made?")


def remove_folder(context: SparkContext, uri: str) -> None:
    """Remove a folder and all in it, from the driver; one that is not there is no error."""
    target = _path(context, uri)
    target.getFileSystem(_configuration(context)).delete(target, True)


def local_path(uri: str) -> str | None:
    """Give the path of a ``file:`` URI; None for any other."""
    return "/" + uri[len("file:") :].lstrip("/") if uri.startswith("file:") else None


def _path(context: SparkContext, path: str) -> Any:
    jvm: Any = context._jvm
    return jvm.org.apache.hadoop.fs.Path(path)


def _configuration(context: Any) -> Any:
    return context._jsc.hadoopConfiguration()
