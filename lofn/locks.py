"""Locks on folders, held by the kernel: a process that is killed lets go of them at once."""

from __future__ import annotations

import fcntl
import os


def lock_folder(path: str, *, exclusive: bool) -> int | None:
    """Lock the folder at ``path``, without waiting, and return the descriptor that holds it.

    Closing the descriptor, or the death of the process, frees the lock. Returns None when somebody
    holds a conflicting lock, or when the folder is not there or was replaced meanwhile: a lock on
    a folder that was renamed away protects nothing.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(handle), os.stat(path, follow_symlinks=False)):
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(handle)
    return None
