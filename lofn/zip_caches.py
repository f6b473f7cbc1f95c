"""Spares a Spark worker the reading of unchanged zip archives before each of its tasks.

``pyspark.worker`` calls `importlib.invalidate_caches` at the start of every task. In Python 3.10
and 3.11 that reads the directory of each zip archive on the path anew, Spark's own pyspark.zip
with its hundreds of files among them: some 70 ms of processor per task, most of what a small task
costs. Later versions put it off until an import asks (CPython issue 103200); earlier ones have no
such method.
"""

from __future__ import annotations

import os
import sys
import zipimport
from typing import Any, Optional

_State = Optional[tuple[int, int, int]]


def keep_unchanged() -> None:
    """Let `zipimporter.invalidate_caches` skip archives that are as they were when last read.

    For the whole process; calling it again does nothing. An archive that was replaced or changed
    is read anew, as before.
    """
    importer: Any = zipimport.zipimporter
    eager = vars(importer).get("invalidate_caches")
    if eager is None or sys.version_info >= (3, 12) or eager.__module__ == __name__:
        return
    seen: dict[str, _State] = {}

    def invalidate_caches(self: zipimport.zipimporter) -> None:
        now = _state(self.archive)
        if now is None or seen.get(self.archive) != now:
            eager(self)
            seen[self.archive] = now

    importer.invalidate_caches = invalidate_caches


def _state(path: str) -> _State:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
