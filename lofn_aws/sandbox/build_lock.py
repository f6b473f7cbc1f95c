"""One build of the sandbox's images at a time on this machine, whoever starts it."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lofn_aws.sandbox.file_lock import file_lock

DEADLINE_SECONDS = 1800.0

_held = threading.local()


@contextmanager
def build_lock(progress: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock; re-entrant within a thread.

    Raises WaitTimeout when another build holds it for longer than DEADLINE_SECONDS.
    """
    if getattr(_held, "depth", 0):
        yield
        return
    path = Path(tempfile.gettempdir()) / f"lofn-aws-build-{os.getuid()}.lock"
    holder = "another build of the sandbox's images"
    with file_lock(path, DEADLINE_SECONDS, holder, progress, "docker ps"):
        _held.depth = 1
        try:
            yield
        finally:
            _held.depth = 0
