"""Waiting for a lock that another process of this user's may hold for minutes."""

from __future__ import annotations

import fcntl
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lofn_aws.errors import WaitTimeout

POLL_SECONDS = 0.3


@contextmanager
def file_lock(
    path: Path, seconds: float, holder: str, progress: Callable[[str], None], next_command: str
) -> Iterator[None]:
    """Hold the lock of the file at ``path``, made if need be, while the block runs.

    The kernel frees it when a process dies, so a file that is there says nothing.

    Args:
        path: the lock's file; its folder must exist.
        seconds: how long to wait for whoever holds it.
        holder: who that is, in words: "another build of the sandbox's images".
        progress: called with one sentence if the lock has to be waited for.
        next_command: what the error suggests.

    Raises:
        WaitTimeout: the lock was held for longer than ``seconds``.
    """
    with path.open("a") as file:
        end = time.monotonic() + seconds
        if not _try(file.fileno()):
            progress(f"waiting for {holder}")
            while not _try(file.fileno()):
                if time.monotonic() > end:
                    raise WaitTimeout(
                        f"{holder} has run for more than {seconds:.0f} s and holds {path}",
                        next_command,
                    )
                time.sleep(POLL_SECONDS * (1 + random.random()))
        yield


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
