"""One build of the sandbox's images at a time on this machine, whoever starts it."""

from __future__ import annotations

import fcntl
import os
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lofn_aws.errors import WaitTimeout

DEADLINE_SECONDS = 1800.0
POLL_SECONDS = 0.5

_held = threading.local()


@contextmanager
def build_lock(progress: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock; re-entrant within a thread. The kernel frees it when a process dies.

    Raises WaitTimeout when another build holds it for longer than DEADLINE_SECONDS.
    """
    if getattr(_held, "depth", 0):
        yield
        return
    path = Path(tempfile.gettempdir()) / f"lofn-aws-build-{os.getuid()}.lock"
    with path.open("w") as file:
        _acquire(file.fileno(), progress)
        _held.depth = 1
        try:
            yield
        finally:
            _held.depth = 0


def _acquire(descriptor: int, progress: Callable[[str], None]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise WaitTimeout(
                    f"another build of the sandbox's images has run for {DEADLINE_SECONDS:.0f} s"
                ) from None
        if not told:
            progress("waiting for another build of the sandbox's images")
            told = True
        time.sleep(POLL_SECONDS * (1 + random.random()))
